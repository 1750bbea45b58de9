package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HubSettingsTest {
    @TempDir
    Path home;

    @Test
    void withoutVariablesThePublicHubAndTheUsualCacheAreUsed() {
        HubSettings settings = HubSettings.of(Map.of(), home);
        assertThat(settings.endpoint()).hasToString("https://huggingface.co");
        assertThat(settings.cache()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(settings.token()).isEmpty();
        assertThat(settings.offline()).isFalse();
    }

    @Test
    void cacheIsFoundAsPythonFindsIt() {
        Map<String, String> all = new java.util.HashMap<>();
        all.put("XDG_CACHE_HOME", "/xdg");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/xdg/huggingface/hub"));
        all.put("HF_HOME", "~/hf");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(home.resolve("hf/hub"));
        all.put("HUGGINGFACE_HUB_CACHE", "/old");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/old"));
        all.put("HF_HUB_CACHE", "/new");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/new"));
    }

    @Test
    void tokenComesFromTheVariableOrTheFile() throws IOException {
        Files.writeString(home.resolve("token"), "from-file\n");
        Map<String, String> env = Map.of("HF_HOME", home.toString());
        assertThat(HubSettings.of(env, home).token()).isEqualTo("from-file");
        env = Map.of("HF_HOME", home.toString(), "HF_TOKEN", " from-variable ");
        assertThat(HubSettings.of(env, home).token()).isEqualTo("from-variable");
    }

    @Test
    void tokenIsNotShown() {
        assertThat(HubSettings.of(Map.of("HF_TOKEN", "secret"), home).toString())
                .doesNotContain("secret");
    }

    @ParameterizedTest
    @CsvSource({"1, true", "true, true", "YES, true", "0, false", "'', false"})
    void offlineIsWhatPythonTakesForTrue(String value, boolean offline) {
        assertThat(HubSettings.of(Map.of("HF_HUB_OFFLINE", value), home).offline())
                .isEqualTo(offline);
    }

    @Test
    void endpointThatIsNoAddressIsNamed() {
        assertThat(HubSettings.of(Map.of("HF_ENDPOINT", "http://mirror:80/hf/"), home)
                        .endpoint())
                .hasToString("http://mirror:80/hf");
        assertThatThrownBy(() -> HubSettings.of(Map.of("HF_ENDPOINT", "nonsense"), home))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("HF_ENDPOINT is 'nonsense'");
    }

    @Test
    void variablesAndTheHomeFolderAreExpandedInPaths() {
        Map<String, String> all = new java.util.HashMap<>(Map.of("DATA", "/my data", "HF_HOME", "$DATA/hf"));
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/my data/hf/hub"));
        all.put("HF_HOME", "${DATA}s/$UNKNOWN/hf");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/my datas/$UNKNOWN/hf/hub"));
        all.put("HF_HUB_CACHE", "~/$DATA");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of(home + "//my data"));
        all.put("HOME", "/other");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/other/my data"));
        all.remove("HF_HUB_CACHE");
        all.remove("HF_HOME");
        assertThat(HubSettings.of(all, home).cache()).isEqualTo(Path.of("/other/.cache/huggingface/hub"));
    }

    @Test
    void userWithoutAHomeFolderIsAskedForACacheOnlyWhereItIsNeeded() {
        Path none = Path.of("");
        HubSettings homeless = HubSettings.of(Map.of(), none);
        assertThat(homeless.token()).isEmpty();
        assertThatThrownBy(homeless::cache)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("no home folder. Set HF_HOME");
        assertThat(HubSettings.of(Map.of("HF_HOME", "/data"), none).cache()).isEqualTo(Path.of("/data/hub"));
        assertThat(HubSettings.of(Map.of("HOME", "/h"), none).cache()).isEqualTo(Path.of("/h/.cache/huggingface/hub"));
    }

    @Test
    void tokenIsLeftOutWhereItIsNotToBeSentUnasked() {
        Map<String, String> env = Map.of("HF_TOKEN", "hf_secret", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
        assertThat(HubSettings.of(env, home).token()).isEmpty();
    }

    @Test
    void tokenWithLineBreaksIsJoinedAndWhatIsNoneIsNotShown() {
        assertThat(HubSettings.of(Map.of("HF_TOKEN", "hf_sec\nret\r\n"), home).token())
                .isEqualTo("hf_secret");
        for (String bad : new String[] {"hf_sec ret", "hf_s\u00e9cret", "hf_sec\u0000ret"}) {
            assertThatThrownBy(() -> HubSettings.of(Map.of("HF_TOKEN", bad), home))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("HF_TOKEN is not a token")
                    .hasMessageNotContaining("hf_s");
        }
    }
}

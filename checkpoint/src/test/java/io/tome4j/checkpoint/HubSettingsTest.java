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
}

package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTest {
    @TempDir
    Path cache;

    private FakeHub hub;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    /** The hub of the tests stands for a proxy: its own name is one that no server has. */
    @Test
    void proxyOfTheEnvironmentIsAskedAndToldWhoWeAre() {
        Network network =
                Network.of(Map.of("HTTP_PROXY", "http://me:pass@localhost:" + hub.port(), "NO_PROXY", "127.0.0.1"));
        fetch(FakeHub.settings("http://hub.invalid", cache, "", network));
        assertThat(hub.seen).isNotEmpty();
        assertThat(hub.proxyAuthorization)
                .isEqualTo("Basic " + Base64.getEncoder().encodeToString("me:pass".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void thePasswordOfAProxyConcernsTheJvmOnlyOnceAHubIsToBeAsked() {
        String property = "jdk.http.auth.tunneling.disabledSchemes";
        String before = System.getProperty(property);
        System.clearProperty(property);
        try {
            Network network = Network.of(Map.of("https_proxy", "http://me:pass@localhost:1"));
            assertThat(System.getProperty(property)).isNull();
            network.newClient();
            assertThat(System.getProperty(property)).isEmpty();
            System.setProperty(property, "Basic");
            network.newClient();
            assertThat(System.getProperty(property)).isEqualTo("Basic");
        } finally {
            System.clearProperty(property);
            Optional.ofNullable(before).ifPresent(value -> System.setProperty(property, value));
        }
    }

    @Test
    void proxyThatIsNotThereIsSaid() {
        Network network = Network.of(Map.of("all_proxy", "localhost:1"));
        assertThatThrownBy(() -> fetch(FakeHub.settings("http://hub.invalid", cache, "", network)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(
                        "The server hub.invalid cannot be reached through the proxy localhost:1: nothing answers");
    }

    @Test
    void nameThatNobodyKnowsIsSaid() {
        assertThatThrownBy(() -> fetch(FakeHub.settings("http://hub.invalid", cache, "", Network.DIRECT)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("The server hub.invalid cannot be reached: nobody here knows its name");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https://huggingface.co | HTTPS_PROXY=http://p:1 | http://p:1",
                "https://huggingface.co | https_proxy=p:1;HTTPS_PROXY=q:2 | http://p:1",
                "https://huggingface.co | HTTP_PROXY=p:1 |",
                "https://huggingface.co | HTTP_PROXY=p:1;ALL_PROXY=http://q:2 | http://q:2",
                "https://huggingface.co | ALL_PROXY=q:2;NO_PROXY=* |",
                "https://huggingface.co | ALL_PROXY=q:2;NO_PROXY=localhost, huggingface.co |",
                "https://cdn.huggingface.co | ALL_PROXY=q:2;no_proxy=huggingface.co |",
                "https://cdn.huggingface.co | ALL_PROXY=q:2;no_proxy=.huggingface.co |",
                "https://huggingface.co | ALL_PROXY=q:2;no_proxy=.huggingface.co | http://q:2",
                "https://nothuggingface.co | ALL_PROXY=q:2;no_proxy=huggingface.co | http://q:2",
                "http://hub:8080 | ALL_PROXY=q:2;no_proxy=hub:80 | http://q:2",
                "http://hub:8080 | ALL_PROXY=q:2;no_proxy=hub:8080 |",
            })
    void proxyIsChosenAsInPython(String target, String variables, String proxy) {
        Map<String, String> environment = new java.util.HashMap<>();
        for (String variable : variables.split(";")) {
            environment.put(variable.split("=")[0], variable.split("=")[1]);
        }
        URI chosen = Network.of(environment).proxy(URI.create(target));
        assertThat(chosen == null ? null : chosen.toString()).isEqualTo(proxy);
    }

    @ParameterizedTest
    @ValueSource(strings = {"socks5://me:secret@p:1", "http://", "http://me:secret@[", "https://me:secret@p"})
    void proxyOfAnotherKindIsRefusedWithoutItsPassword(String proxy) {
        Network network = Network.of(Map.of("HTTP_PROXY", proxy));
        assertThatThrownBy(() -> fetch(FakeHub.settings("http://hub.invalid", cache, "", network)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("HTTP_PROXY is not the address of an HTTP proxy")
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"})
    void certificatesThatCannotBeReadAreNamedWithTheVariable(String variable) throws IOException {
        Path file = cache.resolve("ca.pem");
        Network network = Network.of(Map.of(variable, file.toString()));
        assertThatThrownBy(network::newClient)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(variable)
                .hasMessageContaining("is missing");
        Files.writeString(file, "no certificate");
        assertThatThrownBy(network::newClient)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(variable + " names " + file + ", which has no certificates");
        Files.writeString(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        assertThatThrownBy(network::newClient)
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(variable + " names " + file);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"http://[bad uri%%%", "ftp://elsewhere/x", "file:///etc/passwd", "http:///nowhere", "mailto:a@b"
            })
    void redirectThatLeadsNowhereIsSaid(String location) {
        hub.redirect = location;
        assertThatThrownBy(() -> fetch(hub.settings(cache, "")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("sends us to an address that is none");
    }

    @Test
    void slowHubIsToldOfWhileItIsWaitedFor() {
        hub.delay = 3200;
        hub.redirect = "mailto:a@b";
        assertThatThrownBy(() -> fetch(hub.settings(cache, ""))).isInstanceOf(TomeException.class);
        assertThat(warnings)
                .singleElement()
                .asString()
                .isEqualTo("The server localhost:" + hub.port() + " has not answered for 3 seconds; waiting.");
    }

    private CheckpointFolder fetch(HubSettings settings) {
        var listener = new DownloadListener() {
            @Override
            public void progress(String file, long done, long total) {}

            @Override
            public void warning(String message) {
                warnings.add(message);
            }
        };
        return CheckpointSource.resolve(FakeHub.ID, FakeHub.KINDS, FetchOptions.DEFAULT, settings, listener);
    }
}

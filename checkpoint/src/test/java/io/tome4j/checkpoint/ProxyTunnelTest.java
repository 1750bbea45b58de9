package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.tensor.TomeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A hub behind a proxy of a company: HTTPS through a tunnel, with a certificate of the company's own. Each download is a process
 * of its own, for Java decides once in its life what it tells a proxy.
 */
class ProxyTunnelTest {
    private static final String HUB = "hub.invalid";
    private static final String CDN = "cdn.invalid";
    private static final String USER = "me:secret";

    @TempDir
    Path folder;

    private FakeHub hub;
    private ConnectProxy proxy;

    @BeforeEach
    void start() throws Exception {
        hub = new FakeHub();
        hub.cdnAddress = "https://" + CDN;
        proxy = new ConnectProxy(folder, USER, Map.of(HUB, hub.port(), CDN, hub.cdnPort()));
    }

    @AfterEach
    void stop() {
        proxy.close();
        hub.close();
    }

    @Test
    void modelComesThroughATunnelThatIsToldWhoWeAreAndTheHubIsNot() throws Exception {
        assertThat(download(USER + "@", proxy.certificate.toString())).startsWith("OK ");
        assertThat(proxy.asked).isNotEmpty().allSatisfy(line -> assertThat(line)
                .matches("CONNECT (hub|cdn).invalid:443 HTTP/1.1 \\| Basic .+"));
        assertThat(hub.seen).extracting(FakeHub.Seen::server).contains("hub", "cdn");
        assertThat(hub.proxyAuthorization).isEqualTo("null");
    }

    @Test
    void proxyThatDoesNotKnowUsIsSaid() throws Exception {
        assertThat(download("me:wrong@", proxy.certificate.toString()))
                .contains("The proxy localhost:" + proxy.port() + " does not accept the user and password")
                .doesNotContain("wrong");
        assertThat(download("", proxy.certificate.toString())).contains("wants a user and a password (407)");
        assertThat(hub.seen).isEmpty();
    }

    @Test
    void certificateThatNobodyTrustsIsSaidWithTheVariableThatHelps() throws Exception {
        assertThat(download(USER + "@", "")).contains("The server " + HUB, "certificate", "SSL_CERT_FILE");
        assertThat(hub.seen).isEmpty();
    }

    private String download(String user, String certificates) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder process = new ProcessBuilder(
                        java,
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Download.class.getName())
                .redirectErrorStream(true);
        Map<String, String> environment = process.environment();
        environment.keySet().removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        environment.putAll(Map.of(
                "HTTPS_PROXY",
                "http://" + user + "localhost:" + proxy.port(),
                "SSL_CERT_FILE",
                certificates,
                "REQUESTS_CA_BUNDLE",
                "",
                "HF_ENDPOINT",
                "https://" + HUB,
                "HF_HUB_OFFLINE",
                "0",
                "HF_HOME",
                folder.resolve("hub").toString()));
        Process child = process.start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        child.waitFor();
        return output;
    }

    /** What the child does. */
    static final class Download {
        private Download() {}

        public static void main(String[] arguments) {
            HubSettings settings = HubSettings.fromEnvironment();
            try {
                var model = CheckpointSource.resolve(
                        FakeHub.ID, FakeHub.KINDS, FetchOptions.DEFAULT, settings, (file, done, total) -> {});
                System.out.println("OK " + model.path());
            } catch (TomeException e) {
                System.out.println(e.getMessage());
            }
        }
    }
}

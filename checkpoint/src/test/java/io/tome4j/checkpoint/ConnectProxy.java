package io.tome4j.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A proxy that asks who one is, opens tunnels ({@code CONNECT}), and answers TLS at their end in the name of the host asked
 * for, so that servers of plain HTTP on this machine stand for some of the internet.
 */
final class ConnectProxy implements AutoCloseable {
    private static final String PASSWORD = "changeit";

    /** Each first line and the line that says who asks, or an empty one. */
    final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    /** The certificate of all hosts, in PEM. */
    final Path certificate;

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SSLContext tls;
    private final String expected;
    private final Map<String, Integer> origins;

    ConnectProxy(Path folder, String user, Map<String, Integer> origins) throws Exception {
        this.expected = "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
        this.origins = origins;
        String names = "san=dns:" + String.join(",dns:", origins.keySet());
        Path keys = folder.resolve("keys.p12");
        keytool("-genkeypair", "-keyalg", "EC", "-dname", "CN=tests", "-ext", names, "-keystore", keys.toString());
        this.certificate = folder.resolve("hub.pem");
        keytool("-exportcert", "-rfc", "-file", certificate.toString(), "-keystore", keys.toString());
        this.tls = context(keys);
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    private static void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-storepass", PASSWORD, "-alias", "hub"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(output);
        }
    }

    private static SSLContext context(Path keys) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(keys)) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                threads.execute(() -> serve(client));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            String who = head.lines()
                    .filter(line -> line.regionMatches(true, 0, "proxy-authorization:", 0, 20))
                    .map(line -> line.substring(20).strip())
                    .findFirst()
                    .orElse("");
            asked.add(head.lines().findFirst().orElse("") + " | " + who);
            boolean welcome = who.equals(expected);
            String answer = welcome
                    ? "HTTP/1.1 200 Connection established\r\n\r\n"
                    : "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n"
                            + "Content-Length: 0\r\n\r\n";
            client.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            if (welcome) {
                tunnel(client, head.replaceFirst("(?s)CONNECT ([^:]*):443 .*", "$1"));
            }
        } catch (IOException e) {
            // the other side has gone
        }
    }

    /** Byte by byte up to the empty line: what follows it belongs to TLS. */
    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no request");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private void tunnel(Socket client, String host) throws IOException {
        try (SSLSocket secure = (SSLSocket) tls.getSocketFactory().createSocket(client, null, true);
                Socket plain = new Socket(InetAddress.getByName("localhost"), origins.get(host))) {
            threads.execute(() -> copy(plain, secure));
            secure.getInputStream().transferTo(plain.getOutputStream());
        }
    }

    private static void copy(Socket from, Socket to) {
        try (OutputStream out = to.getOutputStream()) {
            from.getInputStream().transferTo(out);
        } catch (IOException e) {
            // the other side has gone
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

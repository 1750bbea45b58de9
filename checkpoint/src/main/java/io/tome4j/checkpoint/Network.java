package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * How the hub is reached, by the environment variables that Python goes by: {@code HTTP_PROXY}, {@code HTTPS_PROXY},
 * {@code ALL_PROXY} and {@code NO_PROXY}, in small letters or capitals; {@code SSL_CERT_FILE} or {@code
 * REQUESTS_CA_BUNDLE} for the certificates to trust. Java's own {@code -Dhttps.proxyHost} goes before them.
 */
public final class Network {
    /** As Java does it by itself. */
    public static final Network DIRECT = new Network(Map.of());

    private static final String DISABLED_SCHEMES = "jdk.http.auth.tunneling.disabledSchemes";
    private static final Pattern CERTIFICATE =
            Pattern.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", Pattern.DOTALL);

    private final Map<String, String> environment;

    private Network(Map<String, String> environment) {
        this.environment = environment;
    }

    /** What an environment says; looked at closely when it is needed. */
    static Network of(Map<String, String> environment) {
        return new Network(Map.copyOf(environment));
    }

    /**
     * Begins a client. Where a variable has a proxy's password, the whole JVM may tell passwords to proxies of tunnels from
     * then on, unless it has been told otherwise: Java has no other way, and looks once, before the first use of {@code
     * java.net.http}.
     *
     * @throws TomeException if the certificates cannot be read
     */
    HttpClient.Builder newClient() {
        boolean hasPassword = Stream.of("http_proxy", "https_proxy", "all_proxy")
                .anyMatch(name -> variable(name).contains("@"));
        if (hasPassword && System.getProperty(DISABLED_SCHEMES) == null) {
            System.setProperty(DISABLED_SCHEMES, "");
        }
        HttpClient.Builder builder = HttpClient.newBuilder();
        if (Stream.of("http", "https", "all")
                        .anyMatch(scheme -> !variable(scheme + "_proxy").isEmpty())
                && System.getProperty("http.proxyHost") == null
                && System.getProperty("https.proxyHost") == null) {
            builder.proxy(new Selector());
        }
        for (String name : List.of("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")) {
            String file = environment.getOrDefault(name, "");
            if (!file.isEmpty()) {
                return builder.sslContext(trusting(name, Path.of(file)));
            }
        }
        return builder;
    }

    /** What a proxy wants to see, {@code Basic ...}; empty if there is no proxy for an address, or it asks for nothing. */
    String proxyAuthorization(URI target) {
        URI proxy = proxy(target);
        if (proxy == null || proxy.getUserInfo() == null) {
            return "";
        }
        return "Basic " + Base64.getEncoder().encodeToString(proxy.getUserInfo().getBytes(StandardCharsets.UTF_8));
    }

    /** What to tell whose proxy wants to know who is asking (status 407). */
    TomeException refusedByProxy(URI target) {
        URI proxy = proxy(target);
        if (proxy == null) {
            return new TomeException("A proxy on the way to " + target.getHost()
                    + " wants a user and a password (407). Set "
                    + target.getScheme().toUpperCase(Locale.ROOT) + "_PROXY to http://user:password@host:port.");
        }
        String address = address(proxy);
        return new TomeException(
                proxy.getUserInfo() == null
                        ? "The proxy " + address + " wants a user and a password (407): http://user:password@" + address
                                + "."
                        : "The proxy " + address + " does not accept the user and password of its variable (407). In an"
                                + " application that used java.net.http before tome4j, the JVM needs -D"
                                + DISABLED_SCHEMES + "=");
    }

    /** Which way an address is reached, as part of a sentence: {@code " through the proxy p:3128"}, or nothing. */
    String describe(URI target) {
        URI proxy = proxy(target);
        return proxy == null ? "" : " through the proxy " + address(proxy);
    }

    /** Without who we are to it. */
    private static String address(URI proxy) {
        return proxy.getHost() + (proxy.getPort() < 0 ? "" : ":" + proxy.getPort());
    }

    private final class Selector extends ProxySelector {
        @Override
        public List<Proxy> select(URI target) {
            URI proxy = proxy(target);
            if (proxy == null) {
                return List.of(Proxy.NO_PROXY);
            }
            int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
            return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port)));
        }

        @Override
        public void connectFailed(URI target, SocketAddress proxy, IOException failure) {
            // the request fails, too, and says so
        }
    }

    /** The proxy for an address, or null for none. */
    @org.jspecify.annotations.Nullable
    URI proxy(URI target) {
        String scheme = String.valueOf(target.getScheme()).toLowerCase(Locale.ROOT);
        String name = variable(scheme + "_proxy").isEmpty() ? "all_proxy" : scheme + "_proxy";
        String text = variable(name);
        if (text.isEmpty() || isExempt(target)) {
            return null;
        }
        try {
            URI proxy = URI.create(text.contains("://") ? text : "http://" + text);
            if ("http".equalsIgnoreCase(proxy.getScheme()) && proxy.getHost() != null) {
                return proxy;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new TomeException(name.toUpperCase(Locale.ROOT) // without what it says, which may be a password
                + " is not the address of an HTTP proxy, such as http://proxy:3128; other kinds are not supported.");
    }

    private boolean isExempt(URI target) {
        String host = String.valueOf(target.getHost()).toLowerCase(Locale.ROOT);
        int port = target.getPort() >= 0 ? target.getPort() : "https".equals(target.getScheme()) ? 443 : 80;
        for (String entry : variable("no_proxy").toLowerCase(Locale.ROOT).split(",", -1)) {
            String name = entry.strip().replaceFirst("^[a-z]+://", "");
            if (name.matches("[^:]*:\\d{1,5}")) {
                if (!name.endsWith(":" + port)) {
                    continue;
                }
                name = name.substring(0, name.indexOf(':'));
            }
            boolean matches = name.equals("*")
                    || host.equals(name)
                    || (!name.isEmpty() && host.endsWith(name.startsWith(".") ? name : "." + name));
            if (matches) {
                return true;
            }
        }
        return false;
    }

    private String variable(String name) {
        String small = environment.getOrDefault(name, "");
        return (small.isEmpty() ? environment.getOrDefault(name.toUpperCase(Locale.ROOT), "") : small).strip();
    }

    private static SSLContext trusting(String variable, Path file) {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            Matcher certificates = CERTIFICATE.matcher(JsonFile.text(file));
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (int number = 0; certificates.find(); number++) {
                var bytes = new ByteArrayInputStream(certificates.group().getBytes(StandardCharsets.US_ASCII));
                store.setCertificateEntry("certificate" + number, factory.generateCertificate(bytes));
            }
            if (store.size() == 0) {
                throw new TomeException(variable + " names " + file + ", which has no certificates in it (PEM).");
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new TomeException(
                    variable + " names " + file + ", whose certificates cannot be used: " + e.getMessage(), e);
        } catch (TomeException e) {
            throw new TomeException(variable + " is set: " + e.getMessage(), e);
        }
    }
}

package io.tome4j.cli.serve;

import io.tome4j.cli.options.Durations;
import io.tome4j.server.http.HttpSettings;
import io.tome4j.tensor.OptionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where to listen, and to whom. */
final class ListenOptions {
    private static final int HIGHEST_PORT = 65_535;
    private static final int SHORTEST_TOKEN = 8;
    private static final int MEGABYTE = 1 << 20;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description =
                    "Where to listen (default: 127.0.0.1, which this machine alone can reach); others need a token.")
    private String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "7860",
            description = "Default: 7860; 0 takes any that is free.")
    private int port = 7860;

    @Option(
            names = "--token",
            paramLabel = "SECRET",
            defaultValue = "${env:TOME_TOKEN:-}",
            description =
                    "What clients have to know: sent as a bearer token, or as the password of any user. Better said by"
                            + " the environment variable TOME_TOKEN, which other users of this machine cannot see.")
    private String token = "";

    @Option(
            names = "--allow-host",
            paramLabel = "NAME,...",
            split = ",",
            description = "Names that clients call this machine by, besides localhost.")
    private List<String> allowedHosts = new ArrayList<>();

    @Option(
            names = "--cors-allow-origins",
            paramLabel = "ORIGIN,...",
            split = ",",
            description = "Web pages that may use the server from a browser, such as https://lite.koboldai.net.")
    private List<String> allowedOrigins = new ArrayList<>();

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            defaultValue = "30s",
            description = "How long jobs may take that are not done when the server is to stop (default: 30s).")
    private String grace = "30s";

    @Option(
            names = "--max-body",
            paramLabel = "MB",
            defaultValue = "32",
            description = "Megabytes of a request, at most (default: 32).")
    private int maxBody = 32;

    /** @throws OptionException if a value cannot be */
    HttpSettings settings() {
        if (port < 0 || port > HIGHEST_PORT) {
            throw new OptionException("--port is " + port + ": it must be from 0 to " + HIGHEST_PORT);
        }
        if (maxBody < 1 || maxBody > 1024) {
            throw new OptionException("--max-body is " + maxBody + ": it must be from 1 to 1024 megabytes");
        }
        if (!token.isEmpty() && token.length() < SHORTEST_TOKEN) {
            throw new OptionException("--token is too short: give at least " + SHORTEST_TOKEN + " characters");
        }
        boolean loopback = HttpSettings.isLoopback(host);
        if (token.isEmpty() && !loopback) {
            throw new OptionException("--host " + OptionException.literal(host)
                    + " can be reached from other machines: give --token, or set TOME_TOKEN, so that not everybody can use"
                    + " the server");
        }
        for (String origin : allowedOrigins) {
            if (!origin.matches("https?://[^/\\s]+")) {
                throw new OptionException("--cors-allow-origins is '" + OptionException.literal(origin)
                        + "': an origin is https:// or http:// and a host, such as https://lite.koboldai.net");
            }
        }
        Duration patience = Durations.parse("--grace", grace, "");
        return HttpSettings.at(host, port)
                .token(token)
                .allowedHosts(allowedHosts)
                .allowedOrigins(allowedOrigins)
                .maxBody((long) maxBody * MEGABYTE)
                .grace(patience);
    }
}

package io.tome4j.server.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Optional;

/** What a client has to know, as a bearer's token or as the password of whatever user. */
final class Token {
    private final byte[] digest;

    Token(String secret) {
        this.digest = digest(secret);
    }

    /** Whether a header {@code Authorization} holds it. Takes the same time whatever is wrong with it. */
    boolean isIn(Optional<String> authorization) {
        return MessageDigest.isEqual(digest, digest(secretIn(authorization.orElse(""))));
    }

    private static String secretIn(String authorization) {
        int space = authorization.indexOf(' ');
        if (space < 0) {
            return "";
        }
        String scheme = authorization.substring(0, space);
        String rest = authorization.substring(space + 1).strip();
        if (scheme.equalsIgnoreCase("Bearer")) {
            return rest;
        }
        if (!scheme.equalsIgnoreCase("Basic")) {
            return "";
        }
        try {
            String pair = new String(Base64.getDecoder().decode(rest), StandardCharsets.UTF_8);
            return pair.substring(pair.indexOf(':') + 1);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every JVM has SHA-256", e);
        }
    }
}

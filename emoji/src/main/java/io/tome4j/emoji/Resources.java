package io.tome4j.emoji;

import io.tome4j.tensor.TomeException;
import java.net.URL;

/** Finds this module's resources. */
final class Resources {
    private static final String ROOT = "io/tome4j/emoji/";

    private Resources() {}

    /** A resource's path on the class path. */
    static String path(String name) {
        return ROOT + name;
    }

    /**
     * @param name below this package's folder
     * @throws TomeException if there is none of that name
     */
    static URL url(ClassLoader loader, String name) {
        URL url = loader.getResource(path(name));
        if (url == null) {
            throw missing(path(name));
        }
        return url;
    }

    static TomeException missing(String path) {
        return new TomeException("The resource " + path + " is not on the class path: this build of tome4j came without"
                + " it. Take tome4j-emoji from a complete build, or another model.");
    }
}

package io.tome4j.server.http;

/**
 * What answers a method at a path.
 *
 * @param method in capitals
 * @param path parts in braces stand for anything but a slash
 * @param open whether it is answered without the token
 */
public record Route(String method, String path, Handler handler, boolean open) {
    public static Route get(String path, Handler handler) {
        return new Route("GET", path, handler, false);
    }

    public static Route post(String path, Handler handler) {
        return new Route("POST", path, handler, false);
    }

    /** The same, answered without the token. */
    public Route open(boolean value) {
        return new Route(method, path, handler, value);
    }
}

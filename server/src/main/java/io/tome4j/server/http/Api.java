package io.tome4j.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/** Routes that say in one shape what is wrong. */
public interface Api {
    List<Route> routes();

    /** Whether errors at a path have this API's shape. */
    boolean owns(String path);

    /** What to answer instead; it may have another status than the error's. */
    ErrorAnswer answer(HttpError error);

    /** @param body JSON */
    record ErrorAnswer(int status, ObjectNode body) {}
}

package io.tome4j.server;

import io.tome4j.server.http.RequestLog;
import java.util.List;

/** Several logs as one. */
record RequestLogs(List<RequestLog> all) implements RequestLog {
    @Override
    public void answered(String method, String route, int status, long nanos, String client) {
        all.forEach(each -> each.answered(method, route, status, nanos, client));
    }

    @Override
    public void failed(String method, String route, Throwable failure) {
        all.forEach(each -> each.failed(method, route, failure));
    }
}

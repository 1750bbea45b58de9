package io.tome4j.server.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.server.Served;
import io.tome4j.tensor.TensorScope;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Many clients at once. {@code -Dtome4j.requests=1000} asks for so many images and watches the memory. */
class LoadTest {
    private static final int REQUESTS = Integer.getInteger("tome4j.requests", 100);
    private static final int CLIENTS = 10;

    @Test
    void everyAnswerIsAnImageOrToComeAgainLaterAndNoneIsLostOrMadeTwice() throws Exception {
        try (Served served = Served.start()) {
            AtomicInteger next = new AtomicInteger();
            ConcurrentLinkedQueue<Integer> statuses = new ConcurrentLinkedQueue<>();
            ConcurrentLinkedQueue<Long> memory = new ConcurrentLinkedQueue<>();
            long live = TensorScope.liveObjects();
            ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
            List<Future<Void>> all = IntStream.range(0, CLIENTS)
                    .mapToObj(client -> clients.submit(() -> {
                        for (int i = next.getAndIncrement(); i < REQUESTS; i = next.getAndIncrement()) {
                            HttpResponse<String> answer = served.post(
                                    "/sdapi/v1/txt2img", "{\"prompt\": \"x\", \"seed\": " + i + ", \"steps\": 1}");
                            statuses.add(answer.statusCode());
                            if (answer.statusCode() == 200) {
                                var info = Served.JSON.readTree(Served.JSON
                                        .readTree(answer.body())
                                        .get("info")
                                        .asText());
                                assertThat(info.get("seed").asInt()).isEqualTo(i);
                            } else {
                                assertThat(answer.headers().firstValue("Retry-After"))
                                        .isPresent();
                                Thread.sleep(100); // sooner than it was told to
                            }
                            if (i % 100 == 99) {
                                memory.add(resident());
                            }
                        }
                        return (Void) null;
                    }))
                    .toList();
            for (Future<Void> each : all) {
                each.get();
            }
            clients.shutdown();
            assertThat(statuses).hasSize(REQUESTS).allMatch(status -> status == 200 || status == 429);
            long made = statuses.stream().filter(status -> status == 200).count();
            assertThat(made).isGreaterThan(REQUESTS / 4);
            assertThat(served.get("/metrics").body()).contains("tome4j_images_total " + (double) made);
            assertThat(served.server().queue().length()).isZero();
            if (REQUESTS > 100) {
                System.out.println("made " + made + ", resident MB after each 100: " + memory);
            }
            served.close();
            assertThat(TensorScope.liveObjects()).isLessThanOrEqualTo(live);
        }
    }

    /** Megabytes of this process, Java's garbage left out. */
    private static long resident() throws java.io.IOException {
        System.gc();
        return java.nio.file.Files.readAllLines(java.nio.file.Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                .findFirst()
                .orElse(0);
    }
}

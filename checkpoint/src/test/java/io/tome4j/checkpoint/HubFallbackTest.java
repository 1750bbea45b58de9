package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the cache stands in for the hub, and what a download that goes wrong leaves behind. */
class HubFallbackTest {
    private static final String UNET = "unet/diffusion_pytorch_model.safetensors";
    private static final String NEWER = "89abcdef0123456789abcdef0123456789abcdef";

    @TempDir
    Path cache;

    private FakeHub hub;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void commitThatIsCompleteNeedsNoNetwork() {
        fetch("main");
        hub.seen.clear();
        assertThat(fetch(FakeHub.COMMIT).path()).endsWithRaw(Path.of(FakeHub.COMMIT));
        assertThat(hub.seen).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "model_index.json",
                "scheduler/scheduler_config.json",
                "tokenizer/merges.txt",
                "vae/config.json",
                UNET
            })
    void commitThatIsIncompleteIsCompleted(String lost) throws IOException {
        Path folder = fetch(FakeHub.COMMIT).path();
        Files.delete(folder.resolve(lost));
        assertThat(fetch(FakeHub.COMMIT).path().resolve(lost)).hasBinaryContent(hub.files.get(lost));
    }

    @Test
    void unreachableHubIsWarnedOfWhereTheCacheDoes() {
        Path folder = fetch("main").path();
        assertThat(warnings).isEmpty();
        HubSettings settings = hub.settings(cache, "");
        hub.close();
        assertThat(fetch("main", settings).path()).isEqualTo(folder);
        assertThat(warnings).singleElement().asString().contains("cannot be reached", "the cache", folder.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503})
    void busyHubIsWarnedOfWhereTheCacheDoes(int status) {
        Path folder = fetch("main").path();
        hub.status = status;
        hub.refusals.set(1000);
        assertThat(fetch("main").path()).isEqualTo(folder);
        assertThat(warnings).singleElement().asString().contains(String.valueOf(status), folder.toString());
    }

    @Test
    void offlineWithASmallFileMissingIsAnError() throws IOException {
        Files.delete(fetch("main").path().resolve("tokenizer/merges.txt"));
        HubSettings offline = hub.settings(cache, "").offline(true);
        assertThatThrownBy(() -> fetch("main", offline))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("in the cache will not do: The file merges.txt is missing");
    }

    @Test
    void downloadThatBreaksOffLeavesTheModelBeforeItUsable() {
        Path before = fetch("main").path();
        hub.commit = NEWER;
        hub.files.put(UNET, FakeHub.safetensors(77));
        hub.cuts.set(1000);
        hub.cutAfter = 0;
        assertThatThrownBy(() -> fetch("main")).isInstanceOf(TomeException.class);
        assertThat(fetch("main", hub.settings(cache, "").offline(true)).path()).isEqualTo(before);
        hub.cuts.set(0);
        Path after = fetch("main").path();
        assertThat(after).endsWithRaw(Path.of(NEWER));
        assertThat(after.resolve(UNET)).hasBinaryContent(hub.files.get(UNET));
        assertThat(before.resolve(UNET)).hasBinaryContent(FakeHub.safetensors('u'));
    }

    @Test
    void beginningThatWasNotOfThisFileIsFetchedAnew() throws IOException {
        byte[] wrong = new byte[12_345];
        Arrays.fill(wrong, (byte) 42);
        Path blobs = Files.createDirectories(cache.resolve("models--org--tiny/blobs"));
        Files.write(blobs.resolve(FakeHub.sha("SHA-256", hub.files.get(UNET)) + ".incomplete"), wrong);
        assertThat(fetch("main").path().resolve(UNET)).hasBinaryContent(hub.files.get(UNET));
    }

    @Test
    void damagedContentIsFetchedTwiceAndNotMore() {
        hub.forged = FakeHub.safetensors(1);
        assertThatThrownBy(() -> fetch("main")).hasMessageContaining("arrived damaged, twice");
        assertThat(hub.seen)
                .filteredOn(seen -> seen.server().equals("cdn") && seen.method().equals("GET"))
                .hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"scheduler/scheduler_config.json", "vae/config.json", "tokenizer/merges.txt"})
    void modelWithoutASmallFileIsRefusedBeforeTheDownload(String missing) {
        hub.files.remove(missing);
        assertThatThrownBy(() -> fetch("main"))
                .isInstanceOf(TomeException.class)
                .hasMessage("The model org/tiny (revision main) on the hub is incomplete: it has no " + missing + ".");
        assertThat(hub.seen).noneMatch(seen -> seen.server().equals("cdn"));
    }

    @Test
    void tokenizerInOneFileWillDo() {
        hub.files.remove("tokenizer/vocab.json");
        hub.files.remove("tokenizer/merges.txt");
        hub.put("tokenizer/tokenizer.json", "{}");
        fetch("main");
        assertThat(fetch("main", hub.settings(cache, "").offline(true)).path().resolve("tokenizer/tokenizer.json"))
                .hasContent("{}");
    }

    @Test
    void shardThatTheHubDoesNotHaveIsNamed() {
        hub.files.remove(UNET);
        hub.put(UNET + ".index.json", "{\"weight_map\":{\"x\":\"lost.safetensors\"}}");
        assertThatThrownBy(() -> fetch("main"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("has not the file unet/lost.safetensors on the hub (404)");
    }

    @Test
    void whoeverComesSecondWaitsAndFetchesNothing() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            Callable<Path> task = () -> fetch("main").path();
            for (Future<Path> result : threads.invokeAll(List.of(task, task, task))) {
                assertThat(result.get().resolve(UNET)).hasBinaryContent(hub.files.get(UNET));
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(hub.seen)
                .filteredOn(seen -> seen.server().equals("cdn") && seen.path().endsWith(UNET))
                .filteredOn(seen -> seen.method().equals("GET"))
                .hasSize(1);
    }

    @Test
    void renamedModelIsFollowedWithTheToken() {
        HubSettings settings = hub.settings(cache, "secret");
        CheckpointFolder folder = CheckpointSource.resolve(
                FakeHub.FORMER_ID, FakeHub.KINDS, FetchOptions.DEFAULT, settings, DownloadListener.SILENT);
        assertThat(folder.path().resolve(UNET)).hasBinaryContent(hub.files.get(UNET));
        assertThat(folder.path()).startsWithRaw(cache.resolve("models--org--former"));
        assertThat(hub.seen).allSatisfy(seen -> assertThat(seen.authorization())
                .isEqualTo(seen.server().equals("hub") ? "Bearer secret" : "null"));
    }

    @Test
    void pauseThatTheHubAsksForIsKept() {
        hub.status = 429;
        hub.retryAfter = "1";
        hub.refusals.set(1);
        long start = System.nanoTime();
        fetch("main");
        assertThat(System.nanoTime() - start).isGreaterThan(1_000_000_000L);
    }

    @Test
    void pauseThatIsTooLongIsSaidRatherThanKept() {
        hub.status = 429;
        hub.retryAfter = "3600";
        hub.refusals.set(1000);
        assertThatThrownBy(() -> fetch("main"))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("too many requests");
        assertThat(hub.seen).hasSize(1);
    }

    private CheckpointFolder fetch(String revision) {
        return fetch(revision, hub.settings(cache, ""));
    }

    private CheckpointFolder fetch(String revision, HubSettings settings) {
        var listener = new DownloadListener() {
            @Override
            public void progress(String file, long done, long total) {}

            @Override
            public void warning(String message) {
                warnings.add(message);
            }
        };
        return CheckpointSource.resolve(
                FakeHub.ID + "@" + revision, FakeHub.KINDS, FetchOptions.DEFAULT, settings, listener);
    }
}

package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubTest {
    private static final String UNET = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    Path cache;

    private FakeHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void onlyTheFilesThatAreNeededAreFetched() {
        Path folder = fetch(FetchOptions.DEFAULT).path();
        assertThat(filesIn(folder))
                .containsExactly(
                        "model_index.json",
                        "scheduler/scheduler_config.json",
                        "text_encoder/config.json",
                        "text_encoder/model.safetensors",
                        "tokenizer/merges.txt",
                        "tokenizer/vocab.json",
                        "unet/config.json",
                        UNET,
                        "vae/config.json",
                        "vae/diffusion_pytorch_model.safetensors");
    }

    @Test
    void variantIsFetchedInsteadOfTheRest() {
        CheckpointFolder folder = fetch(FetchOptions.DEFAULT.variant("fp16"));
        assertThat(filesIn(folder.path()))
                .contains("unet/diffusion_pytorch_model.fp16.safetensors")
                .doesNotContain(UNET);
        assertThat(folder.component("unet").weights().origin("x")).endsWith("fp16.safetensors");
    }

    @Test
    void plainWeightsAreFetchedWhereAComponentHasNoneOfTheVariant() {
        hub.files.remove("vae/diffusion_pytorch_model.fp16.safetensors");
        CheckpointFolder folder = fetch(FetchOptions.DEFAULT.variant("fp16"));
        assertThat(filesIn(folder.path()))
                .contains(
                        "unet/diffusion_pytorch_model.fp16.safetensors",
                        "text_encoder/model.fp16.safetensors",
                        "vae/diffusion_pytorch_model.safetensors")
                .doesNotContain(UNET);
        assertThat(folder.component("vae").weights().origin("x")).endsWith("model.safetensors");
        assertThat(folder.component("unet").weights().origin("x")).endsWith("fp16.safetensors");
    }

    @Test
    void whatTheConfigsSayIsCheckedBeforeWeightsAreFetched() {
        CheckpointKind kind = FakeHub.KINDS.get(0);
        CheckpointKind checked = new CheckpointKind(
                kind.name(),
                kind.pipelines(),
                kind.parts(),
                kind.configs(),
                kind.tokenizers(),
                kind.weights(),
                folder -> {
                    assertThat(folder.resolve("unet/config.json")).exists();
                    throw new TomeException("will not do");
                });
        assertThatThrownBy(() -> CheckpointSource.resolve(
                        FakeHub.ID,
                        List.of(checked),
                        FetchOptions.DEFAULT,
                        hub.settings(cache, ""),
                        DownloadListener.SILENT))
                .isInstanceOf(TomeException.class)
                .hasMessage("will not do");
        assertThat(hub.seen).noneMatch(seen -> seen.server().equals("cdn"));
    }

    @Test
    void cacheIsLaidOutAsPythonsIs() throws IOException {
        fetch(FetchOptions.DEFAULT);
        Path repo = cache.resolve("models--org--tiny");
        Path weights = repo.resolve("snapshots").resolve(FakeHub.COMMIT).resolve(UNET);
        String sha = FakeHub.sha("SHA-256", hub.files.get(UNET));
        assertThat(Files.readString(repo.resolve("refs/main"))).isEqualTo(FakeHub.COMMIT);
        assertThat(Files.readSymbolicLink(weights)).isEqualTo(Path.of("../../../blobs", sha));
        assertThat(Files.readSymbolicLink(repo.resolve("snapshots/" + FakeHub.COMMIT + "/model_index.json")))
                .isEqualTo(Path.of("../../blobs", FakeHub.gitSha(hub.files.get("model_index.json"))));
        assertThat(weights).hasBinaryContent(hub.files.get(UNET));
        assertThat(filesIn(repo.resolve("blobs"))).noneMatch(name -> name.endsWith(".incomplete"));
    }

    @Test
    void whatIsThereIsNotFetchedAgain() {
        fetch(FetchOptions.DEFAULT);
        hub.seen.clear();
        fetch(FetchOptions.DEFAULT);
        assertThat(hub.seen).hasSize(1); // what the revision is now
    }

    @Test
    void blobThatPythonLeftIsLinkedNotFetched() throws IOException {
        Path blobs = Files.createDirectories(cache.resolve("models--org--tiny/blobs"));
        Files.write(blobs.resolve(FakeHub.sha("SHA-256", hub.files.get(UNET))), hub.files.get(UNET));
        Path folder = fetch(FetchOptions.DEFAULT.variant("")).path();
        assertThat(folder.resolve(UNET)).hasBinaryContent(hub.files.get(UNET));
        assertThat(hub.count("GET", UNET)).isZero();
    }

    @Test
    void whereLinksCannotBeMadeTheFileIsCopied() throws IOException {
        Path blob = Files.writeString(cache.resolve("blob"), "content");
        HubCache.copy(blob, cache.resolve("file"));
        assertThat(cache.resolve("file")).isRegularFile().hasContent("content");
    }

    @Test
    void tokenGoesToTheHubAndToNoOneElse() {
        fetch(FetchOptions.DEFAULT, hub.settings(cache, "secret"));
        assertThat(hub.seen).anyMatch(seen -> seen.server().equals("cdn"));
        assertThat(hub.seen).allSatisfy(seen -> assertThat(seen.authorization())
                .isEqualTo(seen.server().equals("hub") ? "Bearer secret" : "null"));
    }

    @Test
    void cutConnectionIsContinuedWhereItBroke() {
        hub.cuts.set(3);
        hub.cutAfter = 70_000;
        Path folder = fetch(FetchOptions.DEFAULT).path();
        assertThat(folder.resolve("text_encoder/model.safetensors"))
                .hasBinaryContent(hub.files.get("text_encoder/model.safetensors"));
        assertThat(hub.seen)
                .anyMatch(seen -> seen.server().equals("cdn") && seen.range().startsWith("bytes="));
    }

    @Test
    void serverWithoutRangesIsReadFromTheStart() {
        hub.cuts.set(1);
        hub.cutAfter = 70_000;
        hub.knowsRanges = false;
        assertThat(fetch(FetchOptions.DEFAULT).path().resolve("text_encoder/model.safetensors"))
                .hasBinaryContent(hub.files.get("text_encoder/model.safetensors"));
    }

    @Test
    void brokenOffDownloadIsContinuedByTheNextProcess() throws IOException {
        byte[] content = hub.files.get(UNET);
        Path blobs = Files.createDirectories(cache.resolve("models--org--tiny/blobs"));
        Files.write(
                blobs.resolve(FakeHub.sha("SHA-256", content) + ".incomplete"),
                java.util.Arrays.copyOf(content, 12_345));
        Path folder = fetch(FetchOptions.DEFAULT).path();
        assertThat(folder.resolve(UNET)).hasBinaryContent(content);
        assertThat(hub.seen).anyMatch(seen -> seen.range().equals("bytes=12345-"));
    }

    @Test
    void connectionThatIsAlwaysCutIsGivenUp() {
        hub.cuts.set(1000);
        hub.cutAfter = 0;
        refused()
                .hasMessageContaining("The model org/tiny could not be brought into " + cache)
                .hasMessageContaining("try again to continue");
        assertThat(hub.cuts).hasValue(995);
    }

    @Test
    void wrongHashIsAnErrorAndTheFileIsDeleted() {
        hub.forged = FakeHub.safetensors(1);
        hub.forged[100_000] = 99;
        refused()
                .hasMessageContaining("The file text_encoder/model.safetensors of org/tiny arrived damaged")
                .hasMessageContaining("its hash is");
        assertThat(filesIn(cache.resolve("models--org--tiny/blobs"))).noneMatch(name -> name.endsWith(".incomplete"));
        hub.forged = new byte[0];
        fetch(FetchOptions.DEFAULT);
    }

    @ParameterizedTest
    @CsvSource({
        "401, RepoNotFound, does not exist (is the id right?)",
        "401, GatedRepo, 'is gated (401): accept its licence at http://localhost'",
        "403, GatedRepo, is gated (403)",
        "404, RepoNotFound, There is no model org/tiny on the hub (404)",
        "404, RevisionNotFound, has not the revision 'main' on the hub (404)",
        "429, '', too many requests",
        "503, '', The hub is in trouble (status 503)",
        "418, '', The hub answered with status 418",
    })
    void refusalIsExplained(int status, String code, String message) {
        hub.status = status;
        hub.errorCode = code;
        hub.refusals.set(1000);
        refused().hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 500, 503})
    void passingTroubleIsWaitedOut(int status) {
        hub.status = status;
        hub.refusals.set(3);
        fetch(FetchOptions.DEFAULT);
    }

    @Test
    void unknownRevisionIsNamed() {
        assertThatThrownBy(() -> fetch(FetchOptions.DEFAULT.revision("v9")))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("has not the revision 'v9' on the hub (404)");
    }

    @Test
    void revisionMayBeACommit() {
        fetch(FetchOptions.DEFAULT.revision(FakeHub.COMMIT));
        assertThat(cache.resolve("models--org--tiny/refs")).doesNotExist();
    }

    @Test
    void offlineTheCacheIsUsed() {
        fetch(FetchOptions.DEFAULT);
        hub.seen.clear();
        CheckpointFolder folder =
                fetch(FetchOptions.DEFAULT, hub.settings(cache, "").offline(true));
        assertThat(folder.path()).endsWithRaw(Path.of("snapshots", FakeHub.COMMIT));
        assertThat(hub.seen).isEmpty();
    }

    @Test
    void offlineWithoutTheModelIsAnError() {
        assertThatThrownBy(() ->
                        fetch(FetchOptions.DEFAULT, hub.settings(cache, "").offline(true)))
                .isInstanceOf(TomeException.class)
                .hasMessage(
                        "The hub is not asked, because HF_HUB_OFFLINE is set, and the model org/tiny (revision main)"
                                + " is not in the cache " + cache + ".");
    }

    @Test
    void offlineWithoutTheVariantIsAnError() {
        fetch(FetchOptions.DEFAULT);
        assertThatThrownBy(() -> fetch(
                        FetchOptions.DEFAULT.variant("fp16"),
                        hub.settings(cache, "").offline(true)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("HF_HUB_OFFLINE is set, and the model org/tiny in the cache will not do")
                .hasMessageContaining("no weights of the variant 'fp16'");
    }

    @Test
    void unreachableHubIsReplacedByTheCacheIfItCan() {
        HubSettings settings = hub.settings(cache, "");
        fetch(FetchOptions.DEFAULT, settings);
        hub.close();
        fetch(FetchOptions.DEFAULT, settings);
        HubSettings empty = hub.settings(cache.resolve("empty"), "");
        assertThatThrownBy(() -> fetch(FetchOptions.DEFAULT, empty))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("The server localhost:")
                .hasMessageContaining("cannot be reached")
                .hasMessageContaining("is not in the cache");
    }

    @Test
    void fullDiskIsNoticedBeforeTheDownload() {
        Hub full = new Hub(hub.settings(cache, ""), DownloadListener.SILENT, folder -> 500_000);
        assertThatThrownBy(() -> full.fetch(FakeHub.ID, FetchOptions.DEFAULT, WantedModel.pipeline(FakeHub.KINDS)))
                .isInstanceOf(TomeException.class)
                .hasMessage("There is not enough room on the disk for org/tiny: 0.6 MB are needed in " + cache
                        + ", 0.5 MB are free. Make room, or set HF_HOME to a folder on another disk.");
        assertThat(hub.seen).noneMatch(seen -> seen.server().equals("cdn"));
    }

    @Test
    void shardsOfTheIndexAreFetched() throws IOException {
        hub.files.remove(UNET);
        String shard = "diffusion_pytorch_model-00001-of-00001.safetensors";
        hub.files.put("unet/" + shard, FakeHub.safetensors(3));
        hub.put(UNET + ".index.json", "{\"weight_map\":{\"x\":\"" + shard + "\"}}");
        CheckpointFolder folder = fetch(FetchOptions.DEFAULT);
        assertThat(folder.component("unet").weights().origin("x")).endsWith(shard);
    }

    @Test
    void modelWithoutSafetensorsIsRefusedBeforeTheDownload() {
        hub.files.keySet().removeIf(file -> file.startsWith("unet/") && file.endsWith(".safetensors"));
        refused().hasMessageContaining("only pickle files in the folder unet of org/tiny (revision main) (model.bin)");
        assertThat(hub.seen).noneMatch(seen -> seen.server().equals("cdn"));
    }

    @Test
    void unsupportedPipelineIsRefusedBeforeTheDownload() {
        hub.put("model_index.json", "{\"_class_name\":\"StableDiffusionXLPipeline\"}");
        refused().hasMessageContaining("org/tiny (revision main) is a StableDiffusionXLPipeline");
        assertThat(hub.seen).noneMatch(seen -> seen.server().equals("cdn"));
    }

    @Test
    void modelThatIsNoCheckpointIsRefused() {
        hub.files.remove("model_index.json");
        refused().hasMessageContaining("is not a diffusers checkpoint: it has no model_index.json");
    }

    @Test
    void namesFromTheServerCannotLeaveTheCache() {
        hub.put("unet/../../evil.txt", "x"); // never asked for
        fetch(FetchOptions.DEFAULT);
        assertThat(filesIn(cache)).noneMatch(name -> name.contains("evil"));
        assertThatThrownBy(() -> new HubCache(cache).file("org/tiny", FakeHub.COMMIT, "unet/../../../x"))
                .hasMessageContaining("'unet/../../../x' is refused");
        assertThatThrownBy(() -> new HubCache(cache).file("org/tiny", FakeHub.COMMIT, "C:\\x"))
                .hasMessageContaining("is refused");
        assertThatThrownBy(() -> fetch(
                        FetchOptions.DEFAULT.revision("../../x"),
                        hub.settings(cache, "").offline(true)))
                .hasMessageContaining("'../../x' is refused");
    }

    @Test
    void etagThatIsNoFileNameIsRefused() {
        hub.etagOverride = "../../../evil";
        refused().hasMessageContaining("the ETag '../../../evil', which is no file name");
    }

    @Test
    void commitThatIsNoneIsRefused() {
        hub.commit = "../../evil";
        refused().hasMessageContaining("The hub gave '../../evil' as the commit of org/tiny, which is none");
    }

    @Test
    void progressRunsFromNothingToAllOfEachFile() {
        List<String> ends = new ArrayList<>();
        new Hub(hub.settings(cache, ""), (file, done, total) -> {
                    if (done == total) {
                        ends.add(file);
                    }
                })
                .fetch(FakeHub.ID, FetchOptions.DEFAULT, WantedModel.pipeline(FakeHub.KINDS));
        assertThat(ends).contains("model_index.json", "tokenizer/vocab.json", UNET);
    }

    @Test
    void cachedModelsAreListed() {
        Path folder = fetch(FetchOptions.DEFAULT).path();
        var models = new HubCache(cache).models();
        assertThat(models).hasSize(1);
        assertThat(models.get(0).id()).isEqualTo("org/tiny");
        assertThat(models.get(0).revision()).isEqualTo("main");
        assertThat(models.get(0).bytes()).isBetween(600_000L, 601_000L);
        assertThat(models.get(0).folder()).isEqualTo(folder);
        assertThat(new HubCache(cache.resolve("nowhere")).models()).isEmpty();
    }

    private CheckpointFolder fetch(FetchOptions options) {
        return fetch(options, hub.settings(cache, ""));
    }

    private static CheckpointFolder fetch(FetchOptions options, HubSettings settings) {
        return CheckpointSource.resolve(FakeHub.ID, FakeHub.KINDS, options, settings, DownloadListener.SILENT);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused() {
        return assertThatThrownBy(() -> fetch(FetchOptions.DEFAULT)).isInstanceOf(TomeException.class);
    }

    private static Set<String> filesIn(Path folder) {
        try (var files = Files.walk(folder)) {
            Set<String> names = new TreeSet<>();
            files.filter(Files::isRegularFile)
                    .forEach(file -> names.add(folder.relativize(file).toString()));
            return names;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

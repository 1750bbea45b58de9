package io.tome4j.evaluation.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.PngFiles;
import io.tome4j.evaluation.Differences;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * A folder of images that were all made with the same settings: they are written in {@code evaluation.json}. Beside each
 * image's PNG a JSON file says what it was made from and what it took; its merge map is in {@code maps}. The PNG is
 * written last: an image is finished when it is there.
 */
public final class ResultFolder implements ResultStore {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PNG = ".png";

    private final Path folder;

    private ResultFolder(Path folder) {
        this.folder = folder;
    }

    /**
     * Opens a folder that is new, empty, or holds images made with the same settings.
     *
     * @param settings all that the images depend on but what their {@linkplain ResultKey#identity keys} tell, by name
     * @throws TomeException if it is another folder, and if it cannot be read or written
     */
    public static ResultFolder open(Path folder, Map<String, String> settings) {
        FolderSettings.claim(folder, settings);
        return new ResultFolder(folder);
    }

    @Override
    public boolean has(ResultKey key) {
        return Files.exists(image(key)) && Files.exists(facts(key));
    }

    /** @throws TomeException if the image has another size or identity */
    @Override
    public Optional<Kept> find(ResultKey key) {
        if (!has(key)) {
            return Optional.empty();
        }
        Optional<BufferedImage> image = read(image(key));
        Optional<JsonNode> facts = readFacts(facts(key));
        if (image.isEmpty() || facts.isEmpty()) {
            return Optional.empty(); // a damaged image is made anew
        }
        requireSame(key, image.get(), facts.get());
        return Optional.of(new Kept(image.get(), times(facts.get()), map(key, facts.get())));
    }

    private void requireSame(ResultKey key, BufferedImage image, JsonNode facts) {
        Map<String, String> there = new LinkedHashMap<>();
        key.identity().keySet().stream()
                .filter(facts::has)
                .forEach(name -> there.put(name, facts.get(name).asText()));
        List<String> differences = new ArrayList<>(Differences.between(there, key.identity()));
        if (image.getWidth() != key.width() || image.getHeight() != key.height()) {
            differences.add("it has " + image.getWidth() + " x " + image.getHeight() + " pixels and should have "
                    + key.width() + " x " + key.height());
        }
        if (!differences.isEmpty()) {
            throw new TomeException("The image " + image(key) + " is none of this evaluation ("
                    + String.join("; ", differences) + "): delete it to have it made anew, or choose another folder.");
        }
    }

    private static Times times(JsonNode facts) {
        List<Double> steps = new ArrayList<>();
        facts.required("steps").forEach(step -> steps.add(step.asDouble()));
        return new Times(
                facts.required("text_encoding").asDouble(),
                steps,
                facts.required("decoding").asDouble());
    }

    private Optional<KeptMap> map(ResultKey key, JsonNode facts) {
        JsonNode map = facts.path("map");
        return map.isMissingNode()
                ? Optional.empty()
                : read(mapFile(key))
                        .map(image -> new KeptMap(
                                image,
                                map.path("block").asText(),
                                map.path("step").asInt(),
                                map.path("tokens").asInt(),
                                map.path("groups").asInt()));
    }

    @Override
    public Kept keep(ResultKey key, Made made) {
        Kept kept = Kept.of(made);
        ObjectNode facts = MAPPER.createObjectNode();
        key.identity().forEach(facts::put);
        facts.put("text_encoding", kept.times().textEncoding());
        facts.set("steps", MAPPER.valueToTree(kept.times().steps()));
        facts.put("decoding", kept.times().decoding());
        kept.map().ifPresent(drawn -> facts.putObject("map")
                .put("block", drawn.block())
                .put("step", drawn.step())
                .put("tokens", drawn.tokens())
                .put("groups", drawn.groups()));
        try {
            Files.createDirectories(image(key).toAbsolutePath().getParent());
            if (kept.map().isPresent()) {
                Files.createDirectories(mapFile(key).toAbsolutePath().getParent());
                PngFiles.write(kept.map().get().image(), mapFile(key));
            }
            WholeFile.write("image's settings", facts(key), facts.toString().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new TomeException("The file " + facts(key) + " cannot be written: " + WholeFile.reason(e) + ".", e);
        }
        made.result().image().save(image(key)); // has the parameters in it, which the image alone has not
        return kept;
    }

    private static Optional<BufferedImage> read(Path file) {
        try {
            return Optional.ofNullable(ImageIO.read(file.toFile()));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private static Optional<JsonNode> readFacts(Path file) {
        try {
            JsonNode facts = MAPPER.readTree(Files.readAllBytes(file));
            times(facts);
            return Optional.of(facts);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private Path image(ResultKey key) {
        return folder.resolve(key.file() + PNG);
    }

    private Path facts(ResultKey key) {
        return folder.resolve(key.file() + ".json");
    }

    private Path mapFile(ResultKey key) {
        return folder.resolve("maps").resolve(Path.of(key.file()).getFileName() + PNG);
    }
}

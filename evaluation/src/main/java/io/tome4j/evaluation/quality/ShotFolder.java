package io.tome4j.evaluation.quality;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tome4j.checkpoint.WholeFile;
import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.PngFiles;
import io.tome4j.evaluation.retrieval.ImageFolder;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.imageio.ImageIO;

/**
 * A folder of images that were all made with the same settings but for merging. Each image is a PNG in
 * {@code images}; what it was made from and what it took is in a JSON file beside it, its merge map in {@code maps}. The
 * PNG is written last: a image is finished when it is there.
 */
public final class ShotFolder implements ShotStore {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Path images;
    private final Path maps;

    private ShotFolder(Path folder) {
        this.images = folder.resolve("images");
        this.maps = folder.resolve("maps");
    }

    /**
     * Opens a folder that is new, empty, or holds images made with the same settings.
     *
     * @param settings all that the images depend on but their prompts and how they are merged, by name
     * @throws TomeException if it is another folder, and if it cannot be read or written
     */
    public static ShotFolder open(Path folder, Map<String, String> settings) {
        ImageFolder.claim(folder, settings);
        ShotFolder images = new ShotFolder(folder);
        try {
            Files.createDirectories(images.images.toAbsolutePath());
            Files.createDirectories(images.maps.toAbsolutePath());
        } catch (IOException e) {
            throw new TomeException("The folder " + folder + " cannot be used for images: " + e + ".", e);
        }
        return images;
    }

    @Override
    public boolean has(Shot shot) {
        return Files.exists(image(shot)) && Files.exists(facts(shot));
    }

    /**
     * @throws TomeException if the image has another size, or was made from another prompt, seed or setting of merging
     */
    @Override
    public Optional<Kept> find(Shot shot) {
        if (!has(shot)) {
            return Optional.empty();
        }
        Optional<BufferedImage> image = read(image(shot));
        Optional<JsonNode> facts = readFacts(facts(shot));
        if (image.isEmpty() || facts.isEmpty()) {
            return Optional.empty(); // a damaged image is made anew
        }
        requireSame(shot, image.get(), facts.get());
        return Optional.of(new Kept(image.get(), times(facts.get()), map(shot, facts.get())));
    }

    private void requireSame(Shot shot, BufferedImage image, JsonNode facts) {
        ObjectNode wanted = identity(shot);
        List<String> differences = new ArrayList<>();
        wanted.fieldNames().forEachRemaining(name -> {
            String there = facts.path(name).asText();
            String now = wanted.path(name).asText();
            if (!there.equals(now)) {
                differences.add(name + " was " + there + " and is now " + now);
            }
        });
        int width = shot.request().width();
        int height = shot.request().height();
        if (image.getWidth() != width || image.getHeight() != height) {
            differences.add("it has " + image.getWidth() + " x " + image.getHeight() + " pixels and should have "
                    + width + " x " + height);
        }
        if (!differences.isEmpty()) {
            throw new TomeException("The image " + image(shot) + " is none of this evaluation ("
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

    private Optional<KeptMap> map(Shot shot, JsonNode facts) {
        JsonNode map = facts.path("map");
        return map.isMissingNode()
                ? Optional.empty()
                : read(mapFile(shot))
                        .map(image -> new KeptMap(
                                image,
                                map.path("block").asText(),
                                map.path("step").asInt(),
                                map.path("tokens").asInt(),
                                map.path("groups").asInt()));
    }

    @Override
    public Kept keep(Shot shot, Image image, Times times, Optional<KeptMap> map) {
        ObjectNode facts = identity(shot);
        facts.put("text_encoding", times.textEncoding());
        facts.set("steps", MAPPER.valueToTree(times.steps()));
        facts.put("decoding", times.decoding());
        map.ifPresent(drawn -> {
            PngFiles.write(drawn.image(), mapFile(shot));
            facts.putObject("map")
                    .put("block", drawn.block())
                    .put("step", drawn.step())
                    .put("tokens", drawn.tokens())
                    .put("groups", drawn.groups());
        });
        WholeFile.write("image's settings", facts(shot), facts.toString().getBytes(StandardCharsets.UTF_8));
        image.save(image(shot));
        return new Kept(image.toBufferedImage(), times, map);
    }

    private static ObjectNode identity(Shot shot) {
        ObjectNode facts = MAPPER.createObjectNode();
        facts.put("prompt", shot.prompt().text());
        facts.put("seed", String.valueOf(shot.request().seed()));
        facts.put("merging", shot.setting().merging().map(Object::toString).orElse("off"));
        return facts;
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

    /** Where a image lies, or will. */
    public Path image(Shot shot) {
        return images.resolve(shot.file() + ".png");
    }

    private Path facts(Shot shot) {
        return images.resolve(shot.file() + ".json");
    }

    private Path mapFile(Shot shot) {
        return maps.resolve(shot.file() + ".png");
    }
}

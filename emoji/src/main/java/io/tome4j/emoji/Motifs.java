package io.tome4j.emoji;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** All motifs that the embedded model was trained on: their names, what to ask for, and how they look. */
public final class Motifs {
    /** Width and height of a thumbnail in pixels. */
    public static final int THUMBNAIL = 64;

    /**
     * @param id its name in the icon set, unique, of lower-case letters, digits and dashes
     * @param name in words: {@code red apple}
     * @param prompt with an article: {@code a red apple}
     */
    public record Motif(String id, String name, String prompt) {}

    private final List<Motif> all;
    private final BufferedImage atlas;

    private Motifs(List<Motif> all, BufferedImage atlas) {
        this.all = all;
        this.atlas = atlas;
    }

    /**
     * Reads them.
     *
     * @throws TomeException if the resources are missing or damaged
     */
    public static Motifs load() {
        List<Motif> all = list();
        try (InputStream image = resource("motifs.png")) {
            BufferedImage atlas = ImageIO.read(new MemoryCacheImageInputStream(image)); // no file in between
            if (atlas == null || (atlas.getWidth() / THUMBNAIL) * (atlas.getHeight() / THUMBNAIL) < all.size()) {
                throw new TomeException("The resource motifs.png has no image of each of the " + all.size()
                        + " motifs: make it anew with emoji/training/motifs.py.");
            }
            return new Motifs(all, atlas);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /**
     * All of them, ordered by id, without how they look, which takes longer to read.
     *
     * @throws TomeException if the resource is missing or damaged
     */
    public static List<Motif> list() {
        try (InputStream list = resource("motifs.json")) {
            List<Motif> all = new ArrayList<>();
            for (JsonNode motif : new ObjectMapper().readTree(list)) {
                all.add(new Motif(
                        motif.path("id").asText(),
                        motif.path("name").asText(),
                        motif.path("prompt").asText()));
            }
            return List.copyOf(all);
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private static InputStream resource(String name) throws IOException {
        return Resources.url(Motifs.class.getClassLoader(), name).openStream();
    }

    private static TomeException unreadable(IOException e) {
        return new TomeException("The resources of the motifs cannot be read: " + e.getMessage(), e);
    }

    /** All of them, ordered by id. */
    public List<Motif> all() {
        return all;
    }

    /**
     * How a motif looks on white, {@value #THUMBNAIL} x {@value #THUMBNAIL} pixels, averaged from its image at
     * 512 x 512.
     *
     * @param index its place in {@link #all()}
     */
    public BufferedImage thumbnail(int index) {
        int columns = atlas.getWidth() / THUMBNAIL;
        int x = Objects.checkIndex(index, all.size()) % columns * THUMBNAIL;
        BufferedImage copy = new BufferedImage(THUMBNAIL, THUMBNAIL, BufferedImage.TYPE_INT_RGB);
        int[] pixels = atlas.getRGB(
                x, index / columns * THUMBNAIL, THUMBNAIL, THUMBNAIL, new int[THUMBNAIL * THUMBNAIL], 0, THUMBNAIL);
        copy.setRGB(0, 0, THUMBNAIL, THUMBNAIL, pixels, 0, THUMBNAIL);
        return copy;
    }
}

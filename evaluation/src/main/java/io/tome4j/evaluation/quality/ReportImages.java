package io.tome4j.evaluation.quality;

import io.tome4j.evaluation.run.ResultStore;
import io.tome4j.evaluation.run.ResultStore.Kept;
import io.tome4j.tensor.TomeException;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/**
 * Images for a page, as JPEG in base 64: as large as they may be for all to fit into so many bytes; if they do not even
 * at the smallest size, those of the first prompts.
 *
 * @param side of the images in pixels, the longer one
 * @param byPrompt for each prompt that is shown, all its images in the order of its rows
 */
record ReportImages(int side, List<List<String>> byPrompt) {
    private static final int[] SIDES = {512, 384, 256, 192, 128};
    private static final float QUALITY = 0.9f;

    /**
     * @param rows those of each prompt
     * @param budget characters of all images together; those of the first prompt are always shown
     */
    static ReportImages of(List<List<Row>> rows, ResultStore store, long budget) {
        int longest = Math.max(
                rows.get(0).get(0).shot().request().width(),
                rows.get(0).get(0).shot().request().height());
        for (int limit : SIDES) {
            ReportImages images = encode(rows, store, budget, Math.min(limit, longest));
            if (images.byPrompt.size() == rows.size() || limit == SIDES[SIDES.length - 1]) {
                return images;
            }
        }
        throw new IllegalStateException("The smallest size is always taken");
    }

    private static ReportImages encode(List<List<Row>> rows, ResultStore store, long budget, int side) {
        List<List<String>> byPrompt = new ArrayList<>();
        long used = 0;
        for (List<Row> ofPrompt : rows) {
            List<String> images = new ArrayList<>();
            for (Row row : ofPrompt) {
                String image = jpeg(scaled(find(row, store).image(), side));
                used += image.length();
                images.add(image);
            }
            if (used > budget && !byPrompt.isEmpty()) {
                break;
            }
            byPrompt.add(images);
        }
        return new ReportImages(side, byPrompt);
    }

    static Kept find(Row row, ResultStore store) {
        return store.find(row.shot().key())
                .orElseThrow(() -> new TomeException(
                        "The image " + row.shot().file() + " is gone: evaluate again to have it made anew."));
    }

    /** Halved while it is twice too large, and then interpolated, so that every pixel counts. */
    static BufferedImage scaled(BufferedImage image, int side) {
        BufferedImage current = image;
        int longest = Math.max(image.getWidth(), image.getHeight());
        while (longest > side) {
            int next = Math.max(side, (longest + 1) / 2);
            double scale = (double) next / longest;
            int width = Math.max(1, (int) Math.round(current.getWidth() * scale));
            int height = Math.max(1, (int) Math.round(current.getHeight() * scale));
            BufferedImage smaller = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = smaller.createGraphics();
            graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
            graphics.drawImage(current, 0, 0, width, height, null);
            graphics.dispose();
            current = smaller;
            longest = next;
        }
        return current;
    }

    private static String jpeg(BufferedImage image) {
        BufferedImage opaque = image;
        if (image.getType() != BufferedImage.TYPE_INT_RGB) {
            opaque = new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = opaque.createGraphics();
            graphics.drawImage(image, 0, 0, null);
            graphics.dispose();
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
            ImageWriteParam quality = writer.getDefaultWriteParam();
            quality.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            quality.setCompressionQuality(QUALITY);
            writer.setOutput(out);
            writer.write(null, new IIOImage(opaque, null, null), quality);
        } catch (IOException e) {
            throw new TomeException("An image of the report cannot be encoded: " + e + ".", e);
        } finally {
            writer.dispose();
        }
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    /** An image without loss, as what an {@code img} takes. */
    static String png(BufferedImage image) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (MemoryCacheImageOutputStream memory = new MemoryCacheImageOutputStream(bytes)) { // no file in between
            ImageIO.write(image, "png", memory);
        } catch (IOException e) {
            throw new TomeException("An image of the report cannot be encoded: " + e + ".", e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}

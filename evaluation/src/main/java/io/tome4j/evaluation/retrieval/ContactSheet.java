package io.tome4j.evaluation.retrieval;

import io.tome4j.diffusion.PngFiles;
import io.tome4j.tensor.TomeException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The first 48 of many images side by side, 8 in a row, each 128 x 128 pixels. */
public final class ContactSheet {
    private static final int COLUMNS = 8;
    private static final int ROWS = 6;
    private static final int TILE = 128;

    private final List<BufferedImage> tiles = new ArrayList<>();

    /** Adds an image, made smaller; one too many is passed over. */
    public void add(BufferedImage image) {
        if (tiles.size() < COLUMNS * ROWS) {
            tiles.add(Images.scaled(image, TILE));
        }
    }

    /** The sheet, with as many rows as are needed; places without an image are white. */
    public BufferedImage image() {
        int columns = Math.min(COLUMNS, Math.max(1, tiles.size()));
        int rows = Math.max(1, (tiles.size() + COLUMNS - 1) / COLUMNS);
        BufferedImage sheet = new BufferedImage(columns * TILE, rows * TILE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        try {
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
            for (int i = 0; i < tiles.size(); i++) {
                graphics.drawImage(tiles.get(i), i % COLUMNS * TILE, i / COLUMNS * TILE, null);
            }
        } finally {
            graphics.dispose();
        }
        return sheet;
    }

    /**
     * Writes the sheet as a PNG, beside its place and renamed.
     *
     * @throws TomeException if it cannot be written
     */
    public void save(Path file) {
        PngFiles.write(image(), file);
    }
}

package io.tome4j.evaluation.compare;

import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;

/** Whether Java finds anything to write with: on Linux it needs fontconfig and a font, which servers often lack. */
public final class Fonts {
    /** What to tell a user whose labels are missing. */
    public static final String MISSING = "Java finds no fonts on this machine, so the image has no labels; install"
            + " fontconfig and a font to have them (Debian, Ubuntu: apt install fontconfig fonts-dejavu-core)";

    private Fonts() {}

    /** Tries to measure a letter; what Java throws where that fails differs between its versions. */
    public static boolean areThere() {
        Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        try {
            graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
            FontMetrics metrics = graphics.getFontMetrics();
            return metrics.stringWidth("m") > 0;
        } catch (RuntimeException | InternalError | LinkageError e) {
            return false;
        } finally {
            graphics.dispose();
        }
    }
}

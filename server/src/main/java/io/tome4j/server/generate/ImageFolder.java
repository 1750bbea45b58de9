package io.tome4j.server.generate;

import io.tome4j.server.queue.MadeImage;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;

/**
 * Keeps images as PNG files, named after the time and the seed; a file is there whole, or not at all.
 *
 * @param folder which must be there
 */
public record ImageFolder(Path folder) {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS");

    /** Writes an image. */
    public void save(MadeImage made) {
        String name = LocalDateTime.now(ZoneId.systemDefault()).format(TIME) + "-"
                + made.request().unsignedSeed() + ".png";
        made.image().save(folder.resolve(name));
    }
}

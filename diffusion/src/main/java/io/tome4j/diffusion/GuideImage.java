package io.tome4j.diffusion;

import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.diffusion.pixels.Pixels;
import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An image that a network guides by, with what an image's parameters say of it.
 *
 * @param pixels empty for one that was read from an image's parameters
 * @param name its file's name; empty if it came from no file
 * @param hash its SHA-256, as {@link Pixels#sha256} gives it, or the beginning
 */
record GuideImage(Optional<Pixels> pixels, String name, String hash) {
    /** The length that hashes are shown in, in hexadecimal digits. */
    private static final int SHOWN_DIGITS = 10;

    static GuideImage of(Pixels pixels) {
        return new GuideImage(Optional.of(pixels), "", pixels.sha256());
    }

    /** @throws TomeException if the file cannot be read */
    static GuideImage read(Path file) {
        Pixels pixels = ImageFiles.read(file);
        return new GuideImage(Optional.of(pixels), String.valueOf(file.getFileName()), pixels.sha256());
    }

    /** One that is known by its name and hash alone. */
    static GuideImage named(String name, String hash) {
        return new GuideImage(Optional.empty(), name, hash);
    }

    /** Another image of the same name. */
    GuideImage with(Pixels value) {
        return new GuideImage(Optional.of(value), name, value.sha256());
    }

    /**
     * The same with its pixels.
     *
     * @param folder where its file lies
     * @param words what it is called in a sentence
     * @throws TomeException if it has no name, is not there, or is not what it was; it is named
     */
    GuideImage from(Path folder, String words) {
        if (pixels.isPresent()) {
            return this;
        }
        if (name.isEmpty()) {
            throw new TomeException("The " + words + " came from no file, so that it cannot be read again.");
        }
        Pixels read = ImageFiles.read(Sources.file(words, name, folder));
        if (!read.sha256().startsWith(hash)) {
            throw new TomeException("The " + words + " " + folder.resolve(name)
                    + " has changed: its pixels' SHA-256 begins with "
                    + read.sha256().substring(0, SHOWN_DIGITS)
                    + " and did with " + hash + ".");
        }
        return with(read);
    }

    /** As an image's parameters keep it: without the pixels, and with the beginning of its hash. */
    GuideImage withoutPixels() {
        return named(name, hash.substring(0, Math.min(SHOWN_DIGITS, hash.length())));
    }

    /** As an image's parameters write it. */
    String toText() {
        return name + " [" + withoutPixels().hash() + "]";
    }

    /**
     * The pixels.
     *
     * @param option the option that gives them
     * @param network what is guided by them, in a sentence
     * @throws OptionException if there are none
     */
    Pixels require(String option, String network) {
        return pixels.orElseThrow(() -> new OptionException("{" + option + "} is missing for "
                + OptionException.literal(network)
                + (hash.isEmpty() ? "" : ": it was '" + OptionException.literal(name) + "' with the hash " + hash)));
    }
}

package io.tome4j.evaluation.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.emoji.Motifs;
import io.tome4j.emoji.Motifs.Motif;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * The drawings that the embedded model learnt from, full-size: {@code motifs.json} and {@code renders.npy} in the folder that
 * {@code emoji/training/data.py} writes. The latter is 1.7 GB; a drawing is read when it is asked for.
 */
public final class Drawings implements AutoCloseable {
    /** Width and height of a drawing in pixels. */
    private static final int SIDE = 512;

    private static final int BYTES = SIDE * SIDE * 4;
    private static final int LONGEST_HEADER = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long start;

    private Drawings(Path file, FileChannel channel, long start) {
        this.file = file;
        this.channel = channel;
        this.start = start;
    }

    /**
     * Opens them.
     *
     * @param folder with {@code motifs.json} and {@code renders.npy}
     * @param motifs those that the folder must have, in this order
     * @throws TomeException if a file is missing, damaged, or of other motifs
     */
    public static Drawings open(Path folder, Motifs motifs) {
        Path file = folder.resolve("renders.npy");
        requireSame(folder.resolve("motifs.json"), motifs);
        FileChannel channel;
        try {
            channel = FileChannel.open(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        try {
            return new Drawings(
                    file, channel, dataStart(file, channel, motifs.all().size()));
        } catch (IOException e) {
            throw closing(channel, unreadable(file, e));
        } catch (TomeException e) {
            throw closing(channel, e);
        }
    }

    private static TomeException closing(FileChannel channel, TomeException reason) {
        try {
            channel.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
        return reason;
    }

    private static void requireSame(Path file, Motifs motifs) {
        List<String> ids;
        try {
            JsonNode list = new ObjectMapper().readTree(Files.readString(file));
            ids = StreamSupport.stream(list.spliterator(), false)
                    .map(motif -> motif.path("id").asText())
                    .toList();
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        if (!ids.equals(motifs.all().stream().map(Motif::id).toList())) {
            throw new TomeException(file + " has " + ids.size() + " motifs that are not the "
                    + motifs.all().size()
                    + " of the embedded model: make the folder anew with emoji/training/data.py.");
        }
    }

    /** Where the first drawing begins, after the header of NumPy's format 1.0 to 3.0. */
    private static long dataStart(Path file, FileChannel channel, int count) throws IOException {
        ByteBuffer preamble = read(channel, 0, 12).order(ByteOrder.LITTLE_ENDIAN);
        boolean isShort = preamble.get(6) == 1;
        long headerStart = isShort ? 10 : 12;
        long length = isShort ? preamble.getShort(8) & 0xffff : preamble.getInt(8) & 0xffffffffL;
        if (preamble.get(0) != (byte) 0x93 || length > LONGEST_HEADER) {
            throw new TomeException(file + " is no array of NumPy: make it anew with emoji/training/data.py.");
        }
        String header = StandardCharsets.UTF_8
                .decode(read(channel, headerStart, (int) length))
                .toString();
        String shape = "(" + count + ", " + SIDE + ", " + SIDE + ", 4)";
        long start = headerStart + length;
        if (!header.contains("'|u1'")
                || !header.contains("'fortran_order': False")
                || !header.contains(shape)
                || channel.size() != start + (long) count * BYTES) {
            throw new TomeException(file + " is not an array of bytes of the shape " + shape
                    + ": make it anew with emoji/training/data.py. Its header: " + header.strip());
        }
        return start;
    }

    private static ByteBuffer read(FileChannel channel, long position, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw new IOException("it ends after " + channel.size() + " bytes");
            }
        }
        return bytes.flip();
    }

    /**
     * How different an image is from a motif's drawing on white: the mean colour difference (CIE 1976) of all pixels. A drawing
     * is made as small as the image.
     *
     * @param image square
     * @param motif its place among all
     * @throws TomeException if the file cannot be read
     */
    double difference(BufferedImage image, int motif) {
        return Lab.difference(Lab.of(image), Lab.of(Images.scaled(onWhite(motif), image.getWidth())));
    }

    /** A motif's drawing on white, 512 x 512 pixels. */
    BufferedImage onWhite(int motif) {
        ByteBuffer bytes;
        try {
            bytes = read(channel, start + (long) motif * BYTES, BYTES);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        int[] pixels = new int[SIDE * SIDE];
        for (int i = 0; i < pixels.length; i++) {
            int white = 255 - (bytes.get(4 * i + 3) & 0xff); // colours are multiplied by alpha already
            int rgb = 0;
            for (int channelIndex = 0; channelIndex < 3; channelIndex++) {
                rgb = rgb << 8 | Math.min(255, (bytes.get(4 * i + channelIndex) & 0xff) + white);
            }
            pixels[i] = rgb;
        }
        BufferedImage drawing = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        drawing.setRGB(0, 0, SIDE, SIDE, pixels, 0, SIDE);
        return drawing;
    }

    private static TomeException unreadable(Path file, IOException e) {
        return new TomeException(file + " cannot be read: " + e.getMessage() + ". emoji/training/data.py makes it.", e);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }
}

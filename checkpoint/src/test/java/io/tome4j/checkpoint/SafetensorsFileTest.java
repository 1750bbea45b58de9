package io.tome4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("model.safetensors");
    }

    /** The values are 1 and -2 (1 and 0 where there is no sign), little-endian. */
    @ParameterizedTest
    @CsvSource({
        "F64, Double, 000000000000f03f00000000000000c0, -2",
        "F32, Float, 0000803f000000c0, -2",
        "F16, Half, 003c00c0, -2",
        "BF16, BFloat16, 803f00c0, -2",
        "I64, Long, 0100000000000000feffffffffffffff, -2",
        "I32, Int, 01000000feffffff, -2",
        "I16, Short, 0100feff, -2",
        "I8, Char, 01fe, -2",
        "U8, Byte, 01fe, 254",
        "BOOL, Bool, 0100, 0",
    })
    void everyDTypeIsReadAsItIsStored(String dtype, torch.ScalarType type, String hex, float second) {
        byte[] data = HexFormat.of().parseHex(hex);
        RawSafetensors.write(
                file(),
                "{\"x\":{\"dtype\":\"" + dtype + "\",\"shape\":[2],\"data_offsets\":[0," + data.length + "]}}",
                data);
        try (var scope = TensorScope.open()) {
            SafetensorsFile opened = SafetensorsFile.open(file());
            Tensor x = opened.load("x");
            assertThat(Tensors.dtype(x)).isEqualTo(type);
            assertThat(Tensors.floats(x)).containsExactly(1, second);
            assertThat(opened.dtype("x")).isEqualTo(dtype);
        }
    }

    @Test
    void scalarsAndEmptyTensorsKeepTheirShape() {
        RawSafetensors.write(
                file(),
                "{\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[0,0]},"
                        + "\"one\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
                (byte) 7);
        SafetensorsFile opened = SafetensorsFile.open(file());
        try (var scope = TensorScope.open()) {
            assertThat(Tensors.shape(opened.load("none"))).containsExactly(3, 0);
            assertThat(Tensors.shape(opened.load("one"))).isEmpty();
            assertThat(Tensors.floats(opened.load("one"))).containsExactly(7);
        }
        assertThat(opened.shape("none")).containsExactly(3, 0);
        assertThat(opened.shape("one")).isEmpty();
    }

    @Test
    void unalignedTensorIsCopiedToWhereItIsAligned() {
        // The header takes 8 + 128 bytes, so after one byte of U8 the floats lie at an odd address.
        String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[1,9]}}";
        ByteBuffer data = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN);
        data.put((byte) 1).putFloat(2.5f).putFloat(-3);
        RawSafetensors.write(file(), header + " ".repeat(128 - header.length()), data.array());
        try (var scope = TensorScope.open()) {
            Tensor b = SafetensorsFile.open(file()).load("b");
            assertThat(b.data_ptr().address() % 4).isZero();
            assertThat(Tensors.floats(b)).containsExactly(2.5f, -3);
        }
    }

    @Test
    void tensorTooLargeForOneBufferIsReadInPieces() {
        float[] values = new float[1000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        try (var scope = TensorScope.open()) {
            SafetensorsWriter.write(file(), java.util.Map.of("x", Tensors.of(values, 10, 100)));
            SafetensorsFile opened = SafetensorsFile.open(file());
            assertThat(Tensors.floats(opened.load(opened.entry("x"), 37))).containsExactly(values);
        }
    }

    @Test
    void tensorOwnsItsMemoryWhateverBecomesOfTheFile() throws IOException {
        SafetensorsFile opened = SafetensorsFile.open(RawSafetensors.one(file(), "x", 4));
        try (var scope = TensorScope.open()) {
            Tensor x = opened.load("x");
            Files.write(file(), new byte[0]); // a mapped page of it would now kill the process
            assertThat(Tensors.floats(x)).containsExactly(4);
        }
    }

    @Test
    void fileThatWasMadeShorterOrWrittenAnewIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(RawSafetensors.one(file(), "x", 4));
        for (byte[] other : new byte[][] {java.util.Arrays.copyOf(whole, whole.length - 1), whole}) {
            RawSafetensors.one(file(), "x", 4);
            Files.setLastModifiedTime(file(), FileTime.fromMillis(1_000_000));
            SafetensorsFile opened = SafetensorsFile.open(file());
            Files.write(file(), other);
            assertThatThrownBy(() -> opened.load("x"))
                    .isInstanceOf(TomeException.class)
                    .hasMessageContaining("The tensor 'x' cannot be read from " + file())
                    .hasMessageContaining("it was changed since it was opened");
        }
    }

    /** As another program does it that downloads or copies over the file. */
    @Test
    void fileThatOthersCutAndWriteWhileItIsLoadedNeverKillsTheProcess() throws Exception {
        int size = 3 << 20;
        String header = "{\"x\":{\"dtype\":\"U8\",\"shape\":[" + size + "],\"data_offsets\":[0," + size + "]}}";
        RawSafetensors.write(file(), header, new byte[size]);
        byte[] whole = Files.readAllBytes(file());
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
                while (!done.get()) {
                    channel.truncate(100);
                    channel.write(ByteBuffer.wrap(whole), 0);
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        writer.start();
        int loaded = 0;
        int refused = 0;
        for (long end = System.nanoTime() + 300_000_000; System.nanoTime() < end; ) {
            try (var scope = TensorScope.open()) {
                SafetensorsFile.open(file()).load("x").sum();
                loaded++;
            } catch (TomeException e) {
                refused++;
            }
        }
        done.set(true);
        writer.join();
        assertThat(loaded + refused).isPositive();
        assertThat(refused).isPositive();
    }

    @Test
    void interruptedThreadIsToldAndStaysInterrupted() {
        SafetensorsFile opened = SafetensorsFile.open(RawSafetensors.one(file(), "x", 4));
        Thread.currentThread().interrupt();
        try (var scope = TensorScope.open()) {
            refused("Loading " + file() + " was interrupted.");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            assertThatThrownBy(() -> opened.load("x"))
                    .isInstanceOf(TomeException.class)
                    .hasMessage("Loading " + file() + " was interrupted.");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void pointerOfGitLfsIsSaidToBeOne() throws IOException {
        Files.writeString(
                file(),
                "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab".repeat(32) + "\nsize 3438167536\n");
        refused("is a pointer of Git LFS", "git lfs pull");
    }

    @Test
    void folderAndPipeInItsPlaceAreRefusedAtOnce() throws Exception {
        Files.createDirectory(file());
        refused("The folder " + file() + " lies where a file belongs");
        Files.delete(file());
        assumeTrue(new ProcessBuilder("mkfifo", file().toString()).start().waitFor() == 0);
        refused("The pipe or device " + file() + " lies where a file belongs");
    }

    @Test
    void loadingLeavesNoNativeObjectsBehind() {
        SafetensorsFile opened = SafetensorsFile.open(RawSafetensors.one(file(), "x", 4));
        try (var scope = TensorScope.open()) {
            opened.load("x");
        }
        long before = TensorScope.liveObjects();
        for (int i = 0; i < 100; i++) {
            try (var scope = TensorScope.open()) {
                opened.load("x");
            }
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }

    @Test
    void tensorsBeyondTwoGigabytesAreReached() throws IOException {
        // A sparse file: 3 GB of zeros take no room on the disk.
        long big = 3L << 30;
        RawSafetensors.write(
                file(),
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + big + "],\"data_offsets\":[0," + big + "]},"
                        + "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[" + big + "," + (big + 1) + "]}}");
        try (FileChannel channel = FileChannel.open(file(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {9}), channel.size() + big);
        }
        SafetensorsFile opened = SafetensorsFile.open(file());
        assertThat(opened.dataBytes()).isEqualTo(big + 1);
        try (var scope = TensorScope.open()) {
            assertThat(Tensors.floats(opened.load("b"))).containsExactly(9);
        }
    }

    @Test
    void metadataIsRead() {
        RawSafetensors.write(file(), "{\"__metadata__\":{\"format\":\"pt\"}}");
        SafetensorsFile opened = SafetensorsFile.open(file());
        assertThat(opened.metadata()).containsExactly(java.util.Map.entry("format", "pt"));
        assertThat(opened.names()).isEmpty();
    }

    @Test
    void missingFileIsNamed() {
        assertThatThrownBy(() -> SafetensorsFile.open(file()))
                .isInstanceOf(TomeException.class)
                .hasMessage("The safetensors file " + file() + " does not exist.");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 7})
    void fileWithoutRoomForAHeaderIsRefused(int bytes) throws IOException {
        Files.write(file(), new byte[bytes]);
        refused("it has only " + bytes + " bytes");
    }

    @Test
    void headerBeyondTheFormatsLimitIsRefused() {
        RawSafetensors.write(file(), 100_000_001, "{}");
        refused("claims a header of 100000001 bytes");
    }

    @Test
    void negativeHeaderLengthIsRefused() {
        RawSafetensors.write(file(), -1, "{}");
        refused("claims a header of 18446744073709551615 bytes");
    }

    @Test
    void headerLongerThanTheFileIsRefused() {
        RawSafetensors.write(file(), 3, "{}");
        refused("claims a header of 3 bytes, but only 2 follow");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            <html></html>|its header does not begin with '{'
            {"x":|its header is not valid JSON
            {} {}|its header is not valid JSON
            {"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}|Duplicate field
            {"__metadata__":[]}|its __metadata__ is not a JSON object
            {"__metadata__":{"a":1}}|the value of 'a' in its __metadata__ is not a string
            {}|4 bytes at its end, after the header, belong to no tensor
            """)
    void brokenHeaderIsRefused(String header, String message) {
        RawSafetensors.write(file(), header, new byte[4]);
        refused(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            "x":{"dtype":"U8","shape":[4]}|x|has not just dtype, shape and data_offsets
            "x":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]}|x|its dtype "F8_E8M0" is not one that tome4j reads
            "x":{"dtype":"U8","shape":[4.5],"data_offsets":[0,4]}|x|its shape [4.5] is not a list of integers
            "x":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}|x|its shape [-4] is not a list of integers
            "x":{"dtype":"U8","shape":4,"data_offsets":[0,4]}|x|its shape 4 is not a list
            "x":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}|x|are not a begin and an end
            "x":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}|x|are not a begin and an end
            "x":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}|x|lie beyond the 4 bytes of data in the file, which is perhaps truncated
            "x":{"dtype":"F16","shape":[4],"data_offsets":[0,4]}|x|its shape [4] of F16 does not take the 4 bytes
            "x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}|x|does not take the 4 bytes
            "x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}|y|its bytes overlap those of
            "x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}|y|2 bytes between it and
            """)
    void brokenTensorIsRefusedByName(String entries, String tensor, String message) {
        RawSafetensors.write(file(), "{" + entries + "}", new byte[4]);
        assertThatThrownBy(() -> SafetensorsFile.open(file()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("The tensor '" + tensor + "' in the safetensors file " + file())
                .hasMessageContaining(message);
    }

    private void refused(String... parts) {
        assertThatThrownBy(() -> SafetensorsFile.open(file()))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(file().toString())
                .message()
                .contains(parts);
    }
}

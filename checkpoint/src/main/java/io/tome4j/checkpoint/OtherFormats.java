package io.tome4j.checkpoint;

import io.tome4j.tensor.TomeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Files of weights in formats that are not read, told by what they begin with: names of files are often wrong. */
final class OtherFormats {
    private OtherFormats() {}

    /**
     * Refuses what is no safetensors file, where it can be told what it is instead.
     *
     * @param beginning the first bytes of the file
     * @throws TomeException saying what the file is, and what to do
     */
    static void refuse(byte[] beginning, Path file) {
        if (startsWith(beginning, 'P', 'K', 3, 4) || isPickle(beginning)) {
            throw new TomeException("The file " + file + " is a pickle, as .ckpt, .pt, .pth and .bin files are"
                    + (isNamedSafetensors(file) ? ", although its name says otherwise" : "")
                    + ". tome4j reads no pickles, because reading one can run any program. Get the model as .safetensors,"
                    + " or convert it with Python where you trust it:"
                    + " safetensors.torch.save_file(torch.load(file, weights_only=True)['state_dict'], new_file).");
        }
        if (new String(beginning, StandardCharsets.ISO_8859_1).startsWith("GGUF")) {
            throw new TomeException(
                    "The file " + file + " is in the format GGUF, in which weights are quantised to a few"
                            + " bits; tome4j reads safetensors files in fp32, fp16, bf16 and fp8. Get the model in one of these.");
        }
    }

    /** Protocols 2 to 5; an older one has no mark. */
    private static boolean isPickle(byte[] beginning) {
        // A safetensors file may begin with these two bytes as well: then it has an opening brace behind its length.
        return beginning.length > 2
                && beginning[0] == (byte) 0x80
                && beginning[1] >= 2
                && beginning[1] <= 5
                && !(beginning.length > 8 && beginning[8] == '{');
    }

    private static boolean isNamedSafetensors(Path file) {
        return file.toString().endsWith(".safetensors");
    }

    private static boolean startsWith(byte[] beginning, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (i >= beginning.length || beginning[i] != (byte) expected[i]) {
                return false;
            }
        }
        return true;
    }
}

package io.tome4j.diffusion;

import io.tome4j.tensor.OptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder of networks that enlarge images, by their names: a file's without {@code .safetensors}, in folders below with the
 * folders before it.
 */
public final class UpscalerFolder {
    private final NamedFiles files;

    private UpscalerFolder(NamedFiles files) {
        this.files = files;
    }

    /**
     * @param folder of upscalers, or that of A1111's web UI, which has them in {@code models/ESRGAN}
     * @throws OptionException if there is no such folder
     */
    public static UpscalerFolder of(Path folder) {
        Path found = Stream.of("models/ESRGAN", "ESRGAN")
                .map(folder::resolve)
                .filter(Files::isDirectory)
                .findFirst()
                .orElse(folder);
        if (!Files.isDirectory(found)) {
            throw new OptionException(
                    "{upscaler_dir} is " + OptionException.literal(folder.toString()) + ": there is no such folder");
        }
        return new UpscalerFolder(new NamedFiles(found, Request.HIRES_UPSCALER.name()));
    }

    /** All names, in order. It is looked up anew each time: files come and go. */
    public List<String> names() {
        return List.copyOf(files.all().keySet());
    }

    /**
     * A request whose second pass's upscaler, if it is named and none of those built in, is the file here of that name.
     *
     * @throws OptionException if there is none of this name (it says which are alike), or several
     */
    public Request resolve(Request request) {
        String name = request.hiresUpscaler();
        return Upscaler.named(name).isPresent()
                ? request
                : request.hiresUpscaler(files.find(name.replaceFirst("\\.safetensors$", "")));
    }
}

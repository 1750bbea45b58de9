package io.tome4j.cli.upscale;

import io.tome4j.cli.session.OutputFiles;
import io.tome4j.cli.session.ReservedFiles;
import io.tome4j.cli.session.Session;
import io.tome4j.cli.session.SessionCommand;
import io.tome4j.diffusion.Image;
import io.tome4j.diffusion.ImageUpscaler;
import io.tome4j.diffusion.SourceImage;
import io.tome4j.models.singlefile.UpscalerFile;
import io.tome4j.tensor.DTypeChoice;
import io.tome4j.tensor.DeviceChoice;
import io.tome4j.tensor.Placement;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Enlarges an image by a network. */
@Command(
        name = "upscale",
        description = "Enlarge an image by a network (ESRGAN or Real-ESRGAN).",
        footer = {"", "Example:", "  tome upscale apple.png --model 4x-model.safetensors --out large.png"})
public final class UpscaleCommand extends SessionCommand<UpscaleCommand.Plan> {
    @Parameters(paramLabel = "IMAGE", description = "The image (PNG, JPEG or WebP).")
    private Path image = Path.of("");

    @Option(
            names = "--model",
            required = true,
            paramLabel = "FILE",
            description = "The network, a .safetensors file; it says itself how much larger it makes images.")
    private Path model = Path.of("");

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Where the image goes, a PNG; it keeps the parameters that the first one carries.")
    private Path out = Path.of("");

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda",
            defaultValue = "auto",
            description = "Where to compute (default: CUDA if there is any).")
    private DeviceChoice device = DeviceChoice.AUTO;

    @Option(
            names = "--dtype",
            paramLabel = "auto|fp32|bf16|fp16",
            defaultValue = "auto",
            description = "What to compute in (default: bf16 on a CPU that has it, else fp32; fp16 on CUDA).")
    private DTypeChoice dtype = DTypeChoice.AUTO;

    /** What to do: all that it needs was looked at. */
    record Plan(Path image, Path model, Path out, Placement placement) {}

    @Override
    protected List<ArgGroupSpec> tableGroups() {
        return List.of();
    }

    @Override
    protected Plan plan(ReservedFiles reserved) {
        UpscalerFile.of(model);
        SourceImage.read(image);
        Path file = OutputFiles.choose(Optional.of(out), "", 0, 1, reserved).get(0);
        return new Plan(image, model, file, Placement.choose(device, dtype));
    }

    @Override
    protected void run(Plan plan, Session session) {
        session.start(plan.placement());
        try (ImageUpscaler upscaler = ImageUpscaler.open(plan.model(), plan.placement())) {
            Image enlarged = upscaler.enlarge(plan.image());
            session.write(() -> enlarged.save(plan.out()));
            session.out().println(plan.out());
            session.out().flush();
            session.err().println(enlarged.width() + " x " + enlarged.height() + " pixels");
        }
    }
}

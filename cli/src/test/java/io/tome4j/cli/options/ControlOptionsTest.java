package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Control;
import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.pixels.Canny;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

class ControlOptionsTest {
    private static final String LINES = Path.of(System.getProperty("tome4j.fixtures"), "controlnet", "lines.png")
            .toString();
    private static final String WAVES = Path.of(System.getProperty("tome4j.fixtures"), "controlnet", "waves.png")
            .toString();

    @Command
    private static final class Holder {
        @ArgGroup(validate = false)
        private ControlOptions control = new ControlOptions();
    }

    private static List<Control> controls(String... arguments) {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(arguments);
        return holder.control.applyTo(Request.of("a")).controls();
    }

    @Test
    void eachNetGoesWithTheImageAndTheNumbersOfItsPlace() {
        List<Control> controls = controls(
                "--controlnet",
                "one",
                "--control-image",
                LINES,
                "--controlnet",
                "two",
                "--control-image",
                WAVES,
                "--control-scale",
                "0.5",
                "--control-scale",
                "0.7",
                "--control-end",
                "0.8",
                "--control-canny",
                "60,120");
        assertThat(controls.stream().map(Control::model)).containsExactly("one", "two");
        assertThat(controls.stream().map(Control::imageName)).containsExactly("lines.png", "waves.png");
        assertThat(controls.stream().map(Control::scale)).containsExactly(0.5, 0.7);
        assertThat(controls.stream().map(Control::end)).as("one for all").containsExactly(0.8, 0.8);
        assertThat(controls.get(1).canny()).contains(new Canny(60, 120));
        assertThat(controls()).isEmpty();
    }

    @Test
    void whatDoesNotGoTogetherIsSaid() {
        assertThatThrownBy(() -> controls("--controlnet", "one"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("control_image");
        assertThatThrownBy(() -> controls("--control-canny", "1,2"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("no effect without");
        assertThatThrownBy(() -> controls("--controlnet", "one", "--control-image", LINES, "--control-canny", "many"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("100,200");
        assertThatThrownBy(() -> controls(
                        "--controlnet",
                        "one",
                        "--control-image",
                        LINES,
                        "--control-start",
                        "0",
                        "--control-start",
                        "0.1"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("2 times");
    }
}

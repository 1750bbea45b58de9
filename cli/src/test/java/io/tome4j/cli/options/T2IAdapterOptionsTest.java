package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Request;
import io.tome4j.diffusion.T2IAdapter;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

class T2IAdapterOptionsTest {
    private static final String LINES = Path.of(System.getProperty("tome4j.fixtures"), "controlnet", "lines.png")
            .toString();

    @Command
    private static final class Holder {
        @ArgGroup(validate = false)
        private T2IAdapterOptions adapter = new T2IAdapterOptions();
    }

    private static List<T2IAdapter> adapters(String... arguments) {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(arguments);
        return holder.adapter.applyTo(Request.of("a")).t2iAdapters();
    }

    @Test
    void eachAdapterGoesWithTheImageAndTheNumbersOfItsPlace() {
        List<T2IAdapter> adapters = adapters(
                "--t2i-adapter",
                "one",
                "--t2i-image",
                LINES,
                "--t2i-adapter",
                "two",
                "--t2i-image",
                LINES,
                "--t2i-scale",
                "0.5",
                "--t2i-scale",
                "0.7",
                "--t2i-factor",
                "0.8");
        assertThat(adapters.stream().map(T2IAdapter::model)).containsExactly("one", "two");
        assertThat(adapters.stream().map(T2IAdapter::imageName)).containsExactly("lines.png", "lines.png");
        assertThat(adapters.stream().map(T2IAdapter::scale)).containsExactly(0.5, 0.7);
        assertThat(adapters.stream().map(T2IAdapter::factor)).containsExactly(0.8, 0.8);
        assertThat(adapters()).isEmpty();
    }

    @Test
    void whatDoesNotGoTogetherIsSaid() {
        assertThatThrownBy(() -> adapters("--t2i-adapter", "one"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("t2i_image");
        assertThatThrownBy(() -> adapters("--t2i-factor", "1"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("no effect without");
        assertThatThrownBy(() -> adapters(
                        "--t2i-adapter", "one", "--t2i-image", LINES, "--t2i-scale", "0", "--t2i-scale", "0.1"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("2 times for 1 T2I-Adapters");
    }
}

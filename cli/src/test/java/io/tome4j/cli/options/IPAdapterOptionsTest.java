package io.tome4j.cli.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.IPAdapter;
import io.tome4j.diffusion.Request;
import io.tome4j.tensor.OptionException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

class IPAdapterOptionsTest {
    private static final String LINES = image("lines.png");
    private static final String WAVES = image("waves.png");

    private static String image(String name) {
        return Path.of(System.getProperty("tome4j.fixtures"), "controlnet", name)
                .toString();
    }

    @Command
    private static final class Holder {
        @ArgGroup(validate = false)
        private IPAdapterOptions adapter = new IPAdapterOptions();
    }

    private static List<IPAdapter> adapters(String... arguments) {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(arguments);
        return holder.adapter.applyTo(Request.of("a")).ipAdapters();
    }

    @Test
    void eachAdapterGoesWithTheImageAndTheNumbersOfItsPlace() {
        List<IPAdapter> adapters = adapters(
                "--ip-adapter",
                "one",
                "--ip-adapter-image",
                LINES,
                "--ip-adapter",
                "two",
                "--ip-adapter-image",
                WAVES,
                "--ip-adapter-scale",
                "0.5",
                "--ip-adapter-scale",
                "0.7",
                "--ip-adapter-encoder",
                "folder");
        assertThat(adapters.stream().map(IPAdapter::model)).containsExactly("one", "two");
        assertThat(adapters.stream().map(IPAdapter::imageNames))
                .containsExactly(List.of("lines.png"), List.of("waves.png"));
        assertThat(adapters.stream().map(IPAdapter::scale)).containsExactly(0.5, 0.7);
        assertThat(adapters.stream().map(IPAdapter::encoder)).containsExactly("folder", "folder");
        assertThat(adapters()).isEmpty();
    }

    @Test
    void oneAdapterTakesAllImages() {
        List<IPAdapter> adapters =
                adapters("--ip-adapter", "one", "--ip-adapter-image", LINES, "--ip-adapter-image", WAVES);
        assertThat(adapters).hasSize(1);
        assertThat(adapters.get(0).imageNames()).containsExactly("lines.png", "waves.png");
    }

    @Test
    void whatDoesNotGoTogetherIsSaid() {
        assertThatThrownBy(() -> adapters("--ip-adapter", "one"))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("ip_adapter_image");
        assertThatThrownBy(() -> adapters("--ip-adapter-image", LINES))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("no effect without");
        assertThatThrownBy(() -> adapters("--ip-adapter", "one", "--ip-adapter", "two", "--ip-adapter-image", LINES))
                .isInstanceOf(OptionException.class)
                .hasMessageContaining("1 times");
    }
}

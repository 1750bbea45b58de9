package io.tome4j.evaluation.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.tome4j.diffusion.GenerationParameters;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DeviceMemory;
import io.tome4j.tensor.Engine;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a benchmark ran on.
 *
 * @param cpu the processor's name
 * @param cores logical processors that this process may use
 * @param memoryBytes memory in the machine; 0 where the system does not tell
 * @param gpu the graphics card's name; empty where none is used
 * @param system the operating system
 * @param java the JVM
 * @param pytorch libtorch's version
 * @param engine the start-up line: device, dtype, threads
 * @param tome4j our version
 */
public record Machine(
        String cpu,
        int cores,
        @JsonProperty("memory_bytes") long memoryBytes,
        String gpu,
        String system,
        String java,
        String pytorch,
        String engine,
        String tome4j) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");
    private static final Path NVIDIA = Path.of("/proc/driver/nvidia/gpus");

    /** This machine, as it computes for a placement. */
    public static Machine here(Placement placement) {
        Engine engine = Engine.start();
        String line;
        try (var scope = TensorScope.open()) {
            line = engine.describe(placement);
        }
        return new Machine(
                value(CPUINFO, "model name", System.getProperty("os.arch", "")),
                Runtime.getRuntime().availableProcessors(),
                DeviceMemory.machineTotal().orElse(0),
                placement.device() == ComputeDevice.CUDA ? gpuNames() : "",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                Engine.pytorchVersion(),
                line,
                GenerationParameters.thisVersion());
    }

    /** Its facts by name, in the order to show them. */
    public Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("cpu", cpu);
        facts.put("cores", String.valueOf(cores));
        facts.put("memory", memoryBytes == 0 ? "" : Numbers.bytes(memoryBytes));
        facts.put("gpu", gpu);
        facts.put("system", system);
        facts.put("java", java);
        facts.put("pytorch", pytorch);
        facts.put("engine", engine);
        facts.put("tome4j", tome4j);
        facts.values().removeIf(String::isEmpty);
        return facts;
    }

    private static String gpuNames() {
        if (!Files.isDirectory(NVIDIA)) {
            return "CUDA device 0";
        }
        try (var cards = Files.list(NVIDIA)) {
            return cards.sorted()
                    .map(card -> value(card.resolve("information"), "Model", "CUDA device"))
                    .collect(Collectors.joining(", "));
        } catch (IOException e) {
            return "CUDA device 0";
        }
    }

    /** What follows the colon in the first line that begins with a key. */
    private static String value(Path file, String key, String absent) {
        try {
            if (!Files.isReadable(file)) {
                return absent;
            }
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> line.startsWith(key) && line.contains(":"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(absent);
        } catch (IOException e) {
            return absent;
        }
    }
}

package io.tome4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.tensor.OptionException;
import io.tome4j.tensor.TomeException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class FailuresTest {
    private static String said(Exception e, String command) {
        StringWriter out = new StringWriter();
        PrintWriter err = new PrintWriter(out);
        CommandLine program = Tome.commandLine(err, err);
        new Failures(err).failed(e, program.getSubcommands().get(command).getCommandSpec(), List.of(), false);
        return out.toString().strip();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generate|variant|No weights.|tome: No weights. (--variant)",
                "generate|memory_check|Too large (memory_check).|tome: Too large (--no-memory-check).",
                "models|variant|No weights.|tome: No weights.",
                "generate|fetching|No weights.|tome: No weights."
            })
    void aFailureNamesTheOptionThatWouldChangeItWhereTheCommandHasIt(
            String command, String option, String message, String said) {
        assertThat(said(TomeException.about(option, message), command)).isEqualTo(said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "generate|{use_rand} and {num_inference_steps} are off.|tome generate: --rand and --steps are off (see",
                "compare|{method} todo is off|tome compare: --methods todo is off (see",
                "bench|{ratios} has 2|tome bench: --ratios has 2 (see"
            })
    void aBadOptionIsCalledAsTheCommandCallsIt(String command, String message, String said) {
        assertThat(said(new OptionException(message), command)).startsWith(said);
    }
}

package io.tome4j.cli.session;

import io.tome4j.diffusion.GenerationParameters;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
public final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {GenerationParameters.thisVersion()};
    }
}

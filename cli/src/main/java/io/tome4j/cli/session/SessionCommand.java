package io.tome4j.cli.session;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * A command that runs a model: all that can be wrong with the command itself is found before the model is loaded.
 *
 * @param <P> what to do, made of the options and known to be right
 */
@Command(
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        modelTransformer = SessionCommand.TableGroups.class)
public abstract class SessionCommand<P> implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        ReservedFiles reserved = new ReservedFiles();
        try {
            P plan = plan(reserved);
            try (Session session = Session.open(spec.commandLine(), outcomeIfStopped(plan), reserved)) {
                run(plan, session);
            }
        } finally {
            reserved.release();
        }
        return 0;
    }

    /**
     * Checks the options, and that the results can be written where they are to go.
     *
     * @param reserved for files that the user did not name
     * @throws io.tome4j.tensor.OptionException if a value is wrong, or two do not go together
     * @throws io.tome4j.tensor.TomeException if a file cannot be read or written
     */
    protected abstract P plan(ReservedFiles reserved);

    /** What to say if the user stops the command before anything is written. */
    protected String outcomeIfStopped(P plan) {
        return "nothing was written";
    }

    /** Does it. */
    protected abstract void run(P plan, Session session);

    /** The groups of options that come from a table; what is annotated picocli finds by itself. */
    protected abstract List<ArgGroupSpec> tableGroups();

    /** Adds {@link #tableGroups} to what picocli found. */
    static final class TableGroups implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            ((SessionCommand<?>) spec.userObject()).tableGroups().forEach(spec::addArgGroup);
            return spec;
        }
    }

    /** The command as picocli sees it. */
    protected final CommandSpec spec() {
        return spec;
    }
}

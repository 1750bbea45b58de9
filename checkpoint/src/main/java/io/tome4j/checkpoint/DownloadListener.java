package io.tome4j.checkpoint;

/** Is told how downloads get on, on the thread that downloads. */
@FunctionalInterface
public interface DownloadListener {
    /** Takes no notice of progress; warnings are logged. */
    DownloadListener SILENT = (file, done, total) -> {};

    /**
     * Called when the download of a file begins (not for content that is in the cache already), often meanwhile, and when it is complete ({@code done == total}). After a cut
     * connection {@code done} may fall back.
     *
     * @param file the file's name in the repository, such as {@code unet/config.json}
     * @param done bytes of it that are here, those of an earlier, broken-off download included
     * @param total bytes of the whole file, or -1 if the server does not say
     */
    void progress(String file, long done, long total);

    /**
     * Called when something is amiss that does not stop us: the hub is slow to answer (then on a thread of its own), or it
     * cannot be reached, and what the cache has is used.
     * Unless overridden, this goes to the {@link System.Logger} named {@code io.tome4j.checkpoint}.
     *
     * @param message what to tell the user
     */
    default void warning(String message) {
        System.getLogger("io.tome4j.checkpoint").log(System.Logger.Level.WARNING, message);
    }

    /**
     * Called with what is good to know and needs no action, such as what a single file was taken for.
     * Unless overridden, this goes to the logger as {@link #warning} does.
     *
     * @param message what to tell the user
     */
    default void notice(String message) {
        System.getLogger("io.tome4j.checkpoint").log(System.Logger.Level.INFO, message);
    }
}

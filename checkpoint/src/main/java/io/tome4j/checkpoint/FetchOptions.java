package io.tome4j.checkpoint;

/**
 * Which of a model's versions is wanted.
 *
 * @param revision a branch, a tag or a commit on the hub; empty for {@code main}
 * @param variant which of the checkpoint's weights, such as {@code fp16}; empty for the files without one
 */
public record FetchOptions(String revision, String variant) {
    /** The main revision, and the weights without a variant. */
    public static final FetchOptions DEFAULT = new FetchOptions("", "");

    static final String MAIN = "main";

    public FetchOptions revision(String other) {
        return new FetchOptions(other, variant);
    }

    public FetchOptions variant(String other) {
        return new FetchOptions(revision, other);
    }

    String revisionOrMain() {
        return revision.isEmpty() ? MAIN : revision;
    }
}

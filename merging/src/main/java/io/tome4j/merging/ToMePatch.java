package io.tome4j.merging;

/**
 * What the runs of a model do that are not told how to merge. {@link ToMe#applyPatch} sets it, and a run reads it once, when
 * it starts: changing it, from whatever thread, never touches a run that is under way.
 */
public final class ToMePatch {
    /**
     * @param options what to merge
     * @param runningOn the draws of {@link ToMeOptions.Mode#TOMESD}, which go on from run to run until the model is patched
     *     anew
     */
    record Applied(ToMeOptions options, DestinationDraw runningOn) {}

    private volatile Applied applied = new Applied(ToMeOptions.NONE, DestinationDraw.TOP_LEFT);

    void set(ToMeOptions options) {
        applied = new Applied(options, DestinationDraw.forkedFromDefaultGenerator());
    }

    Applied applied() {
        return applied;
    }
}

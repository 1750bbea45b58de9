package io.tome4j.merging;

import io.tome4j.tensor.Profile;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Which tokens become one: the result of a matching, applied to any tensor of that batch size and length. A group is a
 * destination and the sources merged into it; merging takes its mean (arXiv 2303.17604, section 3), unmerging gives the
 * group's value to each of its tokens.
 *
 * <p>The merged sequence holds first the sources that stay single, most similar first, then the destinations.
 *
 * <p>All index tensors address rows of the flattened {@code [B * N, C]}: gathering whole rows so is many times faster
 * than gathering along expanded indices. They belong to the scope in which the plan was made.
 */
public final class MergePlan implements TokenMerge {
    private final long batch;
    private final long tokens;
    private final long single;
    private final long destinations;
    private final Tensor keptRows; // [B * N'] rows of x that begin the merged sequence: single sources, destinations
    private final Tensor mergedRows; // [B * r] rows of x that are merged away
    private final Tensor targetRows; // [B * r] the row of the merged sequence that each is merged into
    private final Tensor groupSizes; // [B, D, 1] tokens in each destination's group
    private final Tensor sourceOfRow; // [B * N] the row of the merged sequence that each token is unmerged from

    /**
     * @param sources {@code [N - D]} token numbers
     * @param destinationTokens {@code [D]} token numbers
     * @param order {@code [B, N - D]} the sources' positions, those to merge first
     * @param best {@code [B, N - D]} each source's destination, a position in {@code destinationTokens}
     * @param r how many sources are merged
     */
    MergePlan(Tensor sources, Tensor destinationTokens, Tensor order, Tensor best, long r) {
        this.batch = order.size(0);
        this.destinations = destinationTokens.size(0);
        this.tokens = sources.size(0) + destinations;
        this.single = sources.size(0) - r;
        long merged = single + destinations;
        TensorOptions integers = order.options();

        Tensor image = torch.arange(new Scalar(batch), integers).view(batch, 1);
        Tensor firstRow = image.mul(new Scalar(tokens)); // [B, 1] of the flattened input
        Tensor firstMergedRow = image.mul(new Scalar(merged)); // [B, 1] of the flattened merged sequence
        Tensor toMerge = Tensors.slice(order, 1, 0, r); // [B, r]
        Tensor toKeep = Tensors.slice(order, 1, r, order.size(1)); // [B, single]

        Tensor singleRows = lookUp(sources, toKeep).add(firstRow);
        Tensor destinationRows = destinationTokens.view(1, destinations).add(firstRow);
        this.keptRows = Tensors.cat(1, singleRows, destinationRows).reshape(-1);
        this.mergedRows = lookUp(sources, toMerge).add(firstRow).reshape(-1);
        Tensor target = best.gather(1, toMerge); // [B, r]
        this.targetRows = target.add(firstMergedRow).add_(new Scalar(single)).reshape(-1);
        this.groupSizes = torch.ones(new long[] {batch * merged}, new TensorOptions(ScalarType.Float))
                .to(order.device(), ScalarType.Float)
                .index_add_(0, targetRows, torch.ones_like(targetRows).to(ScalarType.Float))
                .view(batch, merged, 1)
                .narrow(1, single, destinations);

        Tensor rows = torch.empty_like(
                        firstRow.expand(new long[] {batch, tokens}, false).contiguous())
                .reshape(-1);
        rows.index_copy_(0, keptRows, torch.arange(new Scalar(batch * merged), integers));
        rows.index_copy_(0, mergedRows, targetRows);
        this.sourceOfRow = rows;
    }

    private static Tensor lookUp(Tensor table, Tensor positions) {
        return table.index_select(0, positions.reshape(-1)).view(positions.size(0), positions.size(1));
    }

    /** Tokens before merging. */
    public long tokensBefore() {
        return tokens;
    }

    /** Tokens after merging. */
    public long tokensAfter() {
        return single + destinations;
    }

    /**
     * For each token, the row of the flattened merged sequence that stands for it.
     *
     * @return {@code [B, N]} int64, with values in [0, B * N')
     */
    public Tensor groups() {
        return sourceOfRow.view(batch, tokens);
    }

    /**
     * Shortens a sequence without averaging: of each group only its destination's value is kept.
     *
     * @param x {@code [B, N, C]}, of any dtype
     * @return {@code [B, N', C]}
     */
    public Tensor keep(Tensor x) {
        requireShape(x, tokens);
        try (var scope = TensorScope.open()) {
            return scope.release(x.reshape(batch * tokens, x.size(2))
                    .index_select(0, keptRows)
                    .view(batch, tokensAfter(), x.size(2)));
        }
    }

    @Override
    public Tensor merge(Tensor x) {
        requireShape(x, tokens);
        try (var scope = TensorScope.open();
                var section = Profile.section(Profile.Part.MERGING)) {
            Tensor rows = x.reshape(batch * tokens, x.size(2));
            Tensor merged = rows.index_select(0, keptRows);
            merged.index_add_(0, targetRows, rows.index_select(0, mergedRows));
            Tensor sequence = merged.view(batch, tokensAfter(), x.size(2));
            sequence.narrow(1, single, destinations).div_(groupSizes);
            return scope.release(sequence);
        }
    }

    @Override
    public Tensor unmerge(Tensor x) {
        requireShape(x, tokensAfter());
        try (var scope = TensorScope.open();
                var section = Profile.section(Profile.Part.MERGING)) {
            return scope.release(x.reshape(batch * tokensAfter(), x.size(2))
                    .index_select(0, sourceOfRow)
                    .view(batch, tokens, x.size(2)));
        }
    }

    private void requireShape(Tensor x, long length) {
        if (x.dim() != 3 || x.size(0) != batch || x.size(1) != length) {
            throw new IllegalArgumentException("This plan is for [" + batch + ", " + length + ", C], not for "
                    + java.util.Arrays.toString(Tensors.shape(x)));
        }
    }
}

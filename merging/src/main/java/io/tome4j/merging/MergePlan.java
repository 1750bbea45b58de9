package io.tome4j.merging;

import io.tome4j.tensor.Profile;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Which tokens become one: the result of a matching, applied to any tensor of that batch size and length. A group is a
 * destination and the sources merged into it; merging takes its mean (arXiv 2303.17604, section 3), unmerging gives the
 * group's value to each of its tokens.
 *
 * <p>The merged sequence holds first the sources that stay single, then the destinations, each in the order of the grid.
 *
 * <p>All index tensors address rows of the flattened {@code [B * N, C]}: gathering whole rows so is many times faster
 * than gathering along expanded indices. They belong to the scope in which the plan was made.
 */
public final class MergePlan implements TokenMerge {
    private final long batch;
    private final long tokens;
    private final long single;
    private final long destinations;
    private final Tensor sourceOfRow; // [B * N] int64: the row of the merged sequence that each token is unmerged from
    private final Tensor members; // [B * N] int32: rows of x by the row they go to, a group's destination first
    private final Tensor firstMember; // [B * N'] int32: where in members each row's group begins
    private final Tensor sizes; // [B, N', 1] fp32: tokens in each group

    private MergePlan(MergePlan other, UnaryOperator<Tensor> owner) {
        this.batch = other.batch;
        this.tokens = other.tokens;
        this.single = other.single;
        this.destinations = other.destinations;
        this.sourceOfRow = owner.apply(other.sourceOfRow);
        this.members = owner.apply(other.members);
        this.firstMember = owner.apply(other.firstMember);
        this.sizes = owner.apply(other.sizes);
    }

    /**
     * @param sources {@code [S]} token numbers, ascending
     * @param destinationTokens {@code [D]} token numbers, ascending
     * @param merges {@code [B, S]} bool: which sources are merged away, {@code r} of each image
     * @param best {@code [B, S]} each source's destination, a position in {@code destinationTokens}
     * @param r how many sources of an image are merged
     */
    MergePlan(Tensor sources, Tensor destinationTokens, Tensor merges, Tensor best, long r) {
        this.batch = merges.size(0);
        this.destinations = destinationTokens.size(0);
        this.tokens = sources.size(0) + destinations;
        this.single = sources.size(0) - r;
        long rows = batch * tokensAfter();
        try (var scope = TensorScope.open()) {
            Tensor firstRow = torch.arange(new Scalar(batch), best.options())
                    .mul_(new Scalar(tokensAfter()))
                    .view(batch, 1); // [B, 1] of the flattened merged sequence
            Tensor numbers = torch.arange(new Scalar(single + destinations), best.options());
            Tensor ofDestinations = Tensors.slice(numbers, 0, single, single + destinations); // [D]
            Tensor alone = merges.logical_not().cumsum(1).sub_(new Scalar(1)); // [B, S] a number among the single ones
            Tensor ofSources = torch.where(merges, best.add(new Scalar(single)), alone);
            Tensor row = torch.zeros(new long[] {batch, tokens}, best.options());
            row.index_copy_(1, sources, ofSources.add_(firstRow));
            row.index_copy_(1, destinationTokens, ofDestinations.add(firstRow));
            Tensor flat = row.view(-1);
            // Not bincount, which on a GPU asks twice for the largest number and waits for all work before.
            Tensor counts = torch.zeros(new long[] {rows}, best.options())
                    .scatter_add_(0, flat, torch.ones_like(flat)); // [B * N']

            // Grouped by row, and in a group the destination before the merged ones.
            Tensor late = torch.zeros_like(row).index_copy_(1, sources, merges.to(ScalarType.Long));
            Tensor order = late.view(-1).add_(flat, new Scalar(2)).argsort(true, 0, false);
            this.sourceOfRow = scope.release(flat);
            this.members = scope.release(order.to(ScalarType.Int));
            this.firstMember = scope.release(counts.cumsum(0).sub_(counts).to(ScalarType.Int));
            this.sizes = scope.release(counts.to(ScalarType.Float).view(batch, tokensAfter(), 1));
        }
    }

    /** The plan with its tensors handed over to the scope around. */
    MergePlan release(TensorScope scope) {
        return new MergePlan(this, scope::release);
    }

    /** The plan with tensors that live beyond all scopes, until {@link #free()}. */
    MergePlan retain(TensorScope scope) {
        return new MergePlan(this, scope::retain);
    }

    /** Frees the tensors of a plan that was retained. */
    void free() {
        sourceOfRow.close();
        members.close();
        firstMember.close();
        sizes.close();
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
     * For each token of the merged sequence, how many it stands for.
     *
     * @return {@code [B, N', 1]} fp32
     */
    public Tensor sizes() {
        return sizes;
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
            Tensor kept = members.index_select(0, firstMember);
            return scope.release(
                    x.reshape(batch * tokens, x.size(2)).index_select(0, kept).view(batch, tokensAfter(), x.size(2)));
        }
    }

    @Override
    public Tensor merge(Tensor x) {
        requireShape(x, tokens);
        try (var scope = TensorScope.open();
                var section = Profile.section(Profile.Part.MERGING)) {
            Tensor rows = x.reshape(batch * tokens, x.size(2)).contiguous();
            // Sums of rows, group by group, accumulated in fp32: one pass over x, without a copy of what is merged.
            Tensor sums = torch.embedding_bag(
                            rows, members, firstMember, false, SUM, false, new TensorOptional(), false)
                    .get0();
            Tensor sequence = sums.view(batch, tokensAfter(), x.size(2));
            sequence.narrow(1, single, destinations).div_(sizes.narrow(1, single, destinations));
            return scope.release(sequence);
        }
    }

    /** What {@code embedding_bag} calls it. */
    private static final long SUM = 0;

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

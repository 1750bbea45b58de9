package io.tome4j.benchmarks;

import io.tome4j.merging.BipartiteSoftMatching;
import io.tome4j.merging.DestinationDraw;
import io.tome4j.merging.MergePlan;
import io.tome4j.merging.Precision;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Random tokens of two images, as the first level of Stable Diffusion 1.5 has them under guidance. */
@State(Scope.Thread)
public class Tokens {
    /** Rows and columns: 64 is an image of 512 x 512 pixels, 128 one of 1024 x 1024. */
    @Param({"64", "128"})
    public int side = 64;

    @Param({"FP32", "BF16"})
    public DType dtype = DType.FP32;

    Tensor x = new Tensor(); // [2, side * side, 320]

    @Setup(Level.Trial)
    public void draw() {
        try (var scope = TensorScope.open()) {
            Tensor random = Tensors.randn(Tensors.generator(1), 2, (long) side * side, 320);
            x = scope.retain(new Placement(ComputeDevice.CPU, dtype).place(random));
        }
    }

    TokenGrid grid() {
        return new TokenGrid(side, side);
    }

    /** A matching that merges half of the tokens; it belongs to the open scope. */
    MergePlan plan(Precision precision) {
        return (MergePlan)
                BipartiteSoftMatching.random2d(x, grid(), 2, 2, side * side / 2L, DestinationDraw.seeded(1), precision);
    }
}

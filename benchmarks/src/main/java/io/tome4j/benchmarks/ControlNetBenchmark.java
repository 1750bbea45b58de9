package io.tome4j.benchmarks;

import io.tome4j.checkpoint.Config;
import io.tome4j.checkpoint.RandomWeights;
import io.tome4j.merging.MergeContext;
import io.tome4j.merging.MergeRun;
import io.tome4j.merging.MergeableBlock;
import io.tome4j.merging.MergeableModel;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.ToMePatch;
import io.tome4j.merging.TokenGrid;
import io.tome4j.models.unet.AddedFeatures;
import io.tome4j.models.unet.Conditioning;
import io.tome4j.models.unet.ControlNetConfig;
import io.tome4j.models.unet.ControlNetModel;
import io.tome4j.models.unet.ControlResiduals;
import io.tome4j.models.unet.FeatureReuse.Pass;
import io.tome4j.models.unet.UNet2DConditionModel;
import io.tome4j.tensor.AttentionKernel;
import io.tome4j.tensor.ComputeDevice;
import io.tome4j.tensor.DType;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.Tensor;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A step of Stable Diffusion 1.5 with a ControlNet, both with random weights, under guidance: nothing merged, tokens of the UNet
 * merged, tokens of both. The time is a real one, for it does not depend on the weights; the images would mean nothing.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1)
@Measurement(iterations = 5)
@Fork(1)
public class ControlNetBenchmark {
    /** What is said beyond the defaults in the configs of Stable Diffusion 1.5's UNet and its ControlNets. */
    private static final String SD15 =
            """
            {
              "attention_head_dim": 8,
              "block_out_channels": [320, 640, 1280, 1280],
              "cross_attention_dim": 768,
              "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
              "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
            }
            """;

    private static final double TIMESTEP = 501;
    private static final int ROWS = 2; // with the prompt and without

    /** Where tokens are merged. */
    public enum Merged {
        NOWHERE,
        UNET,
        BOTH
    }

    @Param
    public Merged merged = Merged.NOWHERE;

    @Param("0.5")
    public double ratio = 0.5;

    /** Rows and columns of the latents: 64 is an image of 512 x 512 pixels. */
    @Param("64")
    public int side = 64;

    @Param("BF16")
    public DType dtype = DType.BF16;

    private Optional<Loaded> loaded = Optional.empty();

    /** Both networks, and what they see, in a scope of its own. */
    private record Loaded(
            TensorScope scope,
            UNet2DConditionModel unet,
            ControlNetModel net,
            Conditioning ofUnet,
            Conditioning ofNet,
            Tensor latents,
            Tensor image) {}

    @Setup(Level.Trial)
    public void load() {
        Placement placement = new Placement(ComputeDevice.CPU, dtype);
        UNet2DConditionModel unet = UNet2DConditionModel.of(
                Weights.of(new RandomWeights(0), placement), Config.parse(SD15, "SD 1.5"), AttentionKernel.EFFICIENT);
        ControlNetModel net = ControlNetModel.of(
                Weights.of(new RandomWeights(1), placement),
                ControlNetConfig.of(Config.parse(SD15, "SD 1.5's ControlNet")),
                AttentionKernel.EFFICIENT);
        TensorScope scope = TensorScope.open();
        Generator generator = Tensors.generator(0);
        Tensor text = Tensors.randn(generator, ROWS, 77, 768);
        loaded = Optional.of(new Loaded(
                scope,
                unet,
                net,
                unet.condition(text, TIMESTEP),
                net.condition(List.of(text), Optional.empty(), TIMESTEP),
                Tensors.randn(generator, ROWS, 4, side, side),
                net.embed(Tensors.randn(generator, 1, 3, 8L * side, 8L * side))));
    }

    @TearDown(Level.Trial)
    public void close() {
        loaded.ifPresent(all -> {
            all.scope().close();
            all.net().close();
            all.unet().close();
        });
    }

    /** The net and the UNet. */
    @Benchmark
    public long step() {
        Loaded all = loaded.orElseThrow();
        try (var scope = TensorScope.open();
                MergeRun run = run(all)) {
            AddedFeatures added = new AddedFeatures(Optional.of(residuals(all, run)), List.of());
            return all.unet()
                    .forward(all.latents(), TIMESTEP, all.ofUnet(), run.step(0), Pass.WHOLE, added)
                    .size(0);
        }
    }

    /** The net alone. */
    @Benchmark
    public long net() {
        Loaded all = loaded.orElseThrow();
        try (var scope = TensorScope.open();
                MergeRun run = run(all)) {
            return residuals(all, run).mid().size(0);
        }
    }

    private ControlResiduals residuals(Loaded all, MergeRun run) {
        MergeContext context = merged == Merged.BOTH ? run.step(0) : MergeContext.NONE;
        return all.net().forward(all.latents(), TIMESTEP, all.image(), all.ofNet(), 1, false, context);
    }

    private MergeRun run(Loaded all) {
        return merged == Merged.NOWHERE
                ? MergeRun.of(all.unet(), ToMeOptions.NONE, 0, ROWS)
                : MergeRun.of(new Together(all.unet(), all.net()), ToMeOptions.ratio(ratio), 0, ROWS);
    }

    /** Blocks of both, as the pipeline's {@code merge_controlnet} has it. */
    private record Together(UNet2DConditionModel unet, ControlNetModel net) implements MergeableModel {
        @Override
        public List<? extends MergeableBlock> mergeableBlocks() {
            List<MergeableBlock> blocks = new ArrayList<>(unet.mergeableBlocks());
            blocks.addAll(net.mergeableBlocks());
            return blocks;
        }

        @Override
        public TokenGrid nominalGrid() {
            return unet.nominalGrid();
        }

        @Override
        public ToMePatch patch() {
            return unet.patch();
        }
    }
}

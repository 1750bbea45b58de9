package io.tome4j.merging.example;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.merging.TokenGrid;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class OwnTransformerTest {
    @Test
    void mergesInAModelThatIsNotOursAndTakesThePatchAwayAgain() {
        try (var scope = TensorScope.open()) {
            var model = new OwnTransformer(new TokenGrid(16, 16), 32);
            Tensor x = Tensors.randn(Tensors.generator(1), 2, 256, 32);
            float[] unpatched = Tensors.floats(model.forward(x));
            assertThat(model.mergeableBlocks())
                    .extracting(OwnTransformer.Block::queriesSeen)
                    .containsExactly(256L, 256L);

            var report = ToMe.applyPatch(model, ToMeOptions.ratio(0.5));
            float[] merged = Tensors.floats(model.forward(x));
            assertThat(report.blocks()).hasSize(2);
            assertThat(model.mergeableBlocks())
                    .extracting(OwnTransformer.Block::queriesSeen)
                    .containsExactly(128L, 128L);
            assertThat(merged).hasSameSizeAs(unpatched).isNotEqualTo(unpatched);

            ToMe.removePatch(model);
            assertThat(Tensors.floats(model.forward(x))).isEqualTo(unpatched);
        }
    }
}

package io.tome4j.models.tiles;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.fixtures.Fixtures;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TilesTest {
    @Test
    void spansCoverEveryLengthWithOverlapsAndNoneIsLargerThanATile() {
        for (long length = 1; length <= 700; length++) {
            List<Tiles.Span> spans = Tiles.divide(length);
            assertThat(spans.get(0).from()).isZero();
            assertThat(spans.get(spans.size() - 1).to()).isEqualTo(length);
            for (int i = 0; i < spans.size(); i++) {
                long size = spans.get(i).to() - spans.get(i).from();
                assertThat(size).isBetween(Math.min(length, 40), Tiles.SIZE);
                if (i > 0) {
                    long overlap = spans.get(i - 1).to() - spans.get(i).from();
                    assertThat(overlap).as("length %d", length).isBetween(Tiles.OVERLAP, size / 2);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"65, 200, 1, 1", "101, 64, 2, 2", "143, 77, 1, 4", "130, 66, 4, 1"})
    void codingThatLooksAtNoNeighboursIsUndisturbedByTiling(int height, int width, int inScale, int outScale) {
        try (var scope = TensorScope.open()) {
            // a value for each latent, repeated over its elements
            Tensor latents = Tensors.randn(Tensors.generator(5), 1, 2, height, width);
            Tensor in = enlarged(latents, inScale);
            Tensor out = new Tiles(height, width, true)
                    .run(in, inScale, outScale, 2, tile -> enlarged(shrunk(tile, inScale), outScale));
            assertThat(Fixtures.maxDifference(out, enlarged(latents, outScale))).isLessThan(1e-5);
        }
    }

    private static Tensor enlarged(Tensor x, long factor) {
        return torch.upsample_nearest2d(x, new long[] {x.size(2) * factor, x.size(3) * factor});
    }

    private static Tensor shrunk(Tensor x, long factor) {
        return torch.upsample_nearest2d(x, new long[] {x.size(2) / factor, x.size(3) / factor});
    }

    @Test
    void noTileIsLargerThan64x64WhateverTheImage() {
        try (var scope = TensorScope.open()) {
            long[] largest = new long[1];
            Tensor latents = torch.zeros(1, 1, 300, 500);
            new Tiles(300, 500, true).run(latents, 1, 1, 1, tile -> {
                largest[0] = Math.max(largest[0], tile.size(2) * tile.size(3));
                return tile.clone();
            });
            assertThat(largest[0]).isLessThanOrEqualTo(Tiles.SIZE * Tiles.SIZE);
        }
    }
}

package io.tome4j.evaluation.measures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tome4j.checkpoint.CheckpointFolder.Component;
import io.tome4j.models.clip.ClipModel;
import io.tome4j.tensor.Placement;
import io.tome4j.tensor.TensorScope;
import io.tome4j.tensor.Tensors;
import io.tome4j.tensor.TomeException;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SetMeasuresTest {
    private static List<float[]> rows(String name) {
        try (var scope = TensorScope.open()) {
            Tensor all = MeasureFixtures.tensors().load(name);
            int size = (int) all.size(1);
            float[] values = Tensors.floats(all);
            List<float[]> rows = new ArrayList<>();
            for (int start = 0; start < values.length; start += size) {
                rows.add(Arrays.copyOfRange(values, start, start + size));
            }
            return rows;
        }
    }

    /** Of the fixture's tensor {@code [N, 3, H, W]}. */
    private static List<BufferedImage> images(String name) {
        try (var scope = TensorScope.open()) {
            Tensor all = MeasureFixtures.tensors().load(name);
            int height = (int) all.size(2);
            int width = (int) all.size(3);
            float[] values = Tensors.floats(all);
            List<BufferedImage> images = new ArrayList<>();
            for (int number = 0; number < all.size(0); number++) {
                BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
                for (int i = 0; i < height * width; i++) {
                    int first = number * 3 * height * width + i;
                    int rgb = (int) values[first] << 16
                            | (int) values[first + height * width] << 8
                            | (int) values[first + 2 * height * width];
                    image.setRGB(i % width, i / width, rgb);
                }
                images.add(image);
            }
            return images;
        }
    }

    private static ClipModel clip() {
        return ClipModel.of(Component.alone(MeasureFixtures.path("tiny-clip"), ""), Placement.CPU_FP32);
    }

    private static double ofImages(ImageFeatures features) {
        return FrechetDistance.between(
                images("set.a").stream().map(features::of).toList(),
                images("set.b").stream().map(features::of).toList());
    }

    @Test
    void distancesOfFeaturesEqualThoseOfPytorchFid() {
        assertThat(FrechetDistance.between(rows("wide.a"), rows("wide.b")))
                .isCloseTo(MeasureFixtures.cases("/frechet/wide").asDouble(), within(1e-6));
    }

    @Test
    void fewerImagesThanFeaturesAreExactWherePytorchFidIsNearly() {
        double distance = FrechetDistance.between(rows("few.a"), rows("few.b"));
        assertThat(distance).isCloseTo(MeasureFixtures.cases("/frechet/few").asDouble(), within(1e-4));
        assertThat(distance)
                .isCloseTo(MeasureFixtures.cases("/frechet/few_exact").asDouble(), within(1e-9));
    }

    @ParameterizedTest
    @ValueSource(strings = {"wide.a", "few.b"})
    void aSetIsNotApartFromItself(String name) {
        assertThat(FrechetDistance.between(rows(name), rows(name))).isCloseTo(0, within(1e-9));
    }

    @Test
    void distancesOfImagesEqualThoseOfPytorchFid() {
        try (ImageFeatures features = ImageFeatures.torchScript(MeasureFixtures.path("features.pt"))) {
            assertThat(features.name()).isEqualTo("features.pt");
            assertThat(ofImages(features))
                    .isCloseTo(MeasureFixtures.cases("/frechet/set").asDouble(), within(1e-4));
        }
        try (ClipModel model = clip();
                ImageFeatures features = ImageFeatures.clip("tiny-clip", model)) {
            assertThat(ofImages(features))
                    .isCloseTo(MeasureFixtures.cases("/frechet/clip").asDouble(), within(1e-4));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "features-unpooled.pt | gives the shape [1, 6, 1, 1] for one image where features have the shape [1, D]",
                "lpips.pt | lpips.pt failed on 1 batch of images",
                "cases.json | cases.json holds no TorchScript network",
                "nowhere.pt | There is no file",
            })
    void aNetworkThatGivesNoFeaturesIsNamed(String file, String message) {
        assertThatThrownBy(() -> {
                    try (ImageFeatures features = ImageFeatures.torchScript(MeasureFixtures.path(file))) {
                        features.of(MeasureFixtures.image("odd-a"));
                    }
                })
                .isInstanceOf(TomeException.class)
                .hasMessageContaining(message);
    }

    @Test
    void setsThatCannotBeComparedAreRefused() {
        List<float[]> two = List.of(new float[] {1, 2}, new float[] {2, 3});
        assertThatThrownBy(() -> FrechetDistance.between(two, two.subList(0, 1)))
                .isInstanceOf(TomeException.class)
                .hasMessageContaining("at least two images in each set; one has 1");
        assertThatThrownBy(() -> FrechetDistance.between(two, List.of(new float[3], new float[3])))
                .hasMessageContaining("2 features and those of the other 3");
        assertThatThrownBy(() -> FrechetDistance.between(two, List.of(new float[3], new float[2])))
                .hasMessageContaining("have 3 and 2 features");
        assertThatThrownBy(() -> FrechetDistance.between(two, List.of(new float[2], new float[] {1, Float.NaN})))
                .hasMessageContaining("Image 2 has the feature NaN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"odd", "square", "narrow", "large"})
    void clipScoresEqualThoseOfTorchmetrics(String name) {
        JsonNode expected = MeasureFixtures.cases("/clip/" + name);
        try (ClipModel model = clip()) {
            double score = new ClipScore(model)
                    .of(
                            MeasureFixtures.image(name + "-a"),
                            expected.get("prompt").asText());
            assertThat(score).isCloseTo(100 * expected.get("cosine").asDouble(), within(1e-4));
            if (expected.has("score")) {
                assertThat(ClipScore.mean(List.of(score)))
                        .isCloseTo(expected.get("score").asDouble(), within(1e-4));
            }
        }
    }

    @Test
    void fiftyImagesLeaveNothingBehind() {
        BufferedImage image = MeasureFixtures.image("square-a");
        ImageFeatures.torchScript(MeasureFixtures.path("features.pt")).close();
        List<float[]> rows = rows("wide.a");
        FrechetDistance.between(rows, rows);
        long before = TensorScope.liveObjects();
        try (ImageFeatures features = ImageFeatures.torchScript(MeasureFixtures.path("features.pt"))) {
            long loaded = TensorScope.liveObjects();
            for (int i = 0; i < 50; i++) {
                features.of(image);
                FrechetDistance.between(rows, rows);
            }
            assertThat(TensorScope.liveObjects()).isEqualTo(loaded);
        }
        assertThat(TensorScope.liveObjects()).isEqualTo(before);
    }
}

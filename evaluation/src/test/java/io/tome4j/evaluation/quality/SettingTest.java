package io.tome4j.evaluation.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tome4j.diffusion.Request;
import io.tome4j.merging.Precision;
import io.tome4j.merging.ToMeOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingTest {
    private static final ToMeOptions BASE = ToMeOptions.ratio(0).maxDownsample(2);

    @Test
    void tomesdKeepsWhatTheReferenceHasAndTakesItsHabits() {
        ToMeOptions base =
                BASE.stride(4, 2).useRand(false).mergeMlp(true).matchEvery(3).sizeWeighted(true);
        assertThat(Setting.of("tomesd", 0.5, base).merging())
                .isEqualTo(ToMeOptions.ratio(0.5)
                        .mode(ToMeOptions.Mode.TOMESD)
                        .maxDownsample(2)
                        .stride(4, 2)
                        .useRand(false)
                        .mergeMlp(true));
    }

    @Test
    void optionsFollowAPlus() {
        Setting setting = Setting.of("tome+match-every=2+merge-mlp+match-precision=bf16+sx=4", 0.25, BASE);
        assertThat(setting.merging())
                .isEqualTo(BASE.withRatio(0.25)
                        .matchEvery(2)
                        .mergeMlp(true)
                        .matchPrecision(Precision.BF16)
                        .stride(4, 2));
        assertThat(setting.label()).isEqualTo("tome+match-every=2+merge-mlp+match-precision=bf16+sx=4 0.25");
        assertThat(Setting.of("todo", 0.75, BASE).slug()).isEqualTo("todo-0.75");
        assertThat(Setting.UNMERGED.label()).isEqualTo("unmerged");
    }

    @Test
    void aVariantMayHaveARatioOfItsOwnWhichStandsOnceWhateverTheRatios() {
        List<Setting> settings = Setting.all(List.of("tome+ratio=0.2..0.6", "tome"), List.of(0.25, 0.5), BASE);
        assertThat(settings.stream().map(Setting::label))
                .containsExactly("tome+ratio=0.2..0.6", "tome 0.25", "tome 0.5");
        assertThat(settings.get(0).merging()).isEqualTo(BASE.withRatio(0.2, 0.6));
        assertThat(settings.get(0).savings().label()).isEqualTo("tome 0.2..0.6");
        assertThat(Setting.of("tome+ratio-end=0.6", 0.2, BASE).merging()).isEqualTo(BASE.withRatio(0.2, 0.6));
        assertThat(Setting.of("tome", 0.2, BASE.withRatio(0.5, 0.6)).merging()).isEqualTo(BASE.withRatio(0.2, 0.6));
    }

    @Test
    void whatARequestLeavesOutFollowsAPlusToo() {
        Setting both = Setting.of("tome+reuse-every=3+match-every=2+guidance-to=0.8", 0.5, BASE);
        assertThat(both.merging()).isEqualTo(BASE.withRatio(0.5).matchEvery(2));
        Request request = both.savings().applyTo(Request.of("x"));
        assertThat(request.reuseEvery()).isEqualTo(3);
        assertThat(request.guidanceTo()).isEqualTo(0.8);
        Setting alone = Setting.of("none+reuse-every=3", 0.5, BASE);
        assertThat(alone.merges()).isFalse();
        assertThat(alone.saves()).isTrue();
        assertThat(alone.label()).isEqualTo("none+reuse-every=3");
    }

    @Test
    void whatDoesNotMergeStandsOnceWhateverTheRatios() {
        assertThat(Setting.all(List.of("tome", "none+reuse-every=2"), List.of(0.25, 0.5), BASE))
                .extracting(Setting::label)
                .containsExactly("tome 0.25", "tome 0.5", "none+reuse-every=2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tomes|0.5|methods has 'tomes': it must be one of tome, todo, query",
                "tome+faster|0.5|there is no option 'faster' to follow a plus: there are ratio, ratio-end, max-downsample, sx, sy, no-rand, no-merge-attn, merge-crossattn",
                "tome+match-every=x|0.5|match-every is 'x': it must be a whole number",
                "tome+match-per=all|0.5|match-per is 'all': it must be one of block, side, level",
                "tome+merge-mlp=yes|0.5|merge-mlp takes no value",
                "tome+match-every=0|0.5|match-every is 0",
                "todo+merge-mlp|0.5|method todo",
                "tomesd+match-every=2|0.5|mode tomesd",
                "none|0.5|which is the unmerged image",
                "none+match-every=2|0.5|there is no option 'match-every' to follow a plus: there are reuse-every",
                "tome+reuse-every=0|0.5|reuse-every is 0",
                "tome|0|ratios has 0.0",
                "tome|1.5|ratios has 1.5"
            })
    void whatDoesNotGoTogetherIsRefused(String variant, double ratio, String message) {
        assertThatThrownBy(() -> Setting.of(variant, ratio, BASE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}

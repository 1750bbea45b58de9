package io.tome4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.merging.ToMeOptions;
import org.junit.jupiter.api.Test;

class MergingIdentityTest {
    @Test
    void onlyTheRatioAndWhatIsNotTheDefaultIsNamed() {
        ToMeOptions half = ToMeOptions.ratio(0.5);
        assertThat(MergingIdentity.of(half)).isEqualTo("ratio=0.5");
        assertThat(MergingIdentity.of(half.matchEvery(2).mergeMlp(true).maxDownsample(2)))
                .isEqualTo("ratio=0.5 max_downsample=2 merge_mlp=true match_every=2");
        assertThat(MergingIdentity.of(half.method(ToMeOptions.Method.TODO).useRand(false)))
                .isEqualTo("ratio=0.5 use_rand=false method=todo");
    }

    @Test
    void aModeBringsItsOwnMatching() {
        assertThat(MergingIdentity.of(ToMeOptions.ratio(0.25).mode(ToMeOptions.Mode.TOMESD)))
                .isEqualTo("ratio=0.25 mode=tomesd");
    }

    @Test
    void withoutARatioThereIsNoMergingWhateverTheOtherOptions() {
        assertThat(MergingIdentity.of(ToMeOptions.ratio(0).mergeMlp(true))).isEqualTo("off");
    }
}

package io.tome4j.merging;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.tensor.Engine;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class DestinationDrawTest {
    @Test
    void seededDrawsDependOnTheSeedAlone() {
        long[] first = DestinationDraw.seeded(5).draw(100, 4);
        Engine.start();
        torch.manual_seed(99);
        assertThat(DestinationDraw.seeded(5).draw(100, 4)).isEqualTo(first);
        assertThat(DestinationDraw.seeded(6).draw(100, 4)).isNotEqualTo(first);
        assertThat(first).containsOnly(0, 1, 2, 3);
    }

    @Test
    void forkedDrawsTakeTheDefaultGeneratorsStateOnceAndRunOn() {
        Engine.start();
        torch.manual_seed(5);
        DestinationDraw forked = DestinationDraw.forkedFromDefaultGenerator();
        long[] first = forked.draw(100, 4);
        assertThat(first).isEqualTo(DestinationDraw.seeded(5).draw(100, 4));
        torch.manual_seed(5); // as in tomesd, seeding again does not help
        assertThat(forked.draw(100, 4)).isNotEqualTo(first);
    }

    @Test
    void forkedDrawsLeaveTheDefaultGeneratorAlone() {
        Engine.start();
        torch.manual_seed(5);
        DestinationDraw.forkedFromDefaultGenerator().draw(100, 4);
        assertThat(DestinationDraw.forkedFromDefaultGenerator().draw(100, 4))
                .isEqualTo(DestinationDraw.seeded(5).draw(100, 4));
    }
}

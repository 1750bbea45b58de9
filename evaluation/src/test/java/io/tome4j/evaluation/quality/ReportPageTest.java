package io.tome4j.evaluation.quality;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.evaluation.quality.Pareto.Point;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class ReportPageTest {
    private static Point point(String name, double cost, double quality) {
        return new Point(name, "tome", cost, quality, quality, quality);
    }

    @Test
    void theFrontHoldsWhatNothingBeats() {
        List<Point> points = List.of(
                point("slow and best", 3, 0.9),
                point("fast and worst", 1, 0.5),
                point("beaten", 2, 0.4),
                point("as fast, better", 1, 0.6),
                point("middle", 2, 0.8),
                point("slower than unmerged", 5, 0.99));
        assertThat(TradeOffChart.front(points, 4))
                .extracting(Point::name)
                .containsExactly("as fast, better", "middle", "slow and best");
    }

    @Test
    void marksOfAnAxisAreRoundAndInside() {
        assertThat(Axis.around(0.83, 0.97).marks())
                .allSatisfy(mark -> assertThat(mark).isBetween(0.82, 0.98));
        assertThat(Axis.around(0.83, 0.97).marks().stream()
                        .map(Axis.around(0.83, 0.97)::text)
                        .toList())
                .containsExactly("0.85", "0.90", "0.95");
        assertThat(Axis.around(12, 12).marks()).isNotEmpty();
        assertThat(Axis.around(0.2, 12).place(0.2)).isBetween(0.0, 0.1);
    }

    @Test
    void aChartTellsInWordsWhatItShows() {
        String chart = TradeOffChart.of(
                new Scale("lpips", "LPIPS", true),
                List.of(point("tome 0.5", 1, -0.25), point("tome 0.25", 2, -0.1)),
                3);
        assertThat(chart)
                .contains("aria-label=\"LPIPS against seconds a step. On the Pareto front: tome 0.5, tome 0.25\"")
                .contains("<title>tome 0.5: LPIPS 0.2500, 1.000 s a step</title>")
                .contains("lower is better")
                .doesNotContain("NaN");
    }

    @Test
    void thePageIsSelfContainedAndEscapesPrompts() throws IOException {
        EvaluationReport report = MadeUp.report(4, 64);
        String page = report.html(MadeUp.images(report, 1));
        assertThat(page.replaceAll("[A-Za-z0-9+/=]{200,}", "")) // base 64 can spell anything
                .doesNotContain("http:", "https:", "url(", "@import", "NaN", "<b>bold")
                .contains("prefers-color-scheme: dark", "width=device-width", "default-src 'none'")
                .contains("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;", "Arts &amp; &lt;Crafts&gt; (2)")
                .contains("Challenges", "SSIM over tomesd", "Merge map of a made up prompt, number 0, tome 0.25")
                .contains("cpu &lt;1&gt; &amp; co");
        JsonNode data = data(page);
        assertThat(data.get("cards")).hasSize(4);
        assertThat(data.at("/cards/1/prompt").asText()).startsWith("</script>");
        assertThat(data.at("/cards/0/told/0").asText()).startsWith("PSNR without bound · SSIM 0.9");
        assertThat(data.at("/cards/2/merged")).hasSize(9);
        assertThat(decoded(data.at("/cards/2/merged/8")).getWidth()).isEqualTo(64);
    }

    private static JsonNode data(String page) throws IOException {
        Matcher matcher = Pattern.compile("id=\"image-data\">(.*?)</script>", Pattern.DOTALL)
                .matcher(page);
        assertThat(matcher.find()).isTrue();
        return new ObjectMapper().readTree(matcher.group(1));
    }

    private static BufferedImage decoded(JsonNode image) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(image.asText())));
    }

    @Test
    void imagesShrinkUntilTheyFitAndThenGetFewer() {
        EvaluationReport report = MadeUp.report(3, 512);
        List<List<Row>> rows = new ArrayList<>();
        for (int i = 0; i < 30; i += 10) {
            rows.add(report.result().rows().subList(i, i + 10));
        }
        ReportImages whole = ReportImages.of(rows, MadeUp.images(report, 0), Long.MAX_VALUE);
        assertThat(whole.side()).isEqualTo(512);
        long all = size(whole);
        ReportImages smaller = ReportImages.of(rows, MadeUp.images(report, 0), all - 1);
        assertThat(smaller.side()).isEqualTo(384);
        assertThat(size(smaller)).isLessThan(all);
        ReportImages fewer = ReportImages.of(rows, MadeUp.images(report, 0), 1);
        assertThat(fewer.side()).isEqualTo(128);
        assertThat(fewer.byPrompt()).hasSize(1).first().asList().hasSize(10);
    }

    private static long size(ReportImages images) {
        return images.byPrompt().stream()
                .flatMap(List::stream)
                .mapToLong(String::length)
                .sum();
    }
}

package io.tome4j.evaluation.quality;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.evaluation.page.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

class ReportInBrowserTest {
    private static final String TEXTS =
            "h1, h2, h3, .lead, .lead strong, th, td, summary, .tools label, select, .tools button,"
                    + " .prompt, .told, .badge, .legend, li, svg text";

    @TempDir
    static Path folder;

    private static Browser browser;

    @BeforeAll
    static void open() throws IOException {
        Path page = folder.resolve("report.html");
        EvaluationReport report = MadeUp.report(12, 128);
        Files.writeString(page, report.html(MadeUp.images(report, 1)));
        browser = Browser.open(page);
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void reload() {
        browser.phone(false);
        browser.dark(false);
        browser.driver().navigate().refresh();
    }

    private static List<WebElement> cards() {
        return browser.all("#images .flip");
    }

    private static boolean isUnmerged(WebElement flip) {
        return browser.ask(
                        "const seen = s => getComputedStyle(arguments[0].querySelector(s)).visibility === 'visible';"
                                + " if (seen('img.plain') === seen('img.merged')) { throw new Error('one image is seen'); }"
                                + " if (seen('img.plain') !== seen('.badge.plain')) { throw new Error('the badge lies'); }"
                                + " return seen('img.plain');",
                        flip)
                .equals(true);
    }

    private static String merged(int card) {
        return browser.find("#images .cards li:nth-child(" + (card + 1) + ") img.merged")
                .getDomProperty("src");
    }

    private static void away() {
        new Actions(browser.driver()).moveToElement(browser.find("h1")).perform();
    }

    @Test
    void everyImageIsThereAndLarge() {
        assertThat(cards()).hasSize(12);
        assertThat(browser.ask("return [...document.images].every(i => i.complete && i.naturalWidth === 128)"))
                .isEqualTo(true);
        assertThat(browser.ask("return [...document.images].every(i => i.alt.length > 5)"))
                .isEqualTo(true);
        assertThat(browser.all(".chart")).hasSize(3);
        assertThat(browser.all("#maps img")).hasSize(9);
    }

    @Test
    void pointingAtAnImageShowsItUnmergedUntilThePointerLeaves() {
        away();
        assertThat(isUnmerged(cards().get(3))).isFalse();
        new Actions(browser.driver()).moveToElement(cards().get(3)).perform();
        assertThat(isUnmerged(cards().get(3))).isTrue();
        assertThat(isUnmerged(cards().get(4))).isFalse();
        away();
        assertThat(isUnmerged(cards().get(3))).isFalse();
    }

    @Test
    void enterFlipsOneImageAndFAllOfThem() {
        away();
        cards().get(2).sendKeys(Keys.ENTER);
        assertThat(isUnmerged(cards().get(2))).isTrue();
        assertThat(isUnmerged(cards().get(1))).isFalse();
        cards().get(2).sendKeys(Keys.SPACE);
        assertThat(isUnmerged(cards().get(2))).isFalse();
        browser.find("body").sendKeys("f");
        assertThat(cards()).allMatch(ReportInBrowserTest::isUnmerged);
        assertThat(browser.find("#flip-all").getDomAttribute("aria-pressed")).isEqualTo("true");
        browser.find("#flip-all").click();
        away();
        assertThat(cards()).noneMatch(ReportInBrowserTest::isUnmerged);
    }

    @Test
    void theKeyboardAloneReachesEverything() {
        browser.ask("document.body.focus()");
        StringBuilder reached = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            new Actions(browser.driver()).sendKeys(Keys.TAB).perform();
            reached.append(browser.ask("return document.activeElement.id || document.activeElement.className"))
                    .append(' ');
        }
        assertThat(reached.toString()).contains("scroll", "setting", "order", "flip-all", "flip flip flip");
        cards().get(0).sendKeys(Keys.ARROW_RIGHT);
        assertThat(browser.chosen("#setting")).isEqualTo("tome 0.5");
        cards().get(0).sendKeys(Keys.ARROW_LEFT, Keys.ARROW_LEFT);
        assertThat(browser.chosen("#setting")).isEqualTo("tomesd 0.75");
    }

    @Test
    void anotherSettingShowsItsImagesAndNumbers() {
        String before = merged(5);
        String told = browser.all(".told").get(5).getText();
        browser.choose("#setting", "todo 0.75");
        assertThat(merged(5)).isNotEqualTo(before).startsWith("data:image/jpeg");
        assertThat(browser.all(".told").get(5).getText()).isNotEqualTo(told).contains("SSIM 0.");
        assertThat(browser.find("#images img.merged").getDomProperty("alt")).endsWith("todo 0.75");
        assertThat(browser.find("#images .badge.merged").getText()).isEqualTo("todo 0.75");
    }

    @Test
    void theMostChangedComeFirstWhereTheReaderWantsIt() {
        browser.choose("#order", "Most changed first (SSIM)");
        List<Double> ssim = browser.all("#images .told").stream()
                .map(told -> Double.valueOf(told.getText().replaceAll(".*SSIM ([\\d.]+).*", "$1")))
                .toList();
        assertThat(ssim).isSorted().hasSize(12);
        browser.choose("#order", "Least changed first (SSIM)");
        assertThat(browser.all("#images .told").get(0).getText())
                .contains("SSIM " + String.format(Locale.ROOT, "%.4f", ssim.get(11)));
    }

    @Test
    void aPhoneNeedsNoSidewaysScrollingAndFlipsByTap() {
        browser.phone(true);
        browser.driver().navigate().refresh();
        assertThat(browser.scrollsSideways()).isFalse();
        assertThat(browser.ask("return document.querySelector('.chart svg').getBoundingClientRect().width > 280"))
                .isEqualTo(true);
        assertThat(browser.ask("return [...document.querySelectorAll('.tools select, .tools button')]"
                        + ".every(e => e.getBoundingClientRect().height >= 40)"))
                .isEqualTo(true);
        WebElement card = cards().get(1);
        browser.ask("arguments[0].scrollIntoView({block: 'center'})", card);
        assertThat(isUnmerged(card)).isFalse();
        browser.tap(card);
        assertThat(isUnmerged(card)).isTrue();
        browser.tap(card);
        assertThat(isUnmerged(card)).isFalse();
        browser.ask("scrollTo(0, 0)");
        browser.screenshot("report-phone");
        browser.dark(true);
        browser.screenshot("report-phone-dark");
    }

    @Test
    void textIsReadableInLightAndDark() {
        browser.screenshot("report");
        assertThat(browser.contrast(TEXTS)).isGreaterThan(4.5);
        Object light = browser.ask("return getComputedStyle(document.body).backgroundColor");
        browser.dark(true);
        assertThat(browser.ask("return getComputedStyle(document.body).backgroundColor"))
                .isNotEqualTo(light);
        assertThat(browser.contrast(TEXTS)).isGreaterThan(4.5);
        browser.screenshot("report-dark");
    }

    @Test
    void nothingIsFetchedAndNothingIsWrong() {
        browser.requests();
        browser.complaints();
        browser.driver().navigate().refresh();
        browser.choose("#setting", "todo 0.5");
        cards().get(0).click();
        assertThat(browser.requests()).isEmpty();
        assertThat(browser.complaints()).isEmpty();
    }
}

package io.tome4j.server.playground;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.evaluation.page.Browser;
import io.tome4j.server.Served;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** The page in a real Chromium. With {@code tome4j.playground} set to an address it looks at that server's page instead. */
class PlaygroundInBrowserTest {
    private static final Duration LONGEST = Duration.ofMinutes(2);
    private static Served served;
    private static Browser browser;
    private static URI page;

    @BeforeAll
    static void open() throws InterruptedException {
        String given = System.getProperty("tome4j.playground", "");
        if (given.isEmpty()) {
            served = Served.start();
            page = served.uri("/");
        } else {
            page = URI.create(given);
        }
        browser = Browser.open(page);
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
        if (served != null) {
            served.close();
        }
    }

    @BeforeEach
    void fresh() {
        browser.dark(false);
        browser.phone(false);
        browser.driver().get(page.toString());
        await("return document.documentElement.dataset.ready === 'true'");
        browser.complaints();
    }

    private static void await(String script) {
        long end = System.nanoTime() + LONGEST.toNanos();
        while (!(Boolean) browser.ask(script)) {
            assertThat(System.nanoTime()).as("Waited too long: " + script).isLessThan(end);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private static void generate() {
        browser.find("#generate").click();
        await("return document.getElementById('working').hidden");
        assertThat(browser.find("#error").getText()).isEmpty();
    }

    private static void type(String selector, String text) {
        WebElement field = browser.find(selector);
        field.clear();
        field.sendKeys(text);
    }

    private static void ratio(String value) {
        browser.ask(
                "const r = document.getElementById('ratio'); r.value = arguments[0];"
                        + " r.dispatchEvent(new Event('input', {bubbles: true}));",
                value);
    }

    private static long images() throws IOException, InterruptedException {
        String metrics = served.get("/metrics").body();
        return metrics.lines()
                .filter(line -> line.startsWith("tome4j_images_total "))
                .mapToLong(line -> (long) Double.parseDouble(line.split(" ", 2)[1]))
                .sum();
    }

    @Test
    void anImageIsMadeComparedAndSaysWhatMerged() {
        type("#prompt", "a red apple");
        generate();
        assertThat(browser.find("#slider").isDisplayed()).isTrue();
        assertThat(browser.all("#figures dt"))
                .extracting(WebElement::getText)
                .contains("Unmerged step", "Merged step", "Speed-up", "PSNR", "SSIM");
        assertThat(browser.find("#explained").getText()).contains("transformer blocks work on");
        browser.ask("document.querySelector('.infotext').open = true");
        assertThat(browser.find("#infotext").getText()).contains("a red apple", "Token merging ratio: 0.5");
        assertThat(browser.find("#download").getDomAttribute("download"))
                .startsWith("a-red-apple-")
                .endsWith(".png");
        assertThat(browser.complaints()).isEmpty();
        assertThat(browser.requests()).allMatch(url -> url.startsWith(page.toString()));
        browser.screenshot("playground");
        browser.dark(true);
        browser.screenshot("playground-dark");
        browser.dark(false);
        browser.phone(true);
        assertThat(browser.scrollsSideways()).isFalse();
        browser.screenshot("playground-phone");
        browser.phone(false);
        browser.find("#show-map").click();
        assertThat(browser.find("#show-map").getDomAttribute("aria-pressed")).isEqualTo("true");
        browser.screenshot("playground-map");
    }

    @Test
    void theDividerMovesByKeys() {
        type("#prompt", "x");
        generate();
        WebElement divider = browser.find("compare-slider input");
        divider.sendKeys(Keys.END);
        assertThat(browser.ask("return document.querySelector('compare-slider').style.getPropertyValue('--at')"))
                .isEqualTo("100%");
        divider.sendKeys(Keys.HOME, Keys.ARROW_RIGHT);
        assertThat(browser.ask("return document.querySelector('compare-slider').style.getPropertyValue('--at')"))
                .isEqualTo("1%");
        assertThat(divider.getAccessibleName()).contains("Divider");
    }

    @Test
    void anotherRatioCostsOneRunAndTheSameSeedGivesThePixelsThatTheApiGives() throws Exception {
        if (served == null) {
            return; // it is the tiny model's that is counted
        }
        type("#prompt", "x");
        type("#seed", "18446744073709551615");
        long before = images();
        generate();
        assertThat(images() - before).isEqualTo(2);
        ratio("0.25");
        generate();
        assertThat(images() - before).isEqualTo(3);
        String shown = (String) browser.ask("return document.querySelector('compare-slider').under.src");
        String api = served.posted(
                        "/v1/images/generations",
                        "{\"prompt\": \"x\", \"seed\": \"18446744073709551615\", \"token_merging\": {\"ratio\": 0.25}}")
                .at("/data/0/b64_json")
                .asText();
        assertThat(shown).isEqualTo("data:image/png;base64," + api);
        browser.find("#compare").click();
        ratio("0.5");
        generate();
        assertThat(images() - before).isEqualTo(5); // one by the API, one by the page
        ratio("0");
        assertThat(browser.find("#compare").isEnabled()).isFalse();
    }

    @Test
    void interruptShowsTheImageAsFarAsItIs() {
        type("#prompt", "x");
        type("#steps", "150");
        browser.ask("document.querySelector('#scheduler').closest('details').open = true");
        browser.choose("#scheduler", "DDIM");
        browser.find("#compare").click();
        type("#width", "256");
        type("#height", "256");
        browser.find("#generate").click();
        await("return document.getElementById('progress').value > 0");
        browser.find("#interrupt").click();
        await("return document.getElementById('working').hidden");
        assertThat(browser.find("#explained").getText()).contains("Interrupted");
        assertThat(browser.find("#slider").isDisplayed()).isTrue();
        assertThat(browser.find("#interrupt").isDisplayed()).isFalse();
    }

    @Test
    void anImageFillsInWhatItWasMadeFrom(@TempDir Path folder) throws Exception {
        type("#prompt", "a goat, a \"quoted\" one");
        type("#seed", "77");
        ratio("0.3");
        generate();
        String src = (String) browser.ask("return document.querySelector('compare-slider').under.src");
        byte[] png = Base64.getDecoder().decode(src.substring(src.indexOf(',') + 1));
        Path file = Files.write(folder.resolve("goat.png"), png);
        fresh();
        assertThat(browser.find("#prompt").getDomProperty("value")).isEmpty();
        browser.find("#file").sendKeys(file.toString());
        await("return document.getElementById('prompt').value !== ''");
        assertThat(browser.find("#prompt").getDomProperty("value")).isEqualTo("a goat, a \"quoted\" one");
        assertThat(browser.find("#seed").getDomProperty("value")).isEqualTo("77");
        assertThat(browser.find("#ratio").getDomProperty("value")).isEqualTo("0.3");
        fresh();
        drop(png);
        await("return document.getElementById('prompt').value !== ''");
        assertThat(browser.find("#seed").getDomProperty("value")).isEqualTo("77");
    }

    /** Drops a file onto the page. */
    private static void drop(byte[] png) {
        browser.ask(
                """
                const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], 'a.png', {type: 'image/png'}));
                for (const type of ['dragover', 'drop']) {
                  document.body.dispatchEvent(
                    new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
                }
                """,
                Base64.getEncoder().encodeToString(png));
    }

    @Test
    void whatTheServerRefusesIsSaid() {
        type("#prompt", "x");
        type("#width", "4096");
        type("#height", "4096");
        browser.find("#generate").click();
        await("return document.getElementById('error').textContent !== ''");
        assertThat(browser.find("#error").getText()).contains("pixels");
        assertThat(browser.find("#generate").isEnabled()).isTrue();
    }

    @Test
    void nothingIsSeriouslyWrongForThoseWhoCannotSeeWell() throws Exception {
        String axe;
        try (InputStream script = getClass().getResourceAsStream("/axe.min.js")) {
            axe = new String(script.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertNothingSerious(axe);
        type("#prompt", "x");
        generate();
        browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)");
        for (boolean dark : new boolean[] {false, true}) {
            browser.dark(dark);
            assertNothingSerious(axe);
        }
    }

    private static void assertNothingSerious(String axe) {
        browser.ask(axe);
        Object found = browser.driver()
                .executeAsyncScript("const done = arguments[0]; axe.run().then(r => done(r.violations"
                        + ".filter(v => v.impact === 'serious' || v.impact === 'critical')"
                        + ".map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', '))))");
        assertThat((List<?>) found).isEmpty();
    }

    @Test
    void narrowWindowsDoNotScrollSideways() {
        type("#prompt", "x");
        generate();
        browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)");
        for (int width : new int[] {320, 390, 768, 1280}) {
            browser.width(width);
            assertThat(browser.scrollsSideways()).as(width + " pixels").isFalse();
        }
        browser.width(320);
        browser.screenshot("playground-320");
        browser.driver()
                .executeCdpCommand(
                        "Emulation.setEmulatedMedia",
                        Map.of("features", List.of(Map.of("name", "prefers-reduced-motion", "value", "reduce"))));
        assertThat(browser.ask("return matchMedia('(prefers-reduced-motion: reduce)').matches"))
                .isEqualTo(true);
    }

    @Test
    void whatIsNoMoreThanAKeyboardSuffices() {
        browser.find("#prompt").sendKeys("x");
        browser.find("#prompt").sendKeys(Keys.chord(Keys.CONTROL, Keys.ENTER));
        await("return !document.getElementById('results').hidden");
        assertThat(browser.find("#live").getDomProperty("textContent")).startsWith("Done");
    }
}

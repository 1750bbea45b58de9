package io.tome4j.server.playground;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.diffusion.pixels.ImageFiles;
import io.tome4j.evaluation.page.Browser;
import io.tome4j.server.Served;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
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
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.interactions.Actions;

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

    /** Lines of some colours, as wide as high or not. */
    private static Path drawn(Path folder, String name, int width, int height, boolean grey) throws IOException {
        BufferedImage image =
                new BufferedImage(width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            int x = i % width;
            if (grey) {
                image.getRaster().setSample(x, i / width, 0, x < width / 2 ? 255 : 0);
            } else {
                image.setRGB(x, i / width, (x * 255 / width) << 16 | (i / width * 255 / height) << 8 | 120);
            }
        }
        Path file = folder.resolve(name);
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static void chooseImage(Path file) {
        browser.ask("document.getElementById('begin').open = true");
        browser.find("#init-file").sendKeys(file.toString());
        await("return !document.getElementById('begin-tools').hidden");
    }

    private static String shown() {
        String src = (String) browser.ask("return document.querySelector('compare-slider').under.src");
        return src.substring(src.indexOf(',') + 1);
    }

    @Test
    void anImageToBeginWithGivesThePixelsOfTheApiAndIsComparedToo(@TempDir Path folder) throws Exception {
        if (served == null) {
            return; // it is the tiny model that makes them
        }
        Path file = drawn(folder, "lines.png", 192, 128, false);
        chooseImage(file);
        assertThat(browser.find("#begin-state").getText()).isEqualTo("lines.png, 192 x 128 pixels");
        assertThat(browser.find("#width").getDomProperty("value")).isEqualTo("96"); // about what suits the model
        assertThat(browser.find("#height").getDomProperty("value")).isEqualTo("64");
        type("#prompt", "x");
        type("#seed", "4");
        type("#steps", "5");
        long before = images();
        generate();
        assertThat(images() - before).isEqualTo(2);
        ratio("0.25");
        generate();
        assertThat(images() - before).isEqualTo(3);
        String api = served.posted(
                        "/sdapi/v1/img2img",
                        "{\"prompt\": \"x\", \"seed\": 4, \"steps\": 5, \"denoising_strength\": 0.8, \"width\": 96, \"height\": 64,"
                                + " \"token_merging_ratio\": 0.25, \"init_images\": [\""
                                + Base64.getEncoder().encodeToString(Files.readAllBytes(file)) + "\"]}")
                .at("/images/0")
                .asText();
        assertThat(ImageFiles.read(Base64.getDecoder().decode(shown()), "the page's"))
                .isEqualTo(ImageFiles.read(Base64.getDecoder().decode(api), "the API's"));
        browser.find("#init-remove").click();
        assertThat(browser.find("#begin-tools").isDisplayed()).isFalse();
        generate();
        assertThat(images() - before).isEqualTo(6); // the API's, and two that begin with noise
        assertThat(browser.complaints()).isEmpty();
    }

    /** The share of the image that is painted. */
    private static double painted() {
        return ((Number)
                        browser.ask(
                                """
                        const c = document.getElementById('mask');
                        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                        let n = 0;
                        for (let i = 3; i < d.length; i += 4) n += d[i] / 255;
                        return 400 * n / d.length;
                        """))
                .doubleValue();
    }

    @Test
    void aMaskIsPaintedByPointerByKeysAndFromAFile(@TempDir Path folder) throws Exception {
        chooseImage(drawn(folder, "lines.png", 64, 64, false));
        WebElement canvas = browser.find("#mask");
        assertThat(canvas.getAccessibleName()).contains("Mask");
        new Actions(browser.driver())
                .moveToElement(canvas, -20, 0)
                .clickAndHold()
                .moveToElement(canvas, 20, 0)
                .release()
                .perform();
        assertThat(painted()).isBetween(1.0, 40.0);
        assertThat(browser.find("#mask-state").getText()).contains("painted");
        browser.find("#mask-clear").click();
        assertThat(painted()).isZero();
        canvas.sendKeys(" ");
        double dot = painted();
        assertThat(dot).isPositive();
        canvas.sendKeys(Keys.chord(Keys.SHIFT, Keys.ARROW_RIGHT));
        assertThat(painted()).isGreaterThan(dot);
        assertThat(browser.find("#brush-place").isDisplayed()).isTrue();
        browser.find("#mask-invert").click();
        assertThat(painted()).isGreaterThan(80);
        browser.find("#mask-file")
                .sendKeys(drawn(folder, "mask.png", 64, 64, true).toString());
        await("return document.getElementById('mask-file').value === ''");
        await(
                "const c = document.getElementById('mask'); return c.getContext('2d').getImageData(60, 9, 1, 1).data[3] === 0");
        assertThat(painted()).isEqualTo(50);
        type("#prompt", "x");
        type("#mask_blur", "0");
        browser.find("#compare").click();
        generate();
        BufferedImage made =
                ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(shown())));
        BufferedImage initial = ImageIO.read(folder.resolve("lines.png").toFile());
        assertThat(made.getRGB(60, 20)).isEqualTo(initial.getRGB(60, 20));
        int changed = 0;
        for (int i = 0; i < 24 * 64; i++) {
            changed += made.getRGB(i % 24, i / 24) == initial.getRGB(i % 24, i / 24) ? 0 : 1;
        }
        assertThat(changed).isGreaterThan(24 * 32);
        browser.screenshot("playground-mask");
    }

    @Test
    void anImageThatSaysNothingOfItselfIsBegunWithAndSoIsOneThatWasMade(@TempDir Path folder) throws Exception {
        drop(Files.readAllBytes(drawn(folder, "plain.png", 64, 64, false)));
        await("return !document.getElementById('begin-tools').hidden");
        assertThat(browser.find("#note").getText()).contains("to begin with");
        browser.find("#init-remove").click();
        type("#prompt", "x");
        browser.find("#compare").click();
        generate();
        browser.find("#begin-with").click();
        await("return !document.getElementById('begin-tools').hidden");
        generate();
        assertThat(browser.find("#infotext").getDomProperty("textContent")).contains("Denoising strength: 0.8");
        browser.find("#mask-file")
                .sendKeys(Files.writeString(folder.resolve("a.png"), "no image").toString());
        await("return document.getElementById('error').textContent !== ''");
        assertThat(browser.find("#error").getText()).contains("a.png cannot be shown as an image");
    }

    @Test
    void promptsMayHaveTheSyntaxOfTheWebUi() {
        type("#prompt", "a (red:1.3) apple");
        browser.find("#compare").click();
        browser.ask("document.querySelector('#syntax').closest('details').open = true");
        generate();
        String plain = shown();
        browser.choose("#syntax", "web UI: (red:1.2), [from:to:0.5], AND, BREAK");
        generate();
        assertThat(shown()).isNotEqualTo(plain);
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
    void nothingIsSeriouslyWrongForThoseWhoCannotSeeWell(@TempDir Path folder) throws Exception {
        String axe;
        try (InputStream script = getClass().getResourceAsStream("/axe.min.js")) {
            axe = new String(script.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertNothingSerious(axe);
        chooseImage(drawn(folder, "lines.png", 64, 64, false));
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
    void narrowWindowsDoNotScrollSideways(@TempDir Path folder) throws IOException {
        chooseImage(drawn(folder, "a-rather-long-name-of-an-image-that-was-taken-somewhere.png", 900, 200, false));
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

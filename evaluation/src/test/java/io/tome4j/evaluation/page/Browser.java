package io.tome4j.evaluation.page;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.stream.Stream;
import org.openqa.selenium.By;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/**
 * A real Chromium without a window, where one is installed with its driver: on the path, or where the system properties
 * {@code tome4j.chromium} and {@code tome4j.chromedriver} say. With {@code tome4j.screenshots} set to a folder it leaves
 * images of what it saw there.
 */
public final class Browser implements AutoCloseable {
    /**
     * The smallest ratio of contrast, as WCAG 2.1 defines it, between an element's text and what is behind it, over all
     * elements that a selector finds.
     */
    private static final String CONTRAST =
            """
            const parse = text => text.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
              .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
              .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
            const behind = element => {
              for (let e = element; e; e = e.parentElement) {
                const colour = parse(getComputedStyle(e).backgroundColor);
                if (colour.length < 4 || colour[3] > 0.8) { return colour; }
              }
              return [255, 255, 255];
            };
            return Math.min(...[...document.querySelectorAll(arguments[0])].map(element => {
              const style = getComputedStyle(element);
              const ink = light(parse(element instanceof SVGElement ? style.fill : style.color));
              const ground = light(behind(element));
              return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
            }));
            """;

    private final ChromeDriver driver;

    private Browser(ChromeDriver driver) {
        this.driver = driver;
    }

    /** Opens a page in a file; skips the test where there is no browser. */
    public static Browser open(Path page) {
        return open(page.toUri());
    }

    /** Opens a page; skips the test where there is no browser. */
    public static Browser open(URI page) {
        Optional<Path> chromium = installed(
                "tome4j.chromium", List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"));
        Optional<Path> chromedriver = installed("tome4j.chromedriver", List.of("chromedriver"));
        assumeThat(chromium.isPresent() && chromedriver.isPresent())
                .as("Skipped: this needs Chromium and its driver (apt install chromium chromium-driver)")
                .isTrue();
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.ALL);
        logs.enable(LogType.PERFORMANCE, Level.ALL);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.get().toFile());
        options.addArguments("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900");
        options.addArguments("--no-sandbox"); // containers have none, and the page is our own
        options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(chromedriver.get().toFile())
                .usingAnyFreePort()
                .build();
        Browser browser = new Browser(new ChromeDriver(service, options));
        browser.driver.get(page.toString());
        return browser;
    }

    private static Optional<Path> installed(String property, List<String> names) {
        String given = System.getProperty(property, "");
        if (!given.isEmpty()) {
            return Optional.of(Path.of(given));
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return names.stream()
                .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** A phone held upright, operated by touch; or a desktop. */
    public void phone(boolean on) {
        if (on) {
            driver.executeCdpCommand(
                    "Emulation.setDeviceMetricsOverride",
                    Map.of("width", 390, "height", 844, "deviceScaleFactor", 2, "mobile", true));
            driver.executeCdpCommand("Emulation.setTouchEmulationEnabled", Map.of("enabled", true));
        } else {
            driver.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
            driver.executeCdpCommand("Emulation.setTouchEmulationEnabled", Map.of("enabled", false));
        }
    }

    /** A window of this width, however narrow. */
    public void width(int pixels) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", pixels, "height", 800, "deviceScaleFactor", 1, "mobile", false));
    }

    /** What the reader's system prefers. */
    public void dark(boolean on) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", on ? "dark" : "light"))));
    }

    /** Touches an element in the window with a finger. */
    public void tap(WebElement element) {
        ask(
                "window.tapped = false;"
                        + " arguments[0].addEventListener('click', () => { window.tapped = true; }, { once: true });",
                element);
        List<?> centre = (List<?>) ask(
                "const r = arguments[0].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]",
                element);
        driver.executeCdpCommand(
                "Input.dispatchTouchEvent",
                Map.of("type", "touchStart", "touchPoints", List.of(Map.of("x", centre.get(0), "y", centre.get(1)))));
        driver.executeCdpCommand("Input.dispatchTouchEvent", Map.of("type", "touchEnd", "touchPoints", List.of()));
        driver.executeAsyncScript("const look = () => window.tapped ? arguments[0]() : setTimeout(look, 10); look();");
    }

    /** Runs JavaScript. */
    public Object ask(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    public WebElement find(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    public List<WebElement> all(String selector) {
        return driver.findElements(By.cssSelector(selector));
    }

    /** Chooses an option of a {@code select}. */
    public void choose(String selector, String option) {
        find(selector).findElements(By.tagName("option")).stream()
                .filter(element -> element.getText().equals(option))
                .findFirst()
                .orElseThrow()
                .click();
    }

    /** The option of a {@code select} that is chosen. */
    public String chosen(String selector) {
        return (String) ask("return arguments[0].selectedOptions[0].text", find(selector));
    }

    public ChromeDriver driver() {
        return driver;
    }

    /** Whether something is wider than the window, so that the page would scroll sideways. */
    public boolean scrollsSideways() {
        return (Boolean) ask("return document.documentElement.scrollWidth > document.documentElement.clientWidth");
    }

    /** The smallest contrast between text and what is behind it. */
    public double contrast(String selector) {
        return ((Number) ask(CONTRAST, selector)).doubleValue();
    }

    /** What the page asked for from elsewhere, since this was asked last. */
    public List<String> requests() {
        List<String> urls = new ArrayList<>();
        for (LogEntry entry : driver.manage().logs().get(LogType.PERFORMANCE)) {
            String message = entry.getMessage();
            if (message.contains("\"Network.requestWillBeSent\"")) {
                String url = message.replaceAll("(?s).*\"request\":\\{.*?\"url\":\"([^\"]{0,200}).*", "$1");
                if (!url.startsWith("data:") && !url.startsWith("file:") && !url.startsWith("blob:")) {
                    urls.add(url);
                }
            }
        }
        return urls;
    }

    /** What the page complained of, since this was asked last. */
    public List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::toString)
                .toList();
    }

    /** Leaves an image of the whole page, if anyone wants it. */
    public void screenshot(String name) {
        String folder = System.getProperty("tome4j.screenshots", "");
        if (folder.isEmpty()) {
            return;
        }
        try {
            boolean touch = (Boolean) ask("return navigator.maxTouchPoints > 0");
            Object width = ask("return document.documentElement.clientWidth");
            Object height = ask("return document.documentElement.scrollHeight");
            driver.executeCdpCommand(
                    "Emulation.setDeviceMetricsOverride",
                    Map.of("width", width, "height", height, "deviceScaleFactor", touch ? 2 : 1, "mobile", touch));
            Map<String, Object> shot = driver.executeCdpCommand("Page.captureScreenshot", Map.of("format", "png"));
            phone(touch);
            byte[] png = Base64.getDecoder().decode(String.valueOf(shot.get("data")));
            Files.createDirectories(Path.of(folder));
            Files.write(Path.of(folder).resolve(name + ".png"), png);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        driver.quit();
    }
}

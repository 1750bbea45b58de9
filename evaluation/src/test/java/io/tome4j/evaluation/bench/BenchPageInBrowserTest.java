package io.tome4j.evaluation.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.tome4j.evaluation.page.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchPageInBrowserTest {
    private static final String TEXTS = "h1, h2, h3, th, td, li, .name span";

    @TempDir
    Path folder;

    @Test
    void thePageIsReadableOnDesktopAndPhoneInLightAndDark() throws IOException {
        for (Report report : new Report[] {ReportsTest.BENCH, ReportsTest.PROFILE}) {
            String name = report instanceof BenchReport ? "bench" : "profile";
            Path page = folder.resolve(name + ".html");
            Files.writeString(page, BenchFormat.HTML.format(report));
            try (Browser browser = Browser.open(page)) {
                for (boolean phone : new boolean[] {false, true}) {
                    browser.phone(phone);
                    for (boolean dark : new boolean[] {false, true}) {
                        browser.dark(dark);
                        browser.driver().navigate().refresh();
                        assertThat(browser.scrollsSideways()).isFalse();
                        assertThat(browser.contrast(TEXTS)).isGreaterThan(4.5);
                        browser.screenshot(name + (phone ? "-phone" : "") + (dark ? "-dark" : ""));
                    }
                }
                assertThat(browser.requests()).isEmpty();
                assertThat(browser.complaints()).isEmpty();
            }
        }
    }
}

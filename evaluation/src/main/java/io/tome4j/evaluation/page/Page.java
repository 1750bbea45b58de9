package io.tome4j.evaluation.page;

/**
 * A page of its own: nothing is fetched, and the browser is told to refuse it; light or dark as the reader's system is,
 * narrow screens too.
 */
public final class Page {
    /** Colours are contrasts of at least 4.5 to 1 for text and 3 to 1 for marks, in light and dark. */
    private static final String STYLE =
            """
            :root {
              color-scheme: light dark;
              --page: #fcfcfb; --card: #ffffff; --ink: #1b1b1a; --soft: #5d5c58; --line: #e3e2de; --track: #efeeea;
              --c0: #6f6e6a; --c1: #c2590c; --c2: #1f6fd1; --c3: #138a5e; --c4: #8a4fbf; --c5: #b3305e; --c6: #8a7300;
            }
            @media (prefers-color-scheme: dark) {
              :root {
                --page: #161615; --card: #1f1f1d; --ink: #f1f0ec; --soft: #a9a8a2; --line: #34332f; --track: #2b2a27;
                --c0: #9b9a94; --c1: #f0914b; --c2: #5ea3f5; --c3: #3fc08f; --c4: #b98ae6; --c5: #ee7fa4; --c6: #d0b73a;
              }
            }
            * { box-sizing: border-box; }
            body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 72rem; background: var(--page); color: var(--ink);
              font: 1rem/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
            h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
            h3 { font-size: .95rem; margin: 0 0 .6rem; }
            .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
            .chart { margin: 0; padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line);
              border-radius: .5rem; }
            .scroll { overflow-x: auto; }
            :focus-visible { outline: 2px solid var(--c2); outline-offset: 2px; }
            table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
              white-space: nowrap; }
            tbody th { color: var(--ink); font-weight: 400; }
            .facts td, .facts th { white-space: normal; overflow-wrap: anywhere; vertical-align: top; }
            .facts th { min-width: 6rem; }
            th { color: var(--soft); font-weight: 600; }
            li, .facts, .facts tbody th { color: var(--soft); font-size: .9rem; }
            ul { padding-left: 1.1rem; }
            """;

    private Page() {}

    /**
     * @param title a few words
     * @param style CSS on top of what all pages have, where colours are {@code --page}, {@code --card}, {@code --ink},
     *     {@code --soft}, {@code --line}, {@code --track} and {@code --c0} to {@code --c6}
     * @param body markup below the title
     * @param script JavaScript to run at the end; empty for a page without any
     */
    public static String of(String title, String style, String body, String script) {
        String scripts = script.isEmpty() ? "" : " script-src 'unsafe-inline';";
        return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
                + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:;"
                + " style-src 'unsafe-inline';" + scripts + "\" />\n"
                + "<title>" + Html.escape(title) + "</title>\n<style>\n" + STYLE + style
                + "</style>\n</head>\n<body>\n<h1>" + Html.escape(title) + "</h1>\n" + body
                + (script.isEmpty() ? "" : "<script>\n" + script + "</script>\n")
                + "</body>\n</html>\n";
    }
}

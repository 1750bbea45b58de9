package io.tome4j.cli.session;

/** Texts that users and files bring along, as they are shown: nothing in them that a terminal obeys, and not too long. */
public final class Shown {
    private Shown() {}

    /**
     * A text whose control characters are written out ({@code \u001b}): of those only line breaks and tabs stay. So are the
     * characters that turn the direction of writing, which show a text in another order than it has.
     */
    public static String harmless(String text) {
        String plain = text.replace("\r\n", "\n");
        StringBuilder shown = new StringBuilder(plain.length());
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            boolean stays = c == '\n' || c == '\t' || !(Character.isISOControl(c) || turnsDirection(c));
            shown.append(stays ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        return shown.toString();
    }

    private static boolean turnsDirection(char c) {
        return (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069');
    }

    /** What is quoted of a text in a message: its beginning, and that there is more. */
    public static String shortened(String text, int longest) {
        return text.length() <= longest ? text : beginning(text, longest) + "...";
    }

    /** So many characters, but no half of one. */
    private static String beginning(String text, int length) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length);
    }

    /** A message, whoever wrote it: harmless, and without its middle where it is longer than anybody reads. */
    public static String message(String text, int longest) {
        String whole = text.length() <= longest
                ? text
                : beginning(text, longest / 2) + " [...] " + text.substring(text.length() - longest / 2);
        return harmless(whole);
    }
}

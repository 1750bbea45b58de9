package io.tome4j.evaluation.quality;

import java.util.OptionalInt;

/**
 * What to draw.
 *
 * @param text the prompt
 * @param category what it is about; empty if nobody says
 * @param challenge what is hard about it; empty if nobody says
 * @param motif which of the embedded model's motifs it asks for, if it is one
 */
public record Prompt(String text, String category, String challenge, OptionalInt motif) {}

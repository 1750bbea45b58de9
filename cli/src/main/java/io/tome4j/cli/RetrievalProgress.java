package io.tome4j.cli;

import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Shows how many images are done, and puts them on the contact sheet. */
final class RetrievalProgress implements Retrieval.Listener, AutoCloseable {
    private final ProgressDisplay display;
    private final PrintWriter err;
    private final int total;
    private final ContactSheet sheet;
    private final BooleanSupplier goOn;
    private int made;
    private int kept;
    private Duration making = Duration.ZERO;

    RetrievalProgress(PrintWriter err, boolean terminal, int total, ContactSheet sheet, BooleanSupplier goOn) {
        this.display = new ProgressDisplay(err, terminal, "image");
        this.err = err;
        this.total = total;
        this.sheet = sheet;
        this.goOn = goOn;
    }

    @Override
    public boolean onStep(Progress progress) {
        return goOn.getAsBoolean();
    }

    @Override
    public void onImage(Row row, BufferedImage image) {
        sheet.add(image);
        if (row.making().isEmpty()) {
            kept++;
            return;
        }
        if (made == 0 && kept > 0) {
            err.println("Going on after " + kept + " images that were there already");
        }
        made++;
        making = making.plus(row.making().get());
        display.show(made + kept, total, making.toNanos() / 1e9 / made);
    }

    @Override
    public void close() {
        display.close();
    }
}

package io.tome4j.cli.evaluate;

import io.tome4j.cli.session.ImageProgress;
import io.tome4j.cli.session.Session;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import java.awt.image.BufferedImage;

/** Shows how many images are done, and puts them on the contact sheet. */
final class RetrievalProgress implements Retrieval.Listener, AutoCloseable {
    private final Session session;
    private final ImageProgress images;
    private final int total;
    private final ContactSheet sheet;
    private int kept;

    /** @param total how many images it will be */
    RetrievalProgress(Session session, int total, ContactSheet sheet) {
        this.session = session;
        this.images = session.images();
        this.total = total;
        this.sheet = sheet;
    }

    @Override
    public boolean onStep(Progress progress) {
        return session.goesOn();
    }

    @Override
    public void onImage(Row row, BufferedImage image) {
        sheet.add(image);
        if (row.making().isEmpty()) {
            kept++;
            return;
        }
        if (images.made() == 0 && kept > 0) {
            session.err().println("Going on after " + kept + " images that were there already");
        }
        images.onMade(row.making().get(), kept, total);
    }

    @Override
    public void close() {
        images.close();
    }
}

package io.tome4j.cli.evaluate;

import io.tome4j.cli.session.ImageProgress;
import io.tome4j.cli.session.Session;
import io.tome4j.evaluation.retrieval.ContactSheet;
import io.tome4j.evaluation.retrieval.Retrieval;
import io.tome4j.evaluation.retrieval.Retrieval.Row;
import java.awt.image.BufferedImage;

/** Shows how many images are done, and puts them on the contact sheet. */
final class RetrievalProgress extends ImageProgress implements Retrieval.Listener {
    private final int total;
    private final ContactSheet sheet;
    private int kept;

    /** @param total how many images it will be */
    RetrievalProgress(Session session, int total, ContactSheet sheet) {
        super(session);
        this.total = total;
        this.sheet = sheet;
    }

    @Override
    public void onImage(Row row, BufferedImage image) {
        sheet.add(image);
        if (row.making().isEmpty()) {
            kept++;
            return;
        }
        if (made() == 0 && kept > 0) {
            say("Going on after " + kept + " images that were there already");
        }
        onMade(row.making().get(), kept, total);
    }
}

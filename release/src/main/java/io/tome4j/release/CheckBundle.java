package io.tome4j.release;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code CheckBundle ZIP VERSION [--unsigned]}: says what is wrong with a bundle, and fails if anything is. Run by release/check. */
public final class CheckBundle {
    private CheckBundle() {}

    public static void main(String[] args) throws IOException {
        boolean unsigned = List.of(args).contains("--unsigned");
        Bundle bundle = Bundle.read(Path.of(args[0]));
        List<String> faults =
                BundleCheck.faults(bundle, args[1], unsigned ? Optional.empty() : Optional.of(Signatures.ofGpg()));
        faults.forEach(System.err::println);
        System.out.printf("bundle: %d files, %d faults%n", bundle.files().size(), faults.size());
        if (!faults.isEmpty()) {
            System.exit(1);
        }
    }
}

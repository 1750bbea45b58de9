package io.tome4j.server;

import io.tome4j.diffusion.LoraFolder;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.generate.Limits;
import io.tome4j.server.http.HttpSettings;
import io.tome4j.server.queue.ServedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a server is to do.
 *
 * @param http how to listen, and to whom
 * @param models at least one, of different names; the first is the one that requests get
 * @param limits of what can be asked for
 * @param queue how many jobs may wait
 * @param merging what is merged where a request does not say
 * @param loras by whose names prompts ask for them; empty if they cannot
 * @param images where images are kept that clients want to be kept; empty if none are
 */
public record ServerSettings(
        HttpSettings http,
        List<ServedModel> models,
        Limits limits,
        int queue,
        ToMeOptions merging,
        Optional<LoraFolder> loras,
        Optional<Path> images) {}

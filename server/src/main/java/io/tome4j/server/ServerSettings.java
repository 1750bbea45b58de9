package io.tome4j.server;

import io.tome4j.merging.ToMeOptions;
import io.tome4j.server.generate.Folders;
import io.tome4j.server.generate.Limits;
import io.tome4j.server.http.HttpSettings;
import io.tome4j.server.queue.ServedModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What a server is to do. Immutable: each method that takes a value gives other settings. */
public final class ServerSettings {
    private static final int USUAL_QUEUE = 8;

    private HttpSettings http;
    private List<ServedModel> models;
    private Limits limits = Limits.USUAL;
    private int queue = USUAL_QUEUE;
    private ToMeOptions merging = ToMeOptions.ratio(ToMeOptions.RATIO.defaultValue());
    private Folders folders = Folders.NONE;
    private Optional<Path> images = Optional.empty();

    private ServerSettings(HttpSettings http, List<ServedModel> models) {
        this.http = http;
        this.models = List.copyOf(models);
    }

    /**
     * The usual limits, eight jobs that may wait, half of the tokens merged, and no folders.
     *
     * @param models at least one, of different names; the first is the one that requests get
     */
    public static ServerSettings of(HttpSettings http, List<ServedModel> models) {
        return new ServerSettings(http, models);
    }

    private ServerSettings copy() {
        ServerSettings copy = new ServerSettings(http, models);
        copy.limits = limits;
        copy.queue = queue;
        copy.merging = merging;
        copy.folders = folders;
        copy.images = images;
        return copy;
    }

    /** How to listen, and to whom. */
    public HttpSettings http() {
        return http;
    }

    public ServerSettings http(HttpSettings value) {
        ServerSettings copy = copy();
        copy.http = value;
        return copy;
    }

    /** The models, the usual one first. */
    public List<ServedModel> models() {
        return models;
    }

    public ServerSettings models(List<ServedModel> value) {
        ServerSettings copy = copy();
        copy.models = List.copyOf(value);
        return copy;
    }

    /** How much can be asked for. */
    public Limits limits() {
        return limits;
    }

    public ServerSettings limits(Limits value) {
        ServerSettings copy = copy();
        copy.limits = value;
        return copy;
    }

    /** How many jobs may wait, at least 1. */
    public int queue() {
        return queue;
    }

    public ServerSettings queue(int value) {
        ServerSettings copy = copy();
        copy.queue = value;
        return copy;
    }

    /** What is merged where a request does not say. */
    public ToMeOptions merging() {
        return merging;
    }

    public ServerSettings merging(ToMeOptions value) {
        ServerSettings copy = copy();
        copy.merging = value;
        return copy;
    }

    /** Where that lies which requests may name. */
    public Folders folders() {
        return folders;
    }

    public ServerSettings folders(Folders value) {
        ServerSettings copy = copy();
        copy.folders = value;
        return copy;
    }

    /** Where images are kept that clients want to be kept; empty if none are. */
    public Optional<Path> images() {
        return images;
    }

    public ServerSettings images(Path value) {
        ServerSettings copy = copy();
        copy.images = Optional.of(value);
        return copy;
    }
}

package io.tome4j.diffusion;

import java.nio.file.Path;
import java.util.List;

/**
 * The networks that guide a request by images of their own.
 *
 * @param controls ControlNets
 * @param t2iAdapters T2I-Adapters
 * @param ipAdapters IP-Adapters
 */
record Guides(List<Control> controls, List<T2IAdapter> t2iAdapters, List<IPAdapter> ipAdapters) {
    static final Guides NONE = new Guides(List.of(), List.of(), List.of());

    Guides {
        controls = List.copyOf(controls);
        t2iAdapters = List.copyOf(t2iAdapters);
        ipAdapters = List.copyOf(ipAdapters);
    }

    Guides controls(List<Control> value) {
        return new Guides(value, t2iAdapters, ipAdapters);
    }

    Guides t2iAdapters(List<T2IAdapter> value) {
        return new Guides(controls, value, ipAdapters);
    }

    Guides ipAdapters(List<IPAdapter> value) {
        return new Guides(controls, t2iAdapters, value);
    }

    /** As an image's parameters keep them: by the names and hashes of their images. */
    Guides withoutImages() {
        return new Guides(
                controls.stream().map(Control::withoutImage).toList(),
                t2iAdapters.stream().map(T2IAdapter::withoutImage).toList(),
                ipAdapters.stream().map(IPAdapter::withoutImages).toList());
    }

    /**
     * The same with the images that an image's parameters name.
     *
     * @param folder where they lie
     * @throws io.tome4j.tensor.TomeException if one is missing or has changed; it is named
     */
    Guides from(Path folder) {
        return new Guides(
                controls.stream().map(control -> control.from(folder)).toList(),
                t2iAdapters.stream().map(adapter -> adapter.from(folder)).toList(),
                ipAdapters.stream().map(adapter -> adapter.from(folder)).toList());
    }

    /** @throws io.tome4j.tensor.OptionException if one has no image */
    void requireImages() {
        controls.forEach(Control::requireImage);
        t2iAdapters.forEach(T2IAdapter::requireImage);
        ipAdapters.forEach(IPAdapter::requireImages);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        controls.forEach(control -> text.append(" control: ").append(control));
        t2iAdapters.forEach(adapter -> text.append(" T2I-Adapter: ").append(adapter));
        ipAdapters.forEach(adapter -> text.append(" IP-Adapter: ").append(adapter));
        return text.toString();
    }
}

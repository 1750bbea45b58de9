package io.tome4j.langchain4j.spi;

import io.tome4j.langchain4j.Tome4jImageModel.Tome4jImageModelBuilder;
import java.util.function.Supplier;

/** Gives the builders that {@link io.tome4j.langchain4j.Tome4jImageModel#builder} hands out; found as a service. */
public interface Tome4jImageModelBuilderFactory extends Supplier<Tome4jImageModelBuilder> {}

package io.tome4j.langchain4j;

import io.tome4j.langchain4j.Tome4jImageModel.Tome4jImageModelBuilder;
import io.tome4j.langchain4j.spi.Tome4jImageModelBuilderFactory;

/** As Spring or Quarkus would bring one; registered among the tests' services. */
public final class FrameworksBuilderFactory implements Tome4jImageModelBuilderFactory {
    @Override
    public Tome4jImageModelBuilder get() {
        return new FrameworksBuilder();
    }

    static final class FrameworksBuilder extends Tome4jImageModelBuilder {}
}

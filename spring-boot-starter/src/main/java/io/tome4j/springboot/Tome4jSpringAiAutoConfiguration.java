package io.tome4j.springboot;

import io.micrometer.observation.ObservationRegistry;
import io.tome4j.springai.Tome4jImageModel;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.observation.ImageModelObservationConvention;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** Spring AI's image model, unless {@code spring.ai.model.image} names another one. */
@AutoConfiguration(after = Tome4jAutoConfiguration.class)
@ConditionalOnClass({ImageModel.class, Tome4jImageModel.class})
@ConditionalOnProperty(name = "spring.ai.model.image", havingValue = "tome4j", matchIfMissing = true)
@EnableConfigurationProperties(SpringAiImageProperties.class)
public class Tome4jSpringAiAutoConfiguration {
    @Bean
    @ConditionalOnMissingBean
    public Tome4jImageModel tome4jImageModel(
            ConfiguredPipeline pipeline,
            SpringAiImageProperties properties,
            ObjectProvider<ObservationRegistry> registry,
            ObjectProvider<ImageModelObservationConvention> convention) {
        Tome4jImageModel model = new Tome4jImageModel(
                pipeline,
                properties.toOptions().build().over(pipeline.defaults()),
                registry.getIfUnique(() -> ObservationRegistry.NOOP));
        convention.ifAvailable(model::setObservationConvention);
        return model;
    }
}

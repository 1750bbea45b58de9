package io.tome4j.springboot;

import dev.langchain4j.model.image.ImageModel;
import io.tome4j.langchain4j.Tome4jImageModel;
import io.tome4j.springai.Tome4jImageOptions;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** LangChain4j's image model, where {@code tome4j-langchain4j} is on the class path. */
@AutoConfiguration(after = Tome4jAutoConfiguration.class)
@ConditionalOnClass({ImageModel.class, Tome4jImageModel.class})
@EnableConfigurationProperties(LangChain4jImageProperties.class)
public class Tome4jLangChain4jAutoConfiguration {
    @Bean
    @ConditionalOnMissingBean
    public Tome4jImageModel tome4jLangChain4jImageModel(
            ConfiguredPipeline pipeline, LangChain4jImageProperties properties) {
        Tome4jImageOptions options = properties.toOptions().build().over(pipeline.defaults());
        var builder = Tome4jImageModel.builder().pipeline(pipeline).request(options::applyTo);
        if (properties.getSeed() != null) {
            builder.seed(properties.getSeed());
        }
        if (properties.getTimeout() != null) {
            builder.timeout(properties.getTimeout());
        }
        return builder.build();
    }
}

package io.tome4j.springboot;

import io.tome4j.diffusion.StableDiffusionPipeline;
import java.util.Arrays;
import java.util.Optional;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

/**
 * The pipeline of {@code tome4j.*}. It is loaded by the first call, or by who injects a {@link StableDiffusionPipeline};
 * with {@code tome4j.lazy=false} when the application starts. An application that has a pipeline of its own among its beans
 * gets image models on that one.
 */
@AutoConfiguration
@ConditionalOnClass(StableDiffusionPipeline.class)
@EnableConfigurationProperties(Tome4jProperties.class)
public class Tome4jAutoConfiguration {
    private static final String OURS = "tome4jPipeline";

    @Bean
    ConfiguredPipeline tome4jConfiguredPipeline(Tome4jProperties properties, ListableBeanFactory beans) {
        boolean hasOwn = Arrays.stream(beans.getBeanNamesForType(StableDiffusionPipeline.class, true, false))
                .anyMatch(name -> !name.equals(OURS));
        return new ConfiguredPipeline(
                properties,
                hasOwn ? Optional.of(() -> beans.getBean(StableDiffusionPipeline.class)) : Optional.empty());
    }

    /** For the application's own use; the application closes it when it ends. */
    @Bean(name = OURS, destroyMethod = "") // ConfiguredPipeline closes it
    @Lazy
    @ConditionalOnMissingBean
    public StableDiffusionPipeline tome4jPipeline(ConfiguredPipeline pipeline) {
        return pipeline.get();
    }

    @Bean
    @ConditionalOnProperty(name = "tome4j.lazy", havingValue = "false")
    SmartInitializingSingleton tome4jEagerLoading(ConfiguredPipeline pipeline) {
        return pipeline::get;
    }
}

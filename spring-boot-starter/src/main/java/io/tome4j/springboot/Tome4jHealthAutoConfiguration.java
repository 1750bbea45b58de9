package io.tome4j.springboot;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** The health indicator {@code tome4j}, where Spring Boot's health support is on the class path. */
@AutoConfiguration(after = Tome4jAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
public class Tome4jHealthAutoConfiguration {
    @Bean
    @ConditionalOnEnabledHealthIndicator("tome4j") // not on the class, whose annotations are read without that jar, too
    @ConditionalOnMissingBean(name = "tome4jHealthIndicator")
    HealthIndicator tome4jHealthIndicator(ConfiguredPipeline pipeline) {
        return new Tome4jHealthIndicator(pipeline);
    }
}

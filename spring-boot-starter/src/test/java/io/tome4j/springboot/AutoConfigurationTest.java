package io.tome4j.springboot;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tome4j.diffusion.StableDiffusionPipeline;
import io.tome4j.fixtures.Fixtures;
import io.tome4j.merging.ToMe;
import io.tome4j.merging.ToMeOptions;
import io.tome4j.springai.Tome4jImageGenerationMetadata;
import io.tome4j.springai.Tome4jImageModel;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class AutoConfigurationTest {
    private static final String TINY = Fixtures.path("tiny-sd1").toString();

    private static ApplicationContextRunner application() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        Tome4jAutoConfiguration.class,
                        Tome4jSpringAiAutoConfiguration.class,
                        Tome4jLangChain4jAutoConfiguration.class,
                        Tome4jHealthAutoConfiguration.class));
    }

    private static ApplicationContextRunner tiny() {
        return application()
                .withPropertyValues(
                        "tome4j.model=" + TINY,
                        "spring.ai.tome4j.image.steps=2",
                        "spring.ai.tome4j.image.width=64",
                        "spring.ai.tome4j.image.height=64",
                        "spring.ai.tome4j.image.seed=7",
                        "langchain4j.tome4j.image-model.steps=2",
                        "langchain4j.tome4j.image-model.width=64",
                        "langchain4j.tome4j.image-model.height=64",
                        "langchain4j.tome4j.image-model.seed=7");
    }

    private static Health health(org.springframework.context.ApplicationContext context) {
        return context.getBean(HealthIndicator.class).health();
    }

    @Test
    void bothImageModelsMakeTheSameImageOnOnePipeline() {
        tiny().run(context -> {
            var spring = context.getBean(ImageModel.class).call(new ImagePrompt("a red apple"));
            var langchain = context.getBean(dev.langchain4j.model.image.ImageModel.class)
                    .generate("a red apple");
            assertThat(spring.getResult().getOutput().getB64Json())
                    .isEqualTo(langchain.content().base64Data());
            assertThat(context.getBean(StableDiffusionPipeline.class).modelName())
                    .isEqualTo("tiny-sd1");
        });
    }

    @Test
    void theModelIsLoadedByTheFirstCallAndHealthSaysSo() {
        tiny().run(context -> {
            assertThat(health(context).getStatus()).isEqualTo(Status.UP);
            assertThat(health(context).getDetails())
                    .containsEntry("loaded", false)
                    .containsEntry("model", TINY);
            context.getBean(ImageModel.class).call(new ImagePrompt("a red apple"));
            assertThat(health(context).getDetails())
                    .containsEntry("loaded", true)
                    .containsKey("dtype");
        });
    }

    @Test
    void anEagerApplicationLoadsTheModelWhenItStartsAndClosesItWhenItEnds() {
        StableDiffusionPipeline[] seen = new StableDiffusionPipeline[1];
        tiny().withPropertyValues("tome4j.lazy=false").run(context -> {
            assertThat(health(context).getDetails()).containsEntry("loaded", true);
            seen[0] = context.getBean(StableDiffusionPipeline.class);
        });
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> seen[0].generate(io.tome4j.diffusion.Request.of("x"))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void anEagerApplicationDoesNotStartWithoutItsModel() {
        application()
                .withPropertyValues("tome4j.model=/there/is/none", "tome4j.lazy=false")
                .run(context -> assertThat(context).hasFailed());
    }

    @Test
    void aModelThatCannotBeLoadedIsDownAfterTheFirstCall() {
        application().withPropertyValues("tome4j.model=/there/is/none").run(context -> {
            assertThat(health(context).getStatus()).isEqualTo(Status.UP);
            var failure = org.assertj.core.api.Assertions.catchThrowable(
                    () -> context.getBean(ImageModel.class).call(new ImagePrompt("x")));
            assertThat(failure).isNotNull();
            assertThat(health(context).getStatus()).isEqualTo(Status.DOWN);
            assertThat(health(context).getDetails()).containsEntry("error", failure.getMessage());
        });
    }

    @Test
    void mergingComesFromThePropertiesHoweverTheirKeysAreSpelled() {
        tiny().withPropertyValues(
                        "tome4j.merging.ratio=0.4", "tome4j.merging.max-downsample=2", "tome4j.merging.merge_mlp=true")
                .run(context -> {
                    var response = context.getBean(ImageModel.class).call(new ImagePrompt("a red apple"));
                    var metadata =
                            (Tome4jImageGenerationMetadata) response.getResult().getMetadata();
                    assertThat(metadata.merging().options())
                            .isEqualTo(ToMeOptions.ratio(0.4).maxDownsample(2).mergeMlp(true));
                });
    }

    @Test
    void otherOptionsOfARequestAreTakenByName() {
        tiny().withPropertyValues("spring.ai.tome4j.image.options.reuse-every=2")
                .run(context -> {
                    byte[] png = Base64.getDecoder()
                            .decode(context.getBean(ImageModel.class)
                                    .call(new ImagePrompt("a red apple"))
                                    .getResult()
                                    .getOutput()
                                    .getB64Json());
                    assertThat(new String(png, StandardCharsets.ISO_8859_1)).contains("Reuse every: 2");
                });
    }

    @Test
    void aPropertyThatIsNoOptionStopsTheStart() {
        tiny().withPropertyValues("tome4j.merging.rattio=0.4").run(context -> assertThat(context)
                .getFailure()
                .rootCause()
                .hasMessageContaining("rattio")
                .hasMessageContaining("max_downsample"));
    }

    @Test
    void withoutAModelItIsTheEmbeddedOneWithWhatSuitsIt() {
        application().run(context -> {
            assertThat(context.getBean(Tome4jImageModel.class).defaultOptions().getModel())
                    .isEqualTo("tome4j-emoji");
            assertThat(context.getBean(Tome4jImageModel.class).defaultOptions().getWidth())
                    .isEqualTo(512);
            assertThat(health(context).getDetails()).containsEntry("loaded", false);
        });
    }

    @Test
    void anotherModelsNameTurnsSpringAisOff() {
        tiny().withPropertyValues("spring.ai.model.image=openai").run(context -> assertThat(context)
                .doesNotHaveBean(ImageModel.class)
                .hasSingleBean(dev.langchain4j.model.image.ImageModel.class));
        tiny().withPropertyValues("spring.ai.model.image=tome4j")
                .run(context -> assertThat(context).hasSingleBean(ImageModel.class));
    }

    @Test
    void withoutLangChain4jOrHealthTheRestWorks() {
        tiny().withClassLoader(new FilteredClassLoader("dev.langchain4j", "org.springframework.boot.health"))
                .run(context -> assertThat(context)
                        .hasSingleBean(ImageModel.class)
                        .doesNotHaveBean("tome4jHealthIndicator")
                        .doesNotHaveBean("tome4jLangChain4jImageModel"));
    }

    @Test
    void theHealthIndicatorCanBeTurnedOff() {
        tiny().withPropertyValues("management.health.tome4j.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
    }

    @Test
    void anApplicationsOwnModelComesFirst() {
        tiny().withBean(
                        "mine",
                        Tome4jImageModel.class,
                        () -> new Tome4jImageModel(
                                () -> {
                                    throw new AssertionError("not asked for");
                                },
                                io.tome4j.springai.Tome4jImageOptions.builder().build(),
                                io.micrometer.observation.ObservationRegistry.NOOP))
                .run(context ->
                        assertThat(context).hasSingleBean(ImageModel.class).hasBean("mine"));
    }

    @Test
    void imageModelsRunOnAnApplicationsOwnPipelineWhichTheyLeaveOpen() {
        try (var mine = StableDiffusionPipeline.fromPretrained(TINY)) {
            application()
                    .withInitializer(context -> context.getBeanFactory().registerSingleton("mine", mine))
                    .withPropertyValues(
                            "spring.ai.tome4j.image.steps=1",
                            "langchain4j.tome4j.image-model.steps=1",
                            "tome4j.merging.ratio=0.4")
                    .run(context -> {
                        assertThat(context).hasSingleBean(StableDiffusionPipeline.class);
                        var metadata = (Tome4jImageGenerationMetadata) context.getBean(ImageModel.class)
                                .call(new ImagePrompt("a red apple"))
                                .getResult()
                                .getMetadata();
                        assertThat(metadata.parameters()).contains("Model: tiny-sd1", "Token merging ratio: 0.4");
                        assertThat(context.getBean(dev.langchain4j.model.image.ImageModel.class)
                                        .generate("a red apple")
                                        .metadata()
                                        .get("parameters")
                                        .toString())
                                .contains("Model: tiny-sd1");
                        assertThat(health(context).getDetails()).containsEntry("model", "tiny-sd1");
                    });
            assertThat(mine.generate(io.tome4j.diffusion.Request.of("x").steps(1))
                            .images())
                    .hasSize(1);
        }
    }

    @Test
    void aPipelineThatTheFirstCallLoadedIsClosedWithTheApplication() {
        StableDiffusionPipeline[] seen = new StableDiffusionPipeline[1];
        tiny().run(context -> {
            context.getBean(ImageModel.class).call(new ImagePrompt("x"));
            seen[0] = context.getBean(StableDiffusionPipeline.class);
        });
        assertThat(org.assertj.core.api.Assertions.catchThrowable(
                        () -> seen[0].generate(io.tome4j.diffusion.Request.of("x"))))
                .hasMessageContaining("closed");
    }

    @Test
    void thePatchIsOnThePipelineThatTheApplicationInjects() {
        tiny().withPropertyValues("tome4j.merging.ratio=0.4")
                .run(context -> assertThat(ToMe.patchedWith(context.getBean(StableDiffusionPipeline.class)))
                        .isEqualTo(ToMeOptions.ratio(0.4)));
    }

    @Test
    void editorsKnowThePropertiesAndTheOptionsOfMerging() throws Exception {
        JsonNode metadata =
                new ObjectMapper().readTree(getClass().getResource("/META-INF/spring-configuration-metadata.json"));
        assertThat(metadata.get("properties").findValuesAsText("name"))
                .contains("tome4j.model", "tome4j.lazy", "spring.ai.tome4j.image.steps", "spring.ai.tome4j.image.n")
                .contains("langchain4j.tome4j.image-model.timeout", "management.health.tome4j.enabled");
        assertThat(metadata.get("properties"))
                .allSatisfy(property -> assertThat(property.path("description").asText())
                        .as(property.get("name").asText())
                        .isNotEmpty());
        assertThat(metadata.get("hints").findValuesAsText("value"))
                .containsAll(ToMeOptions.OPTIONS.stream()
                        .map(option -> option.name().replace('_', '-'))
                        .toList());
    }
}

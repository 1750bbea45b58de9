"""Inputs and outputs of each stage of both tiny pipelines, taken with hooks from one run of each model."""

from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.tiny_pipelines import load

PROMPTS = ["A robot's red apple!! 42", "the old man and the sea, at night - oil on canvas; very detailed"]
BLOCK = "down_blocks.1.attentions.0.transformer_blocks.0"
SPATIAL = "down_blocks.1.attentions.0"
RESNET = "up_blocks.0.resnets.0"


class Recorder:
    """Keeps what passes through chosen modules, under the names given."""

    def __init__(self) -> None:
        self.tensors: dict[str, torch.Tensor] = {}

    def output(self, module: torch.nn.Module, name: str) -> None:
        def hook(_module: torch.nn.Module, _inputs: tuple, outputs: Any) -> None:
            self.keep(name, outputs)

        module.register_forward_hook(hook)

    def whole(self, module: torch.nn.Module, name: str, inputs: list[str]) -> None:
        """The output and the leading positional inputs, under the names listed."""

        def hook(_module: torch.nn.Module, arguments: tuple, outputs: Any) -> None:
            for input_name, value in zip(inputs, arguments):
                self.keep(f"{name}.{input_name}", value)
            self.keep(f"{name}.output", outputs)

        module.register_forward_hook(hook)

    def keep(self, name: str, value: Any) -> None:
        while not isinstance(value, torch.Tensor):
            value = value[0]
        self.tensors[name] = value.clone()


def text_stages(pipeline: StableDiffusionPipeline) -> dict[str, torch.Tensor]:
    ids = pipeline.tokenizer(PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    recorder = Recorder()
    encoder = pipeline.text_encoder
    recorder.output(encoder.embeddings, "text.embeddings")
    for number, layer in enumerate(encoder.encoder.layers):
        recorder.output(layer, f"text.layers.{number}")
    result = encoder(ids)
    return recorder.tensors | {"text.input_ids": ids, "text.last_hidden_state": result.last_hidden_state}


def unet_stages(
    pipeline: StableDiffusionPipeline, prefix: str, height: int, width: int, timestep: int, text: torch.Tensor, seed: int
) -> dict[str, torch.Tensor]:
    unet = pipeline.unet
    recorder = Recorder()
    recorder.output(unet.time_proj, f"{prefix}.time_proj")
    recorder.output(unet.time_embedding, f"{prefix}.time_embedding")
    recorder.output(unet.conv_in, f"{prefix}.conv_in")
    for number, block in enumerate(unet.down_blocks):
        recorder.output(block, f"{prefix}.down_blocks.{number}")
    recorder.output(unet.mid_block, f"{prefix}.mid_block")
    for number, block in enumerate(unet.up_blocks):
        recorder.output(block, f"{prefix}.up_blocks.{number}")
    recorder.whole(unet.get_submodule(SPATIAL), f"{prefix}.{SPATIAL}", ["hidden_states"])
    recorder.whole(unet.get_submodule(BLOCK), f"{prefix}.{BLOCK}", ["hidden_states"])
    recorder.whole(unet.get_submodule(RESNET), f"{prefix}.{RESNET}", ["hidden_states", "temb"])

    sample = torch.randn(2, 4, height, width, generator=generator(seed))
    output = unet(sample, timestep, encoder_hidden_states=text).sample
    return recorder.tensors | {
        f"{prefix}.sample": sample,
        f"{prefix}.timestep": torch.tensor([timestep]),
        f"{prefix}.encoder_hidden_states": text,
        f"{prefix}.output": output,
    }


def vae_stages(
    pipeline: StableDiffusionPipeline, prefix: str, height: int, width: int, seed: int
) -> dict[str, torch.Tensor]:
    vae = pipeline.vae
    numbers = generator(seed)
    latents = torch.randn(1, 4, height, width, generator=numbers)
    image = torch.rand(1, 3, 8 * height, 8 * width, generator=numbers) * 2 - 1
    return {
        f"{prefix}.latents": latents,
        f"{prefix}.decoded": vae.decode(latents / vae.config.scaling_factor).sample,
        f"{prefix}.image": image,
        f"{prefix}.moments": vae.encode(image).latent_dist.parameters,
    }


def make() -> None:
    for name, seed in (("sd1", 101), ("sd2", 201)):
        tensors = text_stages(load(f"tiny-{name}"))
        text = tensors["text.last_hidden_state"]
        tensors |= unet_stages(load(f"tiny-{name}"), "unet", 16, 16, 481, text, seed)
        tensors |= unet_stages(load(f"tiny-{name}"), "unet_odd", 17, 13, 37, text, seed + 1)
        pipeline = load(f"tiny-{name}")
        tensors |= vae_stages(pipeline, "vae", 6, 6, seed + 2) | vae_stages(pipeline, "vae_odd", 7, 5, seed + 3)
        write_tensors(FIXTURES / f"stages-{name}.safetensors", tensors)
        write_json(
            FIXTURES / f"stages-{name}.json",
            {
                "pipeline": f"tiny-{name}",
                "prompts": PROMPTS,
                "notes": {
                    "vae.decoded": "decode(latents / scaling_factor), before clamping to [-1, 1]",
                    "vae.moments": "encode(image): mean and log variance side by side in dimension 1, not scaled",
                    "unet.timestep": "one timestep for the whole batch",
                    "unet.encoder_hidden_states": "equal to text.last_hidden_state; the blocks below get the same",
                },
                "shapes": {key: list(tensor.shape) for key, tensor in sorted(tensors.items())},
            },
        )

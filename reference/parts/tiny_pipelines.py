"""Two Stable Diffusion pipelines with the true topology, few channels and lively random weights.

tiny-sd1 lies on disk as SD 1.5 does on the hub: vocab.json and merges.txt, "text_model." in the text encoder's names,
"query"/"key"/"value"/"proj_attn" in the VAE's attention, a scheduler file that leaves defaults out.
tiny-sd2 is exactly what today's save_pretrained writes.
"""

import json
import math
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel
from transformers.utils import logging as transformers_logging

from parts.clip_vocabulary import Vocabulary, tokenizer, vocabulary, write_hub_folder
from parts.common import FIXTURES, generator

TINY_MERGES = 480
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SD1_SCHEDULER = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", **BETAS, "clip_sample": False,
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}
ATTENTION_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

diffusers_logging.set_verbosity_error()
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
diffusers_logging.disable_progress_bar()


def enliven(model: torch.nn.Module, seed: int) -> None:
    """Draws every parameter anew: weights that keep the variance, norms and biases that are not trivial."""
    numbers = generator(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=numbers)
        if "embedding.weight" in name:
            parameter.copy_(0.7 * noise)
        elif parameter.ndim >= 2:
            parameter.copy_(noise / math.sqrt(parameter[0].numel()))
        elif name.endswith("weight"):  # the scale of a norm
            parameter.copy_(1 + 0.2 * noise)
        else:
            parameter.copy_(0.1 * noise)


def calibrate(last: torch.nn.Module, output: torch.Tensor, deviation: float) -> None:
    """Scales the last convolution so that outputs have about this standard deviation and no offset."""
    last.weight.mul_(deviation / output.std())
    last.bias.mul_(deviation)


def text_encoder(words: dict[str, int], layers: int, activation: str, projection: int, seed: int) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=layers, num_attention_heads=4,
        max_position_embeddings=77, hidden_act=activation, projection_dim=projection,
        bos_token_id=0, eos_token_id=2, pad_token_id=1,  # as in the files of SD 1.5 and SD 2.1
    )
    model = CLIPTextModel(config).eval()
    enliven(model, seed)
    return model


def unet(seed: int, **config) -> UNet2DConditionModel:
    model = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, norm_num_groups=8, cross_attention_dim=32,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, **config,
    ).eval()
    enliven(model, seed)
    for name, parameter in model.named_parameters():
        if "attn2.to_out.0.weight" in name or "attn2.to_q.weight" in name:  # let the prompt matter
            parameter.mul_(2)
    numbers = generator(seed + 1)
    sample, text = torch.randn(2, 4, 16, 16, generator=numbers), torch.randn(2, 77, 32, generator=numbers)
    calibrate(model.conv_out, model(sample, 500, text).sample, 0.9)
    return model


def vae(seed: int, **config) -> AutoencoderKL:
    model = AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=128, scaling_factor=0.18215,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, **config,
    ).eval()
    enliven(model, seed)
    latents = torch.randn(1, 4, 16, 16, generator=generator(seed + 1)) / 0.18215
    calibrate(model.decoder.conv_out, model.decode(latents).sample, 0.5)
    return model


def tiny_sd1() -> StableDiffusionPipeline:
    words = vocabulary(TINY_MERGES)
    return StableDiffusionPipeline(
        tokenizer=tokenizer(words),
        text_encoder=text_encoder(words.ids, layers=2, activation="quick_gelu", projection=768, seed=11),
        unet=unet(
            12, block_out_channels=(16, 16, 16, 24), layers_per_block=2, attention_head_dim=4,
            use_linear_projection=False),
        vae=vae(13, block_out_channels=(8, 8, 16, 16), layers_per_block=2, norm_num_groups=4),
        scheduler=PNDMScheduler.from_config(SD1_SCHEDULER),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )


def tiny_sd2() -> StableDiffusionPipeline:
    words = vocabulary(TINY_MERGES)
    return StableDiffusionPipeline(
        tokenizer=tokenizer(words, pad_token="!"),
        text_encoder=text_encoder(words.ids, layers=3, activation="gelu", projection=512, seed=21),
        unet=unet(
            22, block_out_channels=(16, 16, 24, 24), layers_per_block=1, attention_head_dim=[2, 2, 3, 3],
            use_linear_projection=True, upcast_attention=True),
        vae=vae(23, block_out_channels=(8, 16, 16, 16), layers_per_block=1, norm_num_groups=8),
        scheduler=DDIMScheduler(
            **BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type="v_prediction"),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )


def as_on_the_hub(folder: Path, words: Vocabulary) -> None:
    """Gives a freshly saved folder the names and files that SD 1.5 has on the hub."""
    shutil.rmtree(folder / "tokenizer")
    write_hub_folder(folder / "tokenizer", words)

    text_file = folder / "text_encoder" / "model.safetensors"
    text = {f"text_model.{name.removeprefix('text_model.')}": tensor for name, tensor in load_file(text_file).items()}
    text["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(text, text_file, metadata={"format": "pt"})

    vae_file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    weights = {}
    for name, tensor in load_file(vae_file).items():
        for new, old in ATTENTION_NAMES.items():
            name = name.replace(f"mid_block.attentions.0.{new}.", f"mid_block.attentions.0.{old}.")
        weights[name] = tensor
    save_file(weights, vae_file, metadata={"format": "pt"})

    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(SD1_SCHEDULER, indent=2) + "\n")


def load(name: str) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(FIXTURES / name, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def make() -> None:
    for name, pipeline in (("tiny-sd1", tiny_sd1()), ("tiny-sd2", tiny_sd2())):
        folder = FIXTURES / name
        shutil.rmtree(folder, ignore_errors=True)
        pipeline.save_pretrained(folder)
        if name == "tiny-sd1":
            as_on_the_hub(folder, vocabulary(TINY_MERGES))
        check_same(pipeline, load(name))


def check_same(made: StableDiffusionPipeline, loaded: StableDiffusionPipeline) -> None:
    """What was written must load as what was made, renamed tensors included."""
    for part in ("text_encoder", "unet", "vae"):
        expected, actual = getattr(made, part).state_dict(), getattr(loaded, part).state_dict()
        assert expected.keys() == actual.keys(), part
        assert all(torch.equal(expected[key], actual[key]) for key in expected), part
    prompt = "A robot's red apple!! 42"
    assert made.tokenizer(prompt).input_ids == loaded.tokenizer(prompt).input_ids

"""Writes a random-weight Stable Diffusion 1.5 folder at full size, and what its UNet answers, for checks too big to commit.

    python reference/full_size_check.py --out DIR [--dtype fp16|bf16|fp32]

DIR gets SD 1.5's true configs and file names (safetensors of the chosen dtype, about 2 GB in fp16) and
`forward.safetensors`, all of it float32 or int64:

    text.input_ids [2, 77], text.last_hidden_state [2, 77, 768]
    unet.sample [2, 4, 64, 64], unet.timestep [1], unet.encoder_hidden_states [2, 77, 768]
    unet.output_fp32, unet.output_bf16 [2, 4, 64, 64]: the weights in the file, computed with in fp32 and in bf16

Weights are drawn so that activations keep a sane size; the pictures mean nothing. Same seed, same bytes.
"""

import argparse
import gzip
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from parts.clip_vocabulary import Vocabulary, tokenizer
from parts.common import FIXTURES, generator, prepare_torch, write_tensors
from parts.sd15 import UNET
from parts.tiny_pipelines import SD1_SCHEDULER, as_on_the_hub, calibrate, enliven

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
PROMPTS = ["a photo of an astronaut riding a horse on mars", ""]
VAE = {
    "sample_size": 512, "in_channels": 3, "out_channels": 3, "latent_channels": 4, "scaling_factor": 0.18215,
    "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32,
    "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
}
TEXT = {
    "vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
    "num_attention_heads": 12, "max_position_embeddings": 77, "hidden_act": "quick_gelu", "projection_dim": 768,
    "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
}


def committed_vocabulary() -> Vocabulary:
    def unpacked(name: str) -> str:
        return gzip.decompress((FIXTURES / "tokenizer" / name).read_bytes()).decode("utf-8")

    merges = [tuple(line.split()) for line in unpacked("merges.txt.gz").splitlines()[1:]]
    return Vocabulary(json.loads(unpacked("vocab.json.gz")), merges)


def lively(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    enliven(model.eval(), seed)
    return model


def write_folder(folder: Path, dtype: torch.dtype) -> None:
    words = committed_vocabulary()
    numbers = generator(30)
    unet = lively(UNet2DConditionModel(**UNET), 31)
    sample, text = torch.randn(1, 4, 16, 16, generator=numbers), torch.randn(1, 77, 768, generator=numbers)
    calibrate(unet.conv_out, unet(sample, 500, text).sample, 0.9)
    vae = lively(AutoencoderKL(**VAE), 32)
    calibrate(vae.decoder.conv_out, vae.decode(sample / VAE["scaling_factor"]).sample, 0.5)
    pipeline = StableDiffusionPipeline(
        tokenizer=tokenizer(words), text_encoder=lively(CLIPTextModel(CLIPTextConfig(**TEXT)), 33), unet=unet, vae=vae,
        scheduler=PNDMScheduler.from_config(SD1_SCHEDULER),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    pipeline.to(dtype).save_pretrained(folder)
    as_on_the_hub(folder, words)


def forward(folder: Path) -> dict[str, torch.Tensor]:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    ids = pipeline.tokenizer(PROMPTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    text = pipeline.text_encoder(ids).last_hidden_state
    sample = torch.randn(2, 4, 64, 64, generator=generator(34))
    outputs = {}
    for name in ("fp32", "bf16"):
        dtype = DTYPES[name]
        unet = pipeline.unet.to(dtype)
        output = unet(sample.to(dtype), 481, encoder_hidden_states=text.to(dtype)).sample.float()
        assert output.isfinite().all()
        print(f"{name}: standard deviation {output.std():.3f}")
        outputs[f"unet.output_{name}"] = output
    apart = outputs["unet.output_bf16"] - outputs["unet.output_fp32"]
    print(f"bf16 differs by {apart.abs().mean():.4f} on average, {apart.abs().max():.4f} at most")
    return outputs | {
        "text.input_ids": ids, "text.last_hidden_state": text,
        "unet.sample": sample, "unet.timestep": torch.tensor([481]), "unet.encoder_hidden_states": text,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, outside the repository")
    parser.add_argument("--dtype", choices=DTYPES, default="fp16", help="of the weights in the files")
    arguments = parser.parse_args()
    prepare_torch()
    write_folder(arguments.out, DTYPES[arguments.dtype])
    write_tensors(arguments.out / "forward.safetensors", forward(arguments.out))


if __name__ == "__main__":
    main()

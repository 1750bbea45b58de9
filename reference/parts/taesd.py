"""A tiny TAESD with random weights, and what it makes of an image and of latents."""

import shutil

import torch
from diffusers import AutoencoderTiny

from parts.common import FIXTURES, generator, write_tensors
from parts.tiny_pipelines import enliven


def make() -> None:
    folder = FIXTURES / "tiny-taesd"
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4, num_encoder_blocks=(1, 2, 1, 1),
        num_decoder_blocks=(2, 1, 1, 1),
    ).eval()
    enliven(model, 31)
    model.save_pretrained(folder)
    numbers = generator(32)
    image, latents = torch.rand(2, 3, 24, 40, generator=numbers) * 2 - 1, 2 * torch.randn(2, 4, 3, 5, generator=numbers)
    encoded, decoded = model.encode(image).latents, model.decode(latents).sample
    assert encoded.std() > 0.05 and decoded.std() > 0.05, (encoded.std(), decoded.std())
    write_tensors(folder / "expected.safetensors", {"image": image, "latents": latents, "encoded": encoded, "decoded": decoded})

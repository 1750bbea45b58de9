"""The names and shapes of a folder's tensors in the single file that was there before it.

The conversion is written from the tables of names, and checked: diffusers' own `from_single_file` must make the folder's
models of the file, tensor by tensor.
"""

import re
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from parts.common import FIXTURES, write_gzip, to_json

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
OPEN_CLIP = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def _longest_first(names: dict[str, str], name: str) -> str:
    for theirs, ours in names.items():
        if name.startswith(theirs + "."):
            return ours + name[len(theirs) :]
    raise KeyError(name)


def unet_names(unet: UNet2DConditionModel) -> dict[str, str]:
    """By the name in diffusers the name in LDM."""
    names = {
        "conv_in": "input_blocks.0.0",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    number = 1
    for b, block in enumerate(unet.down_blocks):
        for l in range(len(block.resnets)):
            names[f"down_blocks.{b}.resnets.{l}"] = f"input_blocks.{number}.0"
            names[f"down_blocks.{b}.attentions.{l}"] = f"input_blocks.{number}.1"
            number += 1
        if block.downsamplers is not None:
            names[f"down_blocks.{b}.downsamplers.0.conv"] = f"input_blocks.{number}.0.op"
            number += 1
    number = 0
    for b, block in enumerate(unet.up_blocks):
        attends = getattr(block, "attentions", None) is not None
        for l in range(len(block.resnets)):
            names[f"up_blocks.{b}.resnets.{l}"] = f"output_blocks.{number}.0"
            names[f"up_blocks.{b}.attentions.{l}"] = f"output_blocks.{number}.1"
            number += 1
        if block.upsamplers is not None:
            names[f"up_blocks.{b}.upsamplers.0.conv"] = f"output_blocks.{number - 1}.{2 if attends else 1}.conv"
    result = {}
    for name in unet.state_dict():
        renamed = _longest_first(names, name)
        resnet = re.match(r"(.*_blocks?\.\d+(?:\.0)?)\.(" + "|".join(RESNET) + r")\.(weight|bias)$", renamed)
        if ".resnets." in name and resnet:
            renamed = f"{resnet[1]}.{RESNET[resnet[2]]}.{resnet[3]}"
        result[name] = "model.diffusion_model." + renamed
    return result


def vae_tensors(vae: AutoencoderKL) -> dict[str, torch.Tensor]:
    tensors = {}
    levels = len(vae.encoder.down_blocks)
    for name, tensor in vae.state_dict().items():
        renamed = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{levels - 1 - int(match[1])}", name)
        renamed = renamed.replace("down_blocks", "down").replace("mid_block.resnets.0", "mid.block_1")
        renamed = renamed.replace("mid_block.resnets.1", "mid.block_2").replace("resnets", "block")
        renamed = renamed.replace("samplers.0", "sample").replace("conv_norm_out", "norm_out")
        renamed = renamed.replace("conv_shortcut", "nin_shortcut")
        attention = re.match(r"(.*mid)_block\.attentions\.0\.(.*)\.(weight|bias)$", renamed)
        if attention:
            renamed = f"{attention[1]}.attn_1.{VAE_ATTENTION[attention[2]]}.{attention[3]}"
            tensor = tensor[:, :, None, None] if tensor.dim() == 2 else tensor
        tensors["first_stage_model." + renamed] = tensor
    return tensors


def clip_tensors(text_encoder: torch.nn.Module, open_clip: bool) -> dict[str, torch.Tensor]:
    state = {name.removeprefix("text_model."): tensor for name, tensor in text_encoder.state_dict().items()}
    state = {name: tensor for name, tensor in state.items() if not name.endswith("position_ids")}
    if not open_clip:
        return {"cond_stage_model.transformer.text_model." + name: tensor for name, tensor in state.items()}
    tensors = {}
    for name, tensor in state.items():
        layer = re.match(r"encoder\.layers\.(\d+)\.(.*)\.(weight|bias)$", name)
        if name.startswith("embeddings.token"):
            tensors["token_embedding.weight"] = tensor
        elif name.startswith("embeddings.position"):
            tensors["positional_embedding"] = tensor
        elif not layer:
            tensors[name.replace("final_layer_norm", "ln_final")] = tensor
        elif layer[2] in OPEN_CLIP:
            tensors[f"transformer.resblocks.{layer[1]}.{OPEN_CLIP[layer[2]]}.{layer[3]}"] = tensor
        elif layer[2] == "self_attn.q_proj":
            parts = [state[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
            tensors[f"transformer.resblocks.{layer[1]}.attn.in_proj_{layer[3]}"] = torch.cat(parts)
    return {"cond_stage_model.model." + name: tensor for name, tensor in tensors.items()}


def single_file(folder: Path, open_clip: bool) -> dict[str, torch.Tensor]:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, local_files_only=True)
    state = pipeline.unet.state_dict()
    tensors = {ldm: state[name] for name, ldm in unet_names(pipeline.unet).items()}
    return tensors | vae_tensors(pipeline.vae) | clip_tensors(pipeline.text_encoder, open_clip)


def _require_equal(folder: Path, file: Path) -> None:
    """What diffusers makes of the file is what the folder holds."""
    for model, subfolder in ((UNet2DConditionModel, "unet"), (AutoencoderKL, "vae")):
        expected = model.from_pretrained(folder, subfolder=subfolder, local_files_only=True).state_dict()
        actual = model.from_single_file(str(file), config=str(folder), subfolder=subfolder, local_files_only=True).state_dict()
        assert expected.keys() == actual.keys()
        for name, tensor in expected.items():
            assert torch.equal(tensor, actual[name]), f"{folder.name}: {name}"


def make() -> None:
    for name, open_clip in (("tiny-sd1", False), ("tiny-sd2", True)):
        tensors = single_file(FIXTURES / name, open_clip)
        with tempfile.TemporaryDirectory() as temporary:
            file = Path(temporary) / "model.safetensors"
            save_file({key: tensor.contiguous().clone() for key, tensor in tensors.items()}, str(file))
            assert load_file(str(file)).keys() == tensors.keys()
            _require_equal(FIXTURES / name, file)
        shapes = {key: [list(tensor.shape), float(tensor.double().sum())] for key, tensor in sorted(tensors.items())}
        write_gzip(FIXTURES / "single-files" / f"{name}.json.gz", to_json(shapes))

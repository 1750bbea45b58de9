"""LoRA files in every spelling of the same deltas, written by hand from one table, and what they make of an image.

The images come from diffusers with PEFT, which reads kohya's names and its own. What it does not read (LoHa, LoKr, Tucker,
DoRA, whole differences, IA3) is merged by lycoris_lora's own modules, or by hand where the formula is a line.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
from lycoris.modules.base import LycorisBaseModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.locon import LoConModule
from peft import LoraConfig
from PIL import Image
from safetensors.torch import save_file

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.tiny_pipelines import load

FOLDER = FIXTURES / "lora"
PROMPT = "a rusty robot's portrait, oil on canvas"
UNET = [  # (diffusers, LDM, rank, alpha): all ranks and alphas differ somewhere
    ("conv_in", "input_blocks.0.0", 3, 6.0),
    ("time_embedding.linear_1", "time_embed.0", 2, 1.0),
    ("down_blocks.0.resnets.0.conv1", "input_blocks.1.0.in_layers.2", 4, 2.0),
    ("down_blocks.0.resnets.0.time_emb_proj", "input_blocks.1.0.emb_layers.1", 2, 3.0),
    ("down_blocks.0.attentions.0.proj_in", "input_blocks.1.1.proj_in", 4, 2.0),
    ("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", "input_blocks.1.1.transformer_blocks.0.attn1.to_q", 4, 4.0),
    ("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0", "input_blocks.1.1.transformer_blocks.0.attn1.to_out.0", 3, 2.0),
    ("down_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj", "input_blocks.1.1.transformer_blocks.0.ff.net.0.proj", 4, 2.0),
    ("down_blocks.0.downsamplers.0.conv", "input_blocks.3.0.op", 4, 1.0),
    ("down_blocks.1.attentions.1.transformer_blocks.0.attn2.to_k", "input_blocks.5.1.transformer_blocks.0.attn2.to_k", 5, 10.0),
    ("mid_block.attentions.0.transformer_blocks.0.attn2.to_v", "middle_block.1.transformer_blocks.0.attn2.to_v", 4, 8.0),
    ("mid_block.resnets.1.conv2", "middle_block.2.out_layers.3", 4, 2.0),
    ("up_blocks.1.resnets.0.conv_shortcut", "output_blocks.3.0.skip_connection", 4, 4.0),
    ("up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_v", "output_blocks.5.1.transformer_blocks.0.attn1.to_v", 4, 4.0),
    ("up_blocks.2.upsamplers.0.conv", "output_blocks.8.2.conv", 4, 2.0),
    ("up_blocks.3.attentions.0.transformer_blocks.0.ff.net.2", "output_blocks.9.1.transformer_blocks.0.ff.net.2", 4, 8.0),
    ("up_blocks.3.attentions.2.proj_out", "output_blocks.11.1.proj_out", 4, 2.0),
]
TEXT = [
    ("encoder.layers.0.self_attn.q_proj", 4, 8.0),
    ("encoder.layers.0.self_attn.out_proj", 2, 2.0),
    ("encoder.layers.1.self_attn.v_proj", 4, 4.0),
    ("encoder.layers.1.mlp.fc1", 4, 6.0),
    ("encoder.layers.1.mlp.fc2", 3, 3.0),
]
STRENGTH = 0.5  # of a delta against its weight, about


def fresh() -> StableDiffusionPipeline:
    pipeline = load("tiny-sd1")
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    return pipeline


def modules(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    return {name.removeprefix("text_model."): module for name, module in model.named_modules()}


def factors(weight: torch.Tensor, rank: int, alpha: float, numbers: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """up and down whose scaled product is about as large as half of the weight; a convolution's down has its kernel."""
    up = torch.randn(weight.shape[0], rank, *(1 for _ in weight.shape[2:]), generator=numbers)
    down = torch.randn(rank, *weight.shape[1:], generator=numbers)
    product = (up.flatten(1) @ down.flatten(1)) * alpha / rank
    return up * (STRENGTH * weight.std() / product.std()), down


def table() -> tuple[dict, dict]:
    pipeline, numbers = fresh(), generator(77)
    unet, text = modules(pipeline.unet), modules(pipeline.text_encoder)
    of_unet = {(name, ldm): (*factors(unet[name].weight, rank, alpha, numbers), alpha) for name, ldm, rank, alpha in UNET}
    of_text = {name: (*factors(text[name].weight, rank, alpha, numbers), alpha) for name, rank, alpha in TEXT}
    return of_unet, of_text


def underscored(name: str) -> str:
    return name.replace(".", "_")


def kohya(of_unet: dict, of_text: dict, ldm: bool) -> dict[str, torch.Tensor]:
    tensors = {}
    named = {f"lora_unet_{underscored(names[ldm])}": entry for names, entry in of_unet.items()}
    named |= {f"lora_te_text_model_{underscored(name)}": entry for name, entry in of_text.items()}
    for name, (up, down, alpha) in named.items():
        tensors |= {f"{name}.lora_up.weight": up, f"{name}.lora_down.weight": down, f"{name}.alpha": torch.tensor(alpha)}
    return tensors


def dotted(of_unet: dict, of_text: dict, prefix: str, ldm: bool, text: str) -> dict[str, torch.Tensor]:
    """A and B under dotted names; alphas as tensors beside them."""
    tensors = {}
    named = {prefix + names[ldm]: entry for names, entry in of_unet.items()}
    named |= {text + name: entry for name, entry in of_text.items()}
    for name, (up, down, alpha) in named.items():
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up, f"{name}.alpha": torch.tensor(alpha)}
    return tensors


def peft(of_unet: dict, of_text: dict, adapter: str = "") -> dict[str, torch.Tensor]:
    tensors = {}
    named = {f"unet.{names[0]}": entry for names, entry in of_unet.items()}
    named |= {f"text_encoder.text_model.{name}": entry for name, entry in of_text.items()}
    for name, (up, down, _) in named.items():
        tensors |= {f"{name}.lora_A{adapter}.weight": down, f"{name}.lora_B{adapter}.weight": up}
    return tensors


def metadata(of_unet: dict, of_text: dict) -> dict[str, str]:
    """As diffusers writes it: PEFT's config of each component; what most modules have, and patterns for those that differ."""
    config = {}
    for component, entries in (("unet", {n[0]: e for n, e in of_unet.items()}), ("text_encoder", of_text)):
        peft_config = LoraConfig(
            r=4, lora_alpha=2, target_modules=list(entries),
            rank_pattern={name: up.shape[1] for name, (up, _, _) in entries.items() if up.shape[1] != 4},
            alpha_pattern={name: alpha for name, (_, _, alpha) in entries.items() if alpha != 2})
        for key, value in peft_config.to_dict().items():
            config[f"{component}.{key}"] = sorted(value) if isinstance(value, set) else value
    return {"lora_adapter_metadata": json.dumps(config, default=str)}  # alone: safetensors writes several in any order


def scaled(of_unet: dict, of_text: dict) -> tuple[dict, dict]:
    """The same deltas with alpha = r, for spellings without alphas."""
    def one(entry):
        up, down, alpha = entry
        return up * (alpha / up.shape[1]), down, float(up.shape[1])
    return {key: one(entry) for key, entry in of_unet.items()}, {key: one(entry) for key, entry in of_text.items()}


def old(of_unet: dict, of_text: dict) -> dict[str, torch.Tensor]:
    """Attention processors as before diffusers 0.20; other layers, and the text encoder, as shortly after."""
    tensors = {}
    for (name, _), (up, down, _) in of_unet.items():
        layer, _, projection = name.removesuffix(".0").rpartition(".")
        key = f"unet.{layer}.processor.{projection}_lora" if projection.startswith("to_") else f"unet.{name}.lora"
        tensors |= {f"{key}.up.weight": up, f"{key}.down.weight": down}
    for name, (up, down, _) in of_text.items():
        key = f"text_encoder.text_model.{name}.lora_linear_layer"
        tensors |= {f"{key}.up.weight": up, f"{key}.down.weight": down}
    return tensors


def merge(pipeline: StableDiffusionPipeline, of_unet: dict, of_text: dict, unet_weight: float, text_weight: float) -> None:
    for part, entries, weight in ((pipeline.unet, {n[0]: e for n, e in of_unet.items()}, unet_weight), (pipeline.text_encoder, of_text, text_weight)):
        for name, (up, down, alpha) in entries.items():
            target = modules(part)[name].weight
            delta = up.flatten(1) @ down.flatten(1) * (alpha / up.shape[1])
            target.add_(weight * delta.reshape(target.shape))


def picture(pipeline: StableDiffusionPipeline, prompt: str = PROMPT, **kwargs: Any) -> np.ndarray:
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    made = pipeline(prompt, num_inference_steps=4, guidance_scale=5.0, width=96, height=96, generator=generator(5), **kwargs)
    return np.asarray(made.images[0])


def by_diffusers(file: Path, scale: float) -> np.ndarray:
    pipeline = fresh()
    pipeline.load_lora_weights(str(file.parent), weight_name=file.name)
    return picture(pipeline, cross_attention_kwargs={"scale": scale})


def by_hand(of_unet: dict, of_text: dict, unet_weight: float, text_weight: float) -> np.ndarray:
    pipeline = fresh()
    merge(pipeline, of_unet, of_text, unet_weight, text_weight)
    return picture(pipeline)


def save(name: str, tensors: dict[str, torch.Tensor], meta: dict[str, str] | None = None) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{name}.safetensors"
    save_file({key: tensor.detach().clone().contiguous() for key, tensor in sorted(tensors.items())}, str(file), metadata=meta)
    return file


def difference(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other.astype(int)).max())


def one_alpha(entries: dict) -> dict:
    """Rank 2 and alpha 1 everywhere: the reference's conversion of kohya's names loses alphas that differ."""
    return {key: (up[:, :2], down[:2], 1.0) for key, (up, down, _) in entries.items()}


def spellings() -> list[str]:
    of_unet, of_text = table()
    by_rank = scaled(of_unet, of_text)
    files = {
        "kohya": save("kohya", kohya(of_unet, of_text, ldm=False)),
        "kohya-ldm": save("kohya-ldm", kohya(of_unet, of_text, ldm=True)),
        "dotted-ldm": save("dotted-ldm", dotted(of_unet, of_text, "diffusion_model.", True, "text_encoders.clip_l.transformer.text_model.")),
        "dotted-wrapped": save("dotted-wrapped", dotted(of_unet, of_text, "base_model.model.", False, "base_model.model.text_model.")),
        "peft-alphas": save("peft-alphas", dotted(of_unet, of_text, "unet.", False, "text_encoder.text_model.")),
        "peft-metadata": save("peft-metadata", peft(of_unet, of_text), metadata(of_unet, of_text)),
        "peft-scaled": save("peft-scaled", peft(*by_rank, adapter=".default")),
        "old": save("old", old(*by_rank)),
    }
    plain = picture(fresh())
    images = {
        "plain": plain,
        "full": by_diffusers(files["peft-metadata"], 1.0), "weaker": by_diffusers(files["peft-metadata"], 0.6),
        "apart": by_hand(of_unet, of_text, 0.8, 0.3),  # the reference has one strength for both
    }
    assert difference(images["full"], by_hand(of_unet, of_text, 1, 1)) <= 1
    assert difference(images["weaker"], by_hand(of_unet, of_text, 0.6, 0.6)) <= 1

    same = save("kohya-one-alpha", kohya(one_alpha(of_unet), one_alpha(of_text), ldm=False))
    images["one-alpha"] = by_diffusers(same, 1.0)
    assert difference(images["one-alpha"], by_hand(one_alpha(of_unet), one_alpha(of_text), 1, 1)) <= 1
    for name, image in images.items():
        assert name == "plain" or difference(image, plain) > 20, name
        Image.fromarray(image).save(FOLDER / f"{name}.png", optimize=True)
    return list(files)


def lycoris_modules(unet: torch.nn.Module) -> dict[str, LycorisBaseModule]:
    """Each kind for a module of its own, with lively weights; linear layers and convolutions."""
    named = modules(unet)
    block = "down_blocks.0.attentions.0.transformer_blocks.0"
    deeper = "up_blocks.2.attentions.1.transformer_blocks.0"
    kinds: dict[str, tuple[type[LycorisBaseModule], dict[str, Any]]] = {
        f"{block}.attn1.to_q": (LohaModule, {}),
        "down_blocks.0.resnets.0.conv1": (LohaModule, {}),
        "down_blocks.0.resnets.1.conv1": (LohaModule, {"use_tucker": True}),
        f"{block}.attn1.to_k": (LokrModule, {"factor": 2}),
        f"{block}.ff.net.2": (LokrModule, {"factor": 4, "decompose_both": True, "lora_dim": 1}),
        f"{block}.attn1.to_v": (LokrModule, {"full_matrix": True, "alpha": 7}),
        "down_blocks.1.resnets.0.conv1": (LokrModule, {"factor": 2}),
        "down_blocks.1.resnets.1.conv1": (LokrModule, {"factor": 4, "use_tucker": True, "lora_dim": 1}),
        "mid_block.resnets.0.conv1": (LokrModule, {"factor": 4, "full_matrix": True}),
        "mid_block.resnets.1.conv1": (LoConModule, {"use_tucker": True}),
        f"{deeper}.attn1.to_q": (LoConModule, {"weight_decompose": True}),
        f"{deeper}.ff.net.2": (LoConModule, {"weight_decompose": True, "wd_on_out": False}),
        "up_blocks.2.resnets.0.conv1": (LoConModule, {"weight_decompose": True}),
        "up_blocks.2.resnets.1.conv1": (LoConModule, {"weight_decompose": True, "wd_on_out": False}),
        f"{deeper}.attn1.to_k": (LohaModule, {"weight_decompose": True}),
        f"{deeper}.attn2.to_k": (LokrModule, {"factor": 2, "weight_decompose": True, "wd_on_out": False}),
        f"{deeper}.attn2.to_v": (IA3Module, {}),
        f"{deeper}.attn1.to_out.0": (IA3Module, {"train_on_input": True}),
    }
    numbers = generator(78)
    made = {}
    for name, (kind, settings) in kinds.items():
        module = kind(f"lora_unet_{underscored(name)}", named[name], **({"lora_dim": 3, "alpha": 2} | settings))
        for key, parameter in module.named_parameters():
            if key.startswith("org_module"):
                continue
            noise = torch.randn(parameter.shape, generator=numbers)
            if key == "dora_scale":
                parameter.mul_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.5 * noise)
        made[name] = module
    return made


def merged_weight(module: LycorisBaseModule, shape: torch.Size) -> torch.Tensor:
    """What the module computes with. Its own merge multiplies LoHa and LoKr by alpha / r twice, its forward pass once."""
    if not isinstance(module, (LohaModule, LokrModule)):
        return module.get_merged_weight(1, shape=shape)[0]
    weight = module.org_weight + module.get_weight(shape)
    return module.apply_weight_decompose(weight) if module.wd else weight


def lycoris() -> None:
    pipeline, numbers = fresh(), generator(79)
    targets = modules(pipeline.unet)
    tensors, merged = {}, {}
    for name, module in lycoris_modules(pipeline.unet).items():
        state = module.custom_state_dict() if not isinstance(module, IA3Module) else {"weight": module.weight, "on_input": module.on_input}
        tensors |= {f"lora_unet_{underscored(name)}.{key}": torch.as_tensor(value) for key, value in state.items()}
        merged[f"{name}.weight"] = merged_weight(module, targets[name].weight.shape)
    by_hand = {"up_blocks.3.resnets.0.conv2": ("diff", "diff_b"), "up_blocks.3.resnets.1.norm1": ("w_norm", "b_norm")}
    for name, (of_weight, of_bias) in by_hand.items():
        target = targets[name]
        for part, key in ((target.weight, of_weight), (target.bias, of_bias)):
            delta = 0.3 * part.std() * torch.randn(part.shape, generator=numbers)
            tensors[f"lora_unet_{underscored(name)}.{key}"] = delta
            merged[f"{name}.{'weight' if part is target.weight else 'bias'}"] = part + delta
    save("lycoris", tensors)
    write_tensors(FOLDER / "lycoris-merged.safetensors", merged)
    for name, strength in (("lycoris", 1.0), ("lycoris-weaker", 0.7)):
        pipeline = fresh()
        state = pipeline.unet.state_dict()
        for key, tensor in merged.items():
            state[key].add_(strength * (tensor - state[key]))
        Image.fromarray(picture(pipeline)).save(FOLDER / f"{name}.png", optimize=True)


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    files = spellings()
    lycoris()
    write_json(FOLDER / "cases.json", {
        "prompt": PROMPT, "seed": 5, "steps": 4, "guidance_scale": 5.0, "size": 96, "cases": [{"file": name} for name in files]})

"""SDXL with LoRAs (in every spelling), textual inversions in pairs, and clip skip: files, embeddings and whole runs.

The images come from diffusers with PEFT; where strengths differ it is merged by hand from the same table. What the web UI's
syntax makes of a pair of textual inversions is computed by the documented arithmetic: see prompt_syntax.py.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from peft import LoraConfig
from PIL import Image
from safetensors.torch import load_file, save_file

from parts.common import FIXTURES, generator, write_json, write_tensors
from parts.lora import difference, factors, modules, one_alpha, scaled, underscored
from parts.robustness import first_steady_seed
from parts.sdxl import BASE, REFINER, STEADY, Case, loaded, prepared, run

FOLDER = FIXTURES / "sdxl-adapters"
UNET = [  # (diffusers, LDM, rank, alpha)
    ("conv_in", "input_blocks.0.0", 3, 6.0),
    ("time_embedding.linear_1", "time_embed.0", 2, 1.0),
    ("add_embedding.linear_1", "label_emb.0.0", 2, 2.0),
    ("add_embedding.linear_2", "label_emb.0.2", 2, 3.0),
    ("down_blocks.0.resnets.0.conv1", "input_blocks.1.0.in_layers.2", 4, 2.0),
    ("down_blocks.0.downsamplers.0.conv", "input_blocks.2.0.op", 4, 1.0),
    ("down_blocks.1.attentions.0.proj_in", "input_blocks.3.1.proj_in", 4, 2.0),
    ("down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q", "input_blocks.3.1.transformer_blocks.0.attn1.to_q", 4, 4.0),
    ("down_blocks.2.attentions.0.transformer_blocks.1.attn2.to_k", "input_blocks.5.1.transformer_blocks.1.attn2.to_k", 5, 10.0),
    ("down_blocks.2.attentions.0.transformer_blocks.0.ff.net.0.proj", "input_blocks.5.1.transformer_blocks.0.ff.net.0.proj", 4, 2.0),
    ("mid_block.attentions.0.transformer_blocks.1.attn2.to_v", "middle_block.1.transformer_blocks.1.attn2.to_v", 4, 8.0),
    ("mid_block.resnets.1.conv2", "middle_block.2.out_layers.3", 4, 2.0),
    ("up_blocks.0.attentions.1.transformer_blocks.1.attn1.to_out.0", "output_blocks.1.1.transformer_blocks.1.attn1.to_out.0", 3, 2.0),
    ("up_blocks.0.upsamplers.0.conv", "output_blocks.1.2.conv", 4, 2.0),
    ("up_blocks.1.resnets.0.conv_shortcut", "output_blocks.2.0.skip_connection", 4, 4.0),
    ("up_blocks.1.attentions.0.transformer_blocks.0.attn1.to_v", "output_blocks.2.1.transformer_blocks.0.attn1.to_v", 4, 4.0),
    ("up_blocks.1.attentions.1.proj_out", "output_blocks.3.1.proj_out", 4, 2.0),
    ("up_blocks.2.resnets.1.time_emb_proj", "output_blocks.5.0.emb_layers.1", 2, 3.0),
]
FIRST = [
    ("encoder.layers.0.self_attn.q_proj", 4, 8.0),
    ("encoder.layers.1.self_attn.v_proj", 4, 4.0),
    ("encoder.layers.1.mlp.fc1", 4, 6.0),
    ("encoder.layers.1.mlp.fc2", 3, 3.0),
]
SECOND = [
    ("encoder.layers.0.self_attn.out_proj", 2, 2.0),
    ("encoder.layers.1.mlp.fc1", 4, 6.0),
    ("encoder.layers.2.self_attn.k_proj", 4, 4.0),  # seen by the pooled embedding alone
]
PROJECTION = [("text_projection", 4, 8.0)]  # which the reference leaves out
Entries = dict[Any, tuple[torch.Tensor, torch.Tensor, float]]  # by (diffusers, LDM), of text encoders by name


def table(pipeline: Any, seed: int, projection: bool = False) -> dict[str, Entries]:
    numbers = generator(seed)
    unet = modules(pipeline.unet)
    made: dict[str, Entries] = {
        "unet": {(name, ldm): (*factors(unet[name].weight, rank, alpha, numbers), alpha) for name, ldm, rank, alpha in UNET}}
    for component, rows in (("text_encoder", FIRST), ("text_encoder_2", SECOND + PROJECTION * projection)):
        if getattr(pipeline, component) is not None:
            of = modules(getattr(pipeline, component))
            made[component] = {name: (*factors(of[name].weight, rank, alpha, numbers), alpha) for name, rank, alpha in rows}
    return made


def named(entries: dict[str, Entries], ldm: bool) -> Iterator[tuple[str, str, tuple[torch.Tensor, torch.Tensor, float]]]:
    for component, of in entries.items():
        for name, entry in of.items():
            yield component, name if isinstance(name, str) else name[ldm], entry


def in_text_model(name: str) -> str:
    return name if name == "text_projection" else f"text_model.{name}"


def kohya(entries: dict[str, Entries], ldm: bool) -> dict[str, torch.Tensor]:
    tensors = {}
    for component, name, (up, down, alpha) in named(entries, ldm):
        prefix = {"unet": "lora_unet_", "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_"}[component]
        key = prefix + underscored(name if component == "unet" else in_text_model(name))
        tensors |= {f"{key}.lora_up.weight": up, f"{key}.lora_down.weight": down, f"{key}.alpha": torch.tensor(alpha)}
    return tensors


def dotted(entries: dict[str, Entries], prefixes: dict[str, str], ldm: bool, alphas: bool, adapter: str = "") -> dict[str, torch.Tensor]:
    tensors = {}
    for component, name, (up, down, alpha) in named(entries, ldm):
        key = prefixes[component] + (name if component == "unet" else in_text_model(name))
        tensors |= {f"{key}.lora_A{adapter}.weight": down, f"{key}.lora_B{adapter}.weight": up}
        if alphas:
            tensors[f"{key}.alpha"] = torch.tensor(alpha)
    return tensors


def metadata(entries: dict[str, Entries]) -> dict[str, str]:
    """As diffusers writes it: PEFT's config of each component."""
    config = {}
    for component, of in entries.items():
        plain = {name if isinstance(name, str) else name[0]: entry for name, entry in of.items()}
        peft_config = LoraConfig(
            r=4, lora_alpha=2, target_modules=list(plain),
            rank_pattern={name: up.shape[1] for name, (up, _, _) in plain.items() if up.shape[1] != 4},
            alpha_pattern={name: alpha for name, (_, _, alpha) in plain.items() if alpha != 2})
        for key, value in peft_config.to_dict().items():
            config[f"{component}.{key}"] = sorted(value) if isinstance(value, set) else value
    return {"lora_adapter_metadata": json.dumps(config, default=str)}


def old(entries: dict[str, Entries]) -> dict[str, torch.Tensor]:
    tensors = {}
    for component, name, (up, down, _) in named(entries, ldm=False):
        if component == "unet":
            layer, _, projection = name.removesuffix(".0").rpartition(".")
            key = f"unet.{layer}.processor.{projection}_lora" if projection.startswith("to_") else f"unet.{name}.lora"
        else:
            key = f"{component}.{in_text_model(name)}.lora_linear_layer"
        tensors |= {f"{key}.up.weight": up, f"{key}.down.weight": down}
    return tensors


def merge(pipeline: Any, entries: dict[str, Entries], unet_weight: float, text_weight: float) -> None:
    for component, name, (up, down, alpha) in named(entries, ldm=False):
        target = modules(getattr(pipeline, component))[name].weight
        delta = up.flatten(1) @ down.flatten(1) * (alpha / up.shape[1])
        target.add_((unet_weight if component == "unet" else text_weight) * delta.reshape(target.shape))


def save(name: str, tensors: dict[str, torch.Tensor], meta: dict[str, str] | None = None) -> None:
    file = FOLDER / f"{name}.safetensors"
    save_file({key: tensor.detach().clone().contiguous() for key, tensor in sorted(tensors.items())}, str(file), metadata=meta)


def alike(entries: dict[str, Entries]) -> dict[str, Entries]:
    """Without what the reference loses of kohya's names: alphas that differ, and the first text encoder's attention."""
    made = {component: one_alpha(of) for component, of in entries.items()}
    return made | {"text_encoder": {name: entry for name, entry in made["text_encoder"].items() if "self_attn" not in name}}


PEFT_PREFIXES = {"unet": "unet.", "text_encoder": "text_encoder.", "text_encoder_2": "text_encoder_2."}
COMFY_PREFIXES = {
    "unet": "diffusion_model.", "text_encoder": "text_encoders.clip_l.transformer.",
    "text_encoder_2": "text_encoders.clip_g.transformer."}
SPELLINGS = ["kohya", "kohya-ldm", "dotted-ldm", "peft-alphas", "peft-metadata", "peft-scaled", "old"]


def write_loras() -> dict[str, dict[str, Entries]]:
    """The tables of those that are merged by hand, by name of the file."""
    entries = table(loaded(BASE), 177)
    by_rank = {component: scaled(of, {})[0] for component, of in entries.items()}
    save("kohya", kohya(entries, ldm=False))
    save("kohya-ldm", kohya(entries, ldm=True))
    save("dotted-ldm", dotted(entries, COMFY_PREFIXES, ldm=True, alphas=True))
    save("peft-alphas", dotted(entries, PEFT_PREFIXES, ldm=False, alphas=True))
    save("peft-metadata", dotted(entries, PEFT_PREFIXES, ldm=False, alphas=False), metadata(entries))
    save("peft-scaled", dotted(by_rank, PEFT_PREFIXES, ldm=False, alphas=False, adapter=".default"))
    save("old", old(by_rank))
    save("one-alpha", kohya(alike(entries), ldm=True))
    whole = table(loaded(BASE), 178, projection=True)
    second = {"text_encoder_2": whole["text_encoder_2"]}
    save("second-encoder", kohya(second, ldm=True))
    refiner = table(loaded(REFINER), 179)
    save("refiner", dotted(refiner, PEFT_PREFIXES, ldm=False, alphas=False), metadata(refiner))
    save("refiner-kohya", kohya(refiner, ldm=True))
    return {"kohya": entries, "second-encoder": second}


@dataclass(frozen=True)
class Adapted(Case):
    loras: list[tuple[str, float, float]] = field(default_factory=list)  # file, weights of UNet and of text
    embeddings: list[tuple[str, str]] = field(default_factory=list)  # file, token
    refiner_loras: list[str] = field(default_factory=list)
    spellings: list[str] = field(default_factory=list)  # files that give the same
    syntax: str = "plain"


ROBOT = "a rusty robot's portrait, oil on canvas"
TOY = [("toy", "<toy>")]
STYLE = [("style", "style")]
CASES = [
    Adapted("plain", "euler", 4, 5, width=64, height=64),
    Adapted("full", "euler", 4, 5, width=64, height=64, loras=[("peft-metadata", 1, 1)], spellings=SPELLINGS),
    Adapted("weaker", "euler", 4, 5, width=64, height=64, loras=[("peft-metadata", 0.6, 0.6)], spellings=["kohya-ldm"]),
    Adapted("apart", "euler", 4, 5, width=64, height=64, loras=[("kohya", 0.8, 0.3)]),
    Adapted("one-alpha", "euler", 4, 5, width=64, height=64, loras=[("one-alpha", 1, 1)]),
    Adapted("second-encoder", "euler", 4, 5, width=64, height=64, loras=[("second-encoder", 1, 1)]),
    Adapted("lora-tome_2", "ddim", 4, 61, width=136, height=120, loras=[("peft-metadata", 1, 1)], negative_prompt="bad",
            tome={"ratio": 0.5, "max_downsample": 2}),
    Adapted("lora-tome_4", "euler_a", 4, 62, width=96, height=160, images_per_prompt=2, loras=[("peft-metadata", 0.5, 0.5)],
            tome={"ratio": 0.4, "max_downsample": 4}),
    Adapted("lora-refined", "euler", 8, 63, width=64, height=64, loras=[("peft-metadata", 1, 1)], refiner_start=0.6),
    Adapted("refiner-lora", "euler", 8, 63, width=64, height=64, loras=[("peft-metadata", 1, 1)], refiner_loras=["refiner"],
            refiner_start=0.6),
    Adapted("toy", "euler", 4, 64, ("a rusty <toy> robot's portrait",), width=64, height=64, embeddings=TOY),
    Adapted("style", "euler", 4, 65, ("a portrait in style, oil on canvas",), width=64, height=64, embeddings=STYLE,
            negative_prompt="bad"),
    Adapted("negative-style", "dpmpp_2m", 4, 66, width=64, height=64, embeddings=STYLE + TOY, negative_prompt="bad style <toy>"),
    Adapted("second-prompt-toy", "euler", 4, 67, width=64, height=64, embeddings=TOY, negative_prompt="bad",
            options={"prompt_2": "a <toy> apple"}),
    Adapted("toy-refined", "euler", 8, 68, ("<toy> in style",), width=64, height=64, embeddings=TOY + STYLE, refiner_start=0.5),
    Adapted("clip_skip-1", "euler", 4, 69, width=64, height=64, options={"clip_skip": 1}, negative_prompt="bad"),
    Adapted("clip_skip-2", "euler", 4, 70, width=64, height=64, options={"clip_skip": 2}),
    Adapted("clip_skip-refined", "euler", 6, 71, width=64, height=64, options={"clip_skip": 1}, negative_prompt="bad",
            refiner_start=0.5),
    Adapted("clip_skip-lora-toy", "heun", 3, 72, ("a <toy>, oil on canvas", "harbour"), width=64, height=64, options={"clip_skip": 1},
            negative_prompt="", embeddings=TOY, loras=[("peft-metadata", 0.7, 0.7)], tome={"ratio": 0.5, "max_downsample": 2}),
    Adapted("web-ui", "euler", 4, 73, ("a (toy:1.4) robot, [style] BREAK night",), width=64, height=64, embeddings=TOY + STYLE,
            negative_prompt="(style:0.6) BREAK bad", syntax="a1111", options={"emphasis": "no_norm"}),
]
WEB_UI = {  # what the case's texts are: chunks of pieces; a piece with a file's name is its vectors
    "prompt": [[("a ", 1), ("toy", 1.4), (" robot, ", 1), ("style", 1 / 1.1), (" ", 1)], [("night", 1)]],
    "negative": [[("style", 0.6)], [("bad", 1)]],
}


def write_embeddings() -> None:
    numbers = generator(190)
    save("toy", {key: torch.randn(1, 32, generator=numbers) for key in ("clip_g", "clip_l")})
    save("style", {key: torch.randn(3, 32, generator=numbers) for key in ("clip_g", "clip_l")})


def encoders(pipeline: Any) -> list[tuple[str, Any, Any]]:
    found = [("clip_l", getattr(pipeline, "text_encoder", None), pipeline.tokenizer), ("clip_g", pipeline.text_encoder_2, pipeline.tokenizer_2)]
    return [each for each in found if each[1] is not None]


def add_embeddings(pipeline: Any, case: Adapted) -> None:
    for file, token in case.embeddings:
        pair = load_file(FOLDER / f"{file}.safetensors")
        for part, encoder, tokenizer in encoders(pipeline):
            pipeline.load_textual_inversion(pair[part], token=token, text_encoder=encoder, tokenizer=tokenizer)


def adapted(case: Adapted, tables: dict[str, dict[str, Entries]]) -> tuple[Any, Any]:
    pipeline = prepared(BASE, case)
    refiner = None if case.refiner_start is None else prepared(REFINER, case)
    if case.syntax == "plain":
        for each in (pipeline, refiner):
            if each is not None:
                add_embeddings(each, case)
    for file, weight, text_weight in case.loras:
        if file in tables:
            merge(pipeline, tables[file], weight, text_weight)
        else:
            pipeline.load_lora_weights(str(FOLDER), weight_name=f"{file}.safetensors", adapter_name=file)
            pipeline.set_adapters([file], [weight])
    for file in case.refiner_loras:
        refiner.load_lora_weights(str(FOLDER), weight_name=f"{file}.safetensors")
    return pipeline, refiner


@contextmanager
def vectors_in_place(encoder: torch.nn.Module, rows: list[list[torch.Tensor | None]]) -> Iterator[None]:
    """Puts vectors into the embeddings of tokens."""
    def hook(_module: torch.nn.Module, _inputs: tuple, output: torch.Tensor) -> torch.Tensor:
        for row, vectors in enumerate(rows):
            for place, vector in enumerate(vectors):
                if vector is not None:
                    output[row, place] = vector
        return output

    handle = encoder.get_input_embeddings().register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def web_ui_text(pipeline: Any, chunks: list[list[tuple[str, float]]]) -> tuple[torch.Tensor, torch.Tensor]:
    """States and pooled embedding: each encoder is weighted apart, and a text ends at its true end."""
    learned = {name: load_file(FOLDER / f"{name}.safetensors") for name, _ in TOY + STYLE}
    states, pooled = [], None
    for part, encoder, tokenizer in encoders(pipeline):
        columns = []
        for number, pieces in enumerate(chunks):
            tokens: list[tuple[int, float, torch.Tensor | None]] = [(tokenizer.bos_token_id, 1, None)]
            for text, weight in pieces:
                if text in learned:
                    tokens += [(0, weight, vector) for vector in learned[text][part]]
                else:
                    tokens += [(token, weight, None) for token in tokenizer(text, add_special_tokens=False).input_ids]
            tokens.append((tokenizer.eos_token_id, 1, None))
            tokens += [(tokenizer.pad_token_id, 1, None)] * (77 - len(tokens))
            with vectors_in_place(encoder, [[vector for _, _, vector in tokens]]):
                output = encoder(torch.tensor([[token for token, _, _ in tokens]]), output_hidden_states=True)
            hidden = output.hidden_states[-2]
            columns.append(hidden * torch.tensor([[weight for _, weight, _ in tokens]])[..., None])
            if part == "clip_g" and number == 0:
                pooled = output.text_embeds
        states.append(torch.cat(columns, dim=1))
    return torch.cat(states, dim=2), pooled


def run_adapted(pipeline: Any, refiner: Any, case: Adapted, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    if case.syntax == "plain":
        return run(pipeline, refiner, case, global_seed)
    prompt, pooled = web_ui_text(pipeline, WEB_UI["prompt"])
    negative, negative_pooled = web_ui_text(pipeline, WEB_UI["negative"])
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    texts = {
        "prompt_embeds": prompt, "pooled_prompt_embeds": pooled, "negative_prompt_embeds": negative,
        "negative_pooled_prompt_embeds": negative_pooled}
    pictures = pipeline(
        **texts, num_inference_steps=case.steps, guidance_scale=case.guidance_scale, width=case.width, height=case.height,
        generator=generator(case.seed)).images
    return np.stack([np.asarray(picture) for picture in pictures]), prompt


def embeddings_of(pipeline: Any, refiner: Any, case: Adapted) -> dict[str, torch.Tensor]:
    """What the text encoders make of a case's prompts: rows of the negative prompt, then of the prompts."""
    tensors = {}
    for name, each in (("base", pipeline), ("refiner", refiner)):
        if each is None:
            continue
        if case.syntax == "plain":
            negative = None if case.negative_prompt is None else [case.negative_prompt] * len(case.prompts)
            second = case.options.get("prompt_2")
            embeds, negative_embeds, pooled, negative_pooled = each.encode_prompt(
                list(case.prompts), None if second is None else [second] * len(case.prompts), device="cpu",
                negative_prompt=negative, clip_skip=case.options.get("clip_skip"))
        else:
            (embeds, pooled), (negative_embeds, negative_pooled) = (web_ui_text(each, WEB_UI[text]) for text in ("prompt", "negative"))
        tensors[f"{case.name}.{name}.text"] = torch.cat([negative_embeds, embeds])[:, ::3]  # some of them: the file is small
        tensors[f"{case.name}.{name}.pooled"] = torch.cat([negative_pooled, pooled])
    return tensors


def make_runs() -> None:
    tables = write_loras()
    write_embeddings()
    tensors: dict[str, torch.Tensor] = {}
    descriptions, plain = [], None
    for case in CASES:
        pipeline, refiner = adapted(case, tables)

        def pixels(seed: int) -> torch.Tensor:
            return torch.from_numpy(run_adapted(pipeline, refiner, case, seed)[0]).short()

        seed, moved = first_steady_seed(pipeline.unet, pixels, 1, STEADY)
        pictures, _ = run_adapted(pipeline, refiner, case, seed)
        if case.embeddings or "clip_skip" in case.options or case.name == "second-encoder":
            tensors |= embeddings_of(pipeline, refiner, case)
        plain = pictures[0] if case.name == "plain" else plain
        files = [f"{case.name}-{number}.png" for number in range(len(pictures))]
        for name, picture in zip(files, pictures):
            assert picture.std() > 20, f"{name} is flat"
            if case.name in ("full", "weaker", "apart", "one-alpha", "second-encoder"):
                assert difference(picture, plain) > 20, name
            Image.fromarray(picture).save(FOLDER / name, optimize=True)
        print(f"  {case.name}: seed {seed}, moved by {int(moved)}", flush=True)
        descriptions.append(asdict(case) | {
            "scheduler_class": type(pipeline.scheduler).__name__, "global_seed": seed, "moved_by_shaking": int(moved), "images": files})
    write_tensors(FOLDER / "texts.safetensors", tensors)
    write_json(FOLDER / "cases.json", {"cases": descriptions})


def make() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    make_runs()

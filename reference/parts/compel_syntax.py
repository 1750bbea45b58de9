"""Prompts in compel's syntax: what its parser makes of them, its embeddings of the tiny models, and whole runs with these."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tomesd
import torch
from compel import Compel, ReturnedEmbeddingsType
from compel.prompt_parser import Blend, PromptParser
from diffusers import DiffusionPipeline, StableDiffusionPipeline

from parts.common import FIXTURES, generator, write_json_lines, write_tensors
from parts.images import Case, make_runs

FOLDER = FIXTURES / "compel"
LONG = "a rusty robot, " * 9 + "its portrait in oil on canvas, long exposure of the harbour at night, " * 3 + "low quality"

TEXTS = [
    "",
    "a rusty robot at night",
    "a rusty++ robot's portrait-- in oil",
    "(a rusty)1.4 robot, (in (oil)0.7 at night)1.2",
    '"rusty robot"1.3 and "oil on canvas"0.4',
    "harbour----- at (night)0",
    "robot.attend(1.5) harbour.attend(--), well-known, a red+ fox+++, 4.5 stars",
    f"({LONG})0.6 and more",
    f"(rusty)1.2 {LONG}",
    '("a robot", "a harbour at night").and()',
    '("a rusty++ robot", "a harbour at (night)0.5", "oil").and(1, 0.5, 1.3)',
]
PARSED = TEXTS + [
    "a, b,c ,d", "(a, b. c)1.1", "(a b) 1.5", "(a b)+ (c)++-", "((a)1.2 b)0.5", "(((a))+)+", "a (b", "a) b", "() x", "(a = b)1.5", "a\\(b\\)++",
    "a \\(b c\\)", 'say \\"x\\"', '"a" b', '"a (b)1.5 c"0.5', '"a = b"++', '"unclosed', 'x "y z', "a-b-c++", "--", "a -- b", "+1 (b)-1", "x+y++",
    "1.5 b1.5", "(b).5", "(b)1. c", "mountain (man)1.1. yes", "naïve (café)1.1", "a\tb\nc", "don't+ it's--", "é++ (ö)1.5", "(a)(b)1.2(c)", "(a b)1.5c",
    '("a", "b").blend()', '("a b", (c d)).blend(0.3, 0.7)', '("a","b").blend(1,-0.2,no_normalize)',
    '("a, b (c)1.5", d).and(1, 2)', "(a).and(0.5)", '("x = y", "z").and()', '("a" "b").and()', '("a", "b").and', "a.b.c", "a.b++ c.", "(a.b)1.2",
    "http://x.y/z?a=b", "((((((a))))))", '("a \\"b\\" c", "d").and()',
]


def parsed(text: str) -> list[Any]:
    """Each part with its weight: whether it is normalised, and of each text its weight and its pieces with theirs."""
    conjunction = PromptParser().parse_conjunction(text)
    parts = []
    for part, weight in zip(conjunction.prompts, conjunction.weights):
        blend = type(part) is Blend
        texts = [[share, [[piece.text, piece.weight] for piece in prompt.children]] for prompt, share in (
            zip(part.prompts, part.weights) if blend else [(part, 1.0)])]
        parts.append([weight, part.normalize_weights if blend else True, texts])
    return parts


def compel_of(name: str) -> Compel:
    pipeline = DiffusionPipeline.from_pretrained(FIXTURES / f"tiny-{name}", local_files_only=True)
    if name == "sdxl":
        return Compel(
            tokenizer=[pipeline.tokenizer, pipeline.tokenizer_2], text_encoder=[pipeline.text_encoder, pipeline.text_encoder_2],
            returned_embeddings_type=ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED, requires_pooled=[False, True])
    return Compel(tokenizer=pipeline.tokenizer, text_encoder=pipeline.text_encoder)


@dataclass(frozen=True)
class Run(Case):
    """Its prompts are written in the syntax."""


BLENDED = '("a rusty robot", "oil on canvas").blend(0.7, 0.3)'
RUNS = [
    Run("weights", "sd1", "euler", 4, 41, ("a rusty++ robot (at night)0.4",), "(blurry)1.3", 6.0, 96, 96),
    Run("conjunction", "sd2", "ddim", 4, 42, ('("a rusty robot", "the harbour").and(1, 0.6)',), "low quality", 5.0, 96, 96, 2),
    Run("blend-tome", "sd1", "euler", 4, 43, (BLENDED,), "", 6.0, 96, 96, tome={"ratio": 0.5}),
]


def encoded(compel: Compel, text: str) -> torch.Tensor:
    """compel 2.5.1 cannot encode a blend itself: its method passes an argument that another does not take."""
    [part, *_] = PromptParser().parse_conjunction(text).prompts
    if type(part) is not Blend:
        return compel(text)
    states = [compel._get_conditioning_for_flattened_prompt(prompt)[0] for prompt in part.prompts]
    return compel.conditioning_provider.apply_embedding_weights(torch.cat(states)[None], part.weights, normalize=part.normalize_weights)


def run(pipeline: StableDiffusionPipeline, case: Run, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    compel = Compel(tokenizer=pipeline.tokenizer, text_encoder=pipeline.text_encoder)
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    positive, negative = compel.pad_conditioning_tensors_to_same_length(
        [encoded(compel, case.prompts[0]), encoded(compel, case.negative_prompt)])
    last: dict[str, torch.Tensor] = {}

    def keep_latents(_pipeline: Any, _step: int, _timestep: Any, values: dict[str, torch.Tensor]) -> dict:
        last["latents"] = values["latents"].clone()
        return values

    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    pictures = pipeline(
        prompt_embeds=positive, negative_prompt_embeds=negative, num_inference_steps=case.steps, guidance_scale=case.guidance_scale,
        width=case.width, height=case.height, num_images_per_prompt=case.images_per_prompt, generator=generator(case.seed),
        callback_on_step_end=keep_latents).images
    tomesd.remove_patch(pipeline)
    return np.stack([np.asarray(picture) for picture in pictures]), last["latents"]


def make() -> None:
    make_runs(FOLDER / "runs", RUNS, run)
    write_json_lines(FOLDER / "parsed.json", {}, "cases", [{"prompt": text, "parts": parsed(text)} for text in PARSED])
    tensors, rows = {}, []
    for name in ("sd1", "sd2", "sdxl"):
        compel = compel_of(name)
        for number, text in enumerate(TEXTS[:10] if name == "sdxl" else [*TEXTS, BLENDED]):  # there compel cannot weigh parts
            made = compel(text) if name == "sdxl" else encoded(compel, text)
            key = f"{name}-{number}"
            states, pooled = made if name == "sdxl" else (made, None)
            tensors[key] = states[:, number % 3 :: 3]  # some of them, to keep the file small
            if pooled is not None:
                tensors[f"{key}.pooled"] = pooled
            rows.append({"key": key, "pipeline": f"tiny-{name}", "prompt": text, "from": number % 3, "length": states.shape[1]})
    write_tensors(FOLDER / "states.safetensors", tensors)
    write_json_lines(FOLDER / "states.json", {}, "cases", rows)

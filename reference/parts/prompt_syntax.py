"""Prompts in the web UI's syntax: chunks, weighted embeddings and whole runs, by the documented arithmetic.

What each prompt says is written down by hand beside it, so that nothing here reads the syntax. What the web UI's own
parser says of prompts lies in fixtures/prompts/a1111.json: recorded once from modules/prompt_parser.py of its version
1.10, with lark 1.1.2. Left out there are prompts in which a stray bracket or colon directly follows a bracket that
changes with the step: its grammar is ambiguous then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tomesd
import torch
from diffusers import StableDiffusionPipeline

from parts.common import FIXTURES, generator, write_json_lines, write_tensors
from parts.images import Case, make_runs
from parts.tiny_pipelines import load

FOLDER = FIXTURES / "prompts"
CHUNK = 75
BACKTRACK = 20
BREAK = ("BREAK", None)
Pieces = list[tuple[str, float | None]]

LONG = "a rusty robot, " * 9 + "its portrait in oil on canvas, long exposure of the harbour at night, " * 3 + "low quality"
WORDS = "robot harbour portrait canvas night exposure quality oil long rusty"


def plain(text: str) -> Pieces:
    return [(text, 1.0)]


@dataclass(frozen=True)
class Text:
    """A text and what it is: for each of its times the last step and the pieces."""

    written: str
    times: list[tuple[int, Pieces]]


def steady(written: str, *pieces: tuple[str, float | None]) -> Text:
    return Text(written, [(10**6, list(pieces) or plain(written))])


TEXTS = [
    steady(""),
    steady("a (rusty:1.4) robot's [portrait], ((oil))", ("a ", 1), ("rusty", 1.4), (" robot's ", 1), ("portrait", 1 / 1.1), (", ", 1), ("oil", 1.1 * 1.1)),
    steady("(blurry:0.5) [[low]] quality", ("blurry", 0.5), (" ", 1), ("low", 1 / 1.1 / 1.1), (" quality", 1)),
    steady("\\(oil\\) on (canvas\\]:1.3)", ("(oil) on ", 1), ("canvas]", 1.3)),
    steady(LONG),
    steady(f"({LONG}:1.2) and more", (LONG, 1.2), (" and more", 1)),
    steady(" ".join([WORDS] * 12)),
    steady("a robot BREAK (the harbour:1.5) BREAK night", ("a robot", 1), BREAK, ("", 1), ("the harbour", 1.5), ("", 1), BREAK, ("night", 1)),
    steady("(a robot", ("a robot", 1.1)),
    Text("a [robot:(harbour:1.6):3] at night", [(3, plain("a robot at night")), (5, [("a ", 1), ("harbour", 1.6), (" at night", 1)])]),
    Text(f"[oil:{LONG}:2] (night:0.7)", [(2, [("oil ", 1), ("night", 0.7)]), (5, [(LONG + " ", 1), ("night", 0.7)])]),
    Text("a [robot|(harbour:1.3)|] at night", [
        (step, [plain("a robot at night"), [("a ", 1), ("harbour", 1.3), (" at night", 1)], plain("a  at night")][(step - 1) % 3])
        for step in range(1, 6)]),
]


def chunks(pipeline: StableDiffusionPipeline, pieces: Pieces) -> list[tuple[list[int], list[float]]]:
    """Ids and weights of each chunk: segments between BREAKs, cut where they are full or behind a comma near that."""
    tokenizer = pipeline.tokenizer
    comma = tokenizer(",", add_special_tokens=False).input_ids
    segments: list[list[tuple[int, float]]] = [[]]
    for text, weight in pieces:
        if weight is None:
            segments.append([])
        else:
            segments[-1] += [(token, weight) for token in tokenizer(text, add_special_tokens=False, truncation=False).input_ids]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    made = []
    for segment in segments:
        rest = segment
        while True:
            cut = min(len(rest), CHUNK)
            if len(rest) > CHUNK and [rest[CHUNK][0]] != comma:
                near = [place for place in range(CHUNK - BACKTRACK, CHUNK) if [rest[place][0]] == comma]
                cut = near[-1] + 1 if near else cut
            made.append(rest[:cut])
            rest = rest[cut:]
            if not rest:
                break
    padded = []
    for chunk in made:
        fill = CHUNK - len(chunk)
        ids = [tokenizer.bos_token_id, *(token for token, _ in chunk), tokenizer.eos_token_id] + [tokenizer.pad_token_id] * fill
        padded.append((ids, [1.0, *(weight for _, weight in chunk), 1.0] + [1.0] * fill))
    return padded


def states(pipeline: StableDiffusionPipeline, times: list[Pieces], emphasis: str) -> torch.Tensor:
    """[times, 77 k, C]: all times of a text are weighted together."""
    rows = [chunks(pipeline, pieces) for pieces in times]
    count = max(len(row) for row in rows)
    [empty] = chunks(pipeline, plain(""))
    columns = []
    for number in range(count):
        column = [row[number] if number < len(row) else empty for row in rows]
        hidden = pipeline.text_encoder(torch.tensor([ids for ids, _ in column])).last_hidden_state
        if emphasis in ("original", "no_norm"):
            weighted = hidden * torch.tensor([weights for _, weights in column])[..., None]
            hidden = weighted * (hidden.mean() / weighted.mean()) if emphasis == "original" else weighted
        columns.append(hidden)
    return torch.cat(columns, dim=1)


def make_texts() -> None:
    tensors, rows = {}, []
    for name in ("sd1", "sd2"):
        pipeline = load(f"tiny-{name}")
        for number, text in enumerate(TEXTS):
            for emphasis in ("original", "no_norm", "ignore") if number in (1, 9) else ("original",):
                key = f"{name}-{number}-{emphasis}"
                made = states(pipeline, [pieces for _, pieces in text.times], emphasis)
                tensors[key] = made if number in (0, 1, 9) else made[:, 5::7]  # some of them, to keep the file small
                rows.append({
                    "key": key, "pipeline": f"tiny-{name}", "prompt": text.written, "steps": 5, "emphasis": emphasis,
                    "every": 1 if number in (0, 1, 9) else 7, "from": 0 if number in (0, 1, 9) else 5,
                    "times": [min(5, last) for last, _ in text.times],
                    "chunks": [[{"ids": trimmed(ids), "weights": sparse(weights)} for ids, weights in chunks(pipeline, pieces)]
                               for _, pieces in text.times],
                })
    write_tensors(FOLDER / "states.safetensors", tensors)
    write_json_lines(FOLDER / "texts.json", {}, "cases", rows)


def trimmed(ids: list[int]) -> list[int]:
    """Without the padding's repetition."""
    end = len(ids)
    while end > 1 and ids[end - 1] == ids[end - 2]:
        end -= 1
    return ids[:end]


def sparse(weights: list[float]) -> dict[str, float]:
    return {str(place): weight for place, weight in enumerate(weights) if weight != 1}


@dataclass(frozen=True)
class Run(Case):
    parts: list[list[tuple[float, Text]]] = field(default_factory=list)  # of each prompt
    negative: Text = field(default_factory=lambda: steady(""))


BREAKS = steady("a robot BREAK the harbour", ("a robot", 1), BREAK, ("the harbour", 1))
RUNS = [
    Run("weights", "sd1", "euler", 5, 31, ("a (rusty:1.4) robot's [portrait], ((oil))",), "(blurry:0.5) [[low]] quality", 6.0, 96, 96,
        parts=[[(1, TEXTS[1])]], negative=TEXTS[2]),
    Run("long", "sd2", "ddim", 5, 32, (LONG,), "low quality", 5.0, 96, 96, parts=[[(1, TEXTS[4])]], negative=steady("low quality")),
    Run("long-negative", "sd1", "dpmpp_2m", 4, 33, ("a robot BREAK the harbour",), LONG, 5.0, 96, 96, parts=[[(1, BREAKS)]], negative=TEXTS[4]),
    Run("scheduled", "sd1", "pndm", 5, 34, ("a [robot:(harbour:1.6):3] at night",), "[night:0.5]", 7.5, 96, 96, parts=[[(1, TEXTS[9])]],
        negative=Text("[night:0.5]", [(2, plain("")), (5, plain("night"))])),
    Run("alternating", "sd1", "heun", 5, 35, ("a [robot|(harbour:1.3)|] at night",), "", 5.0, 96, 96, parts=[[(1, TEXTS[11])]]),
    Run("composed", "sd1", "euler_a", 5, 36, ("a rusty robot AND the harbour at night:0.6 AND oil: -0.3",), "blurry", 6.0, 96, 96, 2,
        parts=[[(1, steady("a rusty robot")), (0.6, steady(" the harbour at night")), (-0.3, steady(" oil"))]], negative=steady("blurry")),
    Run("prompts-of-different-kinds", "sd2", "euler", 4, 37, ("a robot AND oil:0.5", LONG), "", 5.0, 96, 96,
        parts=[[(1, steady("a robot")), (0.5, steady(" oil"))], [(1, TEXTS[4])]]),
    Run("scheduled-tome", "sd1", "euler", 5, 38, ("a [robot:(harbour:1.6):3] at night",), "", 7.5, 96, 96, tome={"ratio": 0.5},
        parts=[[(1, TEXTS[9])]]),
    Run("composed-tome", "sd1", "ddim", 4, 39, ("a rusty robot AND the harbour at night:0.6",), "", 6.0, 96, 96, tome={"ratio": 0.5},
        parts=[[(1, steady("a rusty robot")), (0.6, steady(" the harbour at night"))]]),
    Run("unguided", "sd2", "euler", 4, 40, ("[a (robot:1.5)|oil]",), "", 1.0, 96, 96, parts=[[(1, Text("", [
        (step, [("a ", 1), ("robot", 1.5)] if step % 2 else plain("oil")) for step in range(1, 5)]))]]),
]


def at(pipeline: StableDiffusionPipeline, text: Text, last: int) -> Iterator[torch.Tensor]:
    """The embedding of each step."""
    encoded = states(pipeline, [pieces for _, pieces in text.times], "original")
    for step in range(1, last + 1):
        number = next(number for number, (end, _) in enumerate(text.times) if step <= end)
        yield encoded[number : number + 1]


def stacked(rows: list[torch.Tensor]) -> torch.Tensor:
    longest = max(row.shape[1] for row in rows)
    return torch.cat([torch.cat([row, row[:, -1:].expand(-1, longest - row.shape[1], -1)], dim=1) for row in rows])


def run(pipeline: StableDiffusionPipeline, case: Run, global_seed: int) -> tuple[np.ndarray, torch.Tensor]:
    torch.manual_seed(global_seed)
    if case.tome is not None:
        tomesd.apply_patch(pipeline, **case.tome)
    pipeline.scheduler = scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(case.steps)
    timesteps = scheduler.timesteps
    guided = case.guidance_scale > 1
    negative = list(at(pipeline, case.negative, case.steps))
    positive = [[(weight, list(at(pipeline, text, case.steps))) for weight, text in prompt] for prompt in case.parts]
    images = len(positive) * case.images_per_prompt
    numbers = generator(case.seed)
    latents = torch.randn(images, 4, case.height // 8, case.width // 8, generator=numbers) * scheduler.init_noise_sigma
    seen: list[float] = []
    for timestep in timesteps:
        if float(timestep) not in seen:
            seen.append(float(timestep))
        step = len(seen) - 1
        scaled = scheduler.scale_model_input(latents, timestep)
        prompts = [prompt for prompt in positive for _ in range(case.images_per_prompt)]
        most = max(len(prompt) for prompt in prompts)
        whose, rows = [], []  # all first parts, then all second ones
        for part in range(most):
            for image, prompt in enumerate(prompts):
                if part < len(prompt) or case.tome is None:
                    weight, texts = prompt[part] if part < len(prompt) else (0.0, prompt[0][1])
                    whose.append((image, weight))
                    rows.append(texts[step])
        text = stacked(rows)
        inputs = torch.cat([scaled[image : image + 1] for image, _ in whose])
        more = {"generator": numbers} if takes_generator(scheduler) else {}
        if not guided:
            predicted = pipeline.unet(inputs, timestep, text).sample
            latents = scheduler.step(predicted, timestep, latents, return_dict=False, **more)[0]
            continue
        without = stacked([negative[step]] * images)
        if without.shape[1] == text.shape[1]:
            unconditional, conditional = pipeline.unet(
                torch.cat([scaled, inputs]), timestep, torch.cat([without, text])).sample.split([images, len(whose)])
        else:
            unconditional = pipeline.unet(scaled, timestep, without).sample
            conditional = pipeline.unet(inputs, timestep, text).sample
        predicted = unconditional.clone()
        for (image, weight), one in zip(whose, conditional):
            predicted[image] += weight * case.guidance_scale * (one - unconditional[image])
        latents = scheduler.step(predicted, timestep, latents, return_dict=False, **more)[0]
    tomesd.remove_patch(pipeline)
    decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor, return_dict=False)[0]
    pictures = pipeline.image_processor.postprocess(decoded, output_type="pil")
    return np.stack([np.asarray(picture) for picture in pictures]), latents


def takes_generator(scheduler: Any) -> bool:
    return "generator" in type(scheduler).step.__code__.co_varnames


def without_texts(_pipeline: StableDiffusionPipeline, _case: Case) -> dict[str, Any]:
    return {"parts": None, "negative": None}


def make() -> None:
    make_texts()
    make_runs(FOLDER / "runs", RUNS, run, without_texts)

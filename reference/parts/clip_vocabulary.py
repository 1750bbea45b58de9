"""CLIP's byte pair vocabulary, whole or cut short, and tokenizers made of it."""

import gzip
import json
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import NamedTuple

from transformers import CLIPTokenizer

CLIP_MERGES = 48894  # 49408 tokens less 2 * 256 bytes and 2 markers
START, END = "<|startoftext|>", "<|endoftext|>"


class Vocabulary(NamedTuple):
    ids: dict[str, int]
    merges: list[tuple[str, str]]

    def vocab_json(self) -> str:
        return json.dumps(self.ids)

    def merges_txt(self) -> str:
        return "#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in self.merges)


def _byte_letters() -> list[str]:
    """A visible character for each byte, printable bytes first, as CLIP's ids have them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


@cache
def clip_merges() -> list[tuple[str, str]]:
    # Found as a file of the installed package: importing open_clip would need torchvision.
    packed = next(file for file in files("open_clip_torch") if file.name == "bpe_simple_vocab_16e6.txt.gz").read_binary()
    lines = gzip.decompress(packed).decode("utf-8").split("\n")[1 : CLIP_MERGES + 1]
    return [(left, right) for left, right in (line.split() for line in lines)]


def vocabulary(merge_count: int = CLIP_MERGES) -> Vocabulary:
    letters = _byte_letters()
    merges = clip_merges()[:merge_count]
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += [left + right for left, right in merges] + [START, END]
    return Vocabulary({token: number for number, token in enumerate(tokens)}, merges)


def tokenizer(words: Vocabulary, pad_token: str = END) -> CLIPTokenizer:
    """SD 1.x pads with the end marker, SD 2.x with "!" (id 0)."""
    return CLIPTokenizer(vocab=words.ids, merges=words.merges, pad_token=pad_token, model_max_length=77)


def write_hub_folder(folder: Path, words: Vocabulary) -> None:
    """The files that SD 1.5's tokenizer folder has on the hub (no tokenizer.json)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(words.vocab_json(), encoding="utf-8")
    (folder / "merges.txt").write_text(words.merges_txt(), encoding="utf-8")

    def marker(text: str) -> dict:
        return {"content": text, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}

    special = {"bos_token": marker(START), "eos_token": marker(END), "pad_token": END, "unk_token": marker(END)}
    settings = {
        "add_prefix_space": False, "bos_token": {"__type": "AddedToken", **marker(START)}, "do_lower_case": True,
        "eos_token": {"__type": "AddedToken", **marker(END)}, "errors": "replace", "model_max_length": 77,
        "pad_token": END, "tokenizer_class": "CLIPTokenizer", "unk_token": {"__type": "AddedToken", **marker(END)},
    }
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")

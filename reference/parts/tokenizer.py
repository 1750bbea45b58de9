"""CLIP's real vocabulary and the token ids that transformers' CLIPTokenizer gives for many prompts."""

import csv
import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path

from parts.clip_vocabulary import CLIP_MERGES, tokenizer, vocabulary
from parts.common import FIXTURES, write_gzip, write_json
from parts.prompts import prompts
from parts.tiny_pipelines import TINY_MERGES

FOLDER = FIXTURES / "tokenizer"
PARTI_VARIABLE = "TOME4J_PARTI_PROMPTS"
TINY_PROMPTS = 120


def padded_ids(made, text: str) -> list[int]:
    return made(text, padding="max_length", max_length=77, truncation=True).input_ids


def all_ids(made, text: str) -> list[int]:
    return made(text).input_ids


def prompt_rows(merge_count: int, texts: list[str]) -> list[dict]:
    words = vocabulary(merge_count)
    sd1, sd2 = tokenizer(words), tokenizer(words, pad_token="!")
    rows = []
    for text in texts:
        row = {"text": text, "ids": padded_ids(sd1, text), "untruncated_ids": all_ids(sd1, text)}
        row["sd2_ids"] = padded_ids(sd2, text)
        if (sd2_all := all_ids(sd2, text)) != row["untruncated_ids"]:
            row["sd2_untruncated_ids"] = sd2_all
        rows.append(row)
    return rows


def write_rows(name: str, merge_count: int, texts: list[str]) -> None:
    head = {
        "implementation": f"transformers.CLIPTokenizer {version('transformers')} over tokenizers {version('tokenizers')}",
        "merges": merge_count,
        "prompts": prompt_rows(merge_count, texts),
    }
    write_gzip(FOLDER / name, json.dumps(head, ensure_ascii=True, separators=(",", ":")).replace('{"text"', '\n{"text"'))


def hash_parti(table: Path) -> None:
    """The prompts are not ours to copy: only a hash of each one's ids."""
    made = tokenizer(vocabulary())
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [row["Prompt"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]
    hashes = [
        hashlib.sha256(",".join(map(str, padded_ids(made, text))).encode("ascii")).hexdigest()[:16] for text in rows
    ]
    rule = "first 16 hex digits of SHA-256 over the 77 padded ids (SD 1.x padding), joined with commas"
    write_json(FOLDER / "parti-hashes.json", {"rule": rule, "rows": len(rows), "hashes": hashes})


def make() -> None:
    words = vocabulary()
    write_gzip(FOLDER / "vocab.json.gz", words.vocab_json())
    write_gzip(FOLDER / "merges.txt.gz", words.merges_txt())
    texts = prompts()
    assert len(texts) >= 600, len(texts)
    write_rows("prompts.json.gz", CLIP_MERGES, texts)
    write_rows("tiny-prompts.json.gz", TINY_MERGES, texts[:: len(texts) // TINY_PROMPTS])
    if table := os.environ.get(PARTI_VARIABLE):
        hash_parti(Path(table))
    else:
        print(f"tokenizer: {PARTI_VARIABLE} does not name PartiPrompts.tsv, parti-hashes.json left as it is")

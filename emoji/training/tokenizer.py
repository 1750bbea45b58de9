"""Trains a small byte-pair vocabulary in CLIP's format on the captions: vocab.json and merges.txt.

    python tokenizer.py --workdir DIR [--size 3000]       writes DIR/tokenizer
"""
import argparse
import json
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

import data

START, END, LENGTH = "<|startoftext|>", "<|endoftext|>", 77
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def corpus(motifs):
    """Captions of every motif: enough of each that its words become whole tokens."""
    rng = np.random.default_rng(2)
    for motif in motifs:
        yield from (data.with_article(motif["name"]) for _ in range(8))
        yield from (data.caption(motif, rng, "white" if i else str(rng.choice(list(data.COLOURS)))) for i in range(4))


def byte_symbols():
    """The 256 printable stand-ins for bytes, in the order of CLIP's vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(256 - len(plain))]


def train(motifs, size):
    """The merges, most frequent first."""
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    bpe.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=4, end_of_word_suffix="</w>", show_progress=False)
    bpe.train_from_iterator(corpus(motifs), trainer)
    return [tuple(m) for m in json.loads(bpe.to_str())["model"]["merges"]]


def write(merges, folder):
    """CLIP's layout: bytes, bytes at the end of a word, merges, the two specials."""
    symbols = byte_symbols()
    words = symbols + [s + "</w>" for s in symbols] + [a + b for a, b in merges] + [START, END]
    words = list(dict.fromkeys(words))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, "do_lower_case": True, "add_prefix_space": False, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workdir", type=Path, required=True)
    parser.add_argument("--size", type=int, default=3000)
    args = parser.parse_args()
    folder = args.workdir / "tokenizer"
    if (folder / "vocab.json").exists():
        return
    motifs, _ = data.load(args.workdir)
    write(train(motifs, args.size), folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    lengths = [len(tokenizer(data.with_article(m["name"])).input_ids) for m in motifs]
    print(f"{len(tokenizer)} tokens; a canonical caption takes {np.mean(lengths):.1f} on average, {max(lengths)} at most")


if __name__ == "__main__":
    main()

"""Makes the golden fixtures: python reference/make_fixtures.py [--only PART ...]. See README.md for the parts."""

import argparse
import importlib
import time

from parts.common import prepare_torch, write_versions

PARTS = {  # in the order in which they build on each other
    "tiny": "tiny_pipelines",
    "stages": "stages",
    "schedulers": "schedulers",
    "middle": "middle",
    "merging": "merging",
    "merging-unet": "merging_unet",
    "images": "images",
    "few-steps": "few_steps",
    "spacing": "spacing",
    "taesd": "taesd",
    "taesd-images": "taesd_images",
    "reuse": "reuse",
    "tokenizer": "tokenizer",
    "sdxl": "sdxl",
    "prompt-syntax": "prompt_syntax",
    "controlnet": "controlnet",
    "canny": "canny",
    "resampling": "resampling",
    "img2img": "img2img",
    "inpaint": "inpaint",
    "from-image": "from_image",
    "sdxl-tasks": "sdxl_tasks",
    "t2i-adapter": "t2i_adapter",
    "ip-adapter": "ip_adapter",
    "upscalers": "upscalers",
    "hires": "hires",
    "single-files": "single_files",
    "lora": "lora",
    "lcm-lora": "lcm_lora",
    "embeddings": "embeddings",
    "sdxl-adapters": "sdxl_adapters",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args().only
    prepare_torch()
    write_versions()
    for name in chosen:
        started = time.monotonic()
        importlib.import_module(f"parts.{PARTS[name]}").make()
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()

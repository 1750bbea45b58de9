"""Times a denoising step of `diffusers` + `tomesd` and of tome4j on the same work, in one run, and prints how many times as
long Python takes.

    python reference/side_by_side.py [--sizes 512,1024] [--ratios 0,0.5] [--repeats 5] [--out FOLDER]

The work: Stable Diffusion 1.5's UNet at its full size with random weights, on both halves of a batch with guidance, and a
DDIM step. The contenders, each a process of its own that waits while another one is timed:

    fp32               diffusers as its users run it
    bf16               bf16 weights, channels-last
    bf16-malloc        the same, and malloc told to keep its memory
    tome4j             `./tome bench --serve`, all chosen automatically
    fp16, tome4j       with --device cuda: fp16 weights, channels-last, scaled_dot_product_attention

They are asked in turn, each round beginning with another one, so that what disturbs the machine disturbs all alike; results
are medians. Ratio 0 is without merging: tomesd is not applied. Needs the packages of requirements.txt, and a tome4j that is
built (`./tome --version` builds it). With --out it writes side-by-side.md and side-by-side.json there.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
OURS = "tome4j"
GUIDANCE_SCALE = 7.5
IMAGE_STEPS = 50

# Idle threads that spin would take the cores from the process being timed: the same for all.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

# glibc does not let its threshold for mapping exceed 32 MB, so mapping is switched off.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
CONTENDERS = {"cpu": ("fp32", "bf16", "bf16-malloc", OURS), "cuda": ("fp16", OURS)}


class Steps:
    """Python's side: a UNet, patched by tomesd or not."""

    def __init__(self, dtype: str, device: str) -> None:
        import torch
        from diffusers import DDIMScheduler, UNet2DConditionModel

        from parts.sd15 import UNET

        self.torch = torch
        torch.set_grad_enabled(False)
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[dtype]
        self.device = device
        with torch.device("meta"):
            unet = UNet2DConditionModel(**UNET)
        unet = unet.eval().to(self.dtype).to_empty(device=device)
        for name, parameter in unet.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
            else:
                parameter.fill_(0 if name.endswith("bias") else 1)
        # As users run it, fp32 stays in torch's own layout.
        self.unet = unet if dtype == "fp32" else unet.to(memory_format=torch.channels_last)
        self.scheduler = DDIMScheduler(beta_schedule="scaled_linear")
        self.merged = 0.0

    def describe(self) -> str:
        import diffusers

        torch = self.torch
        where = torch.cuda.get_device_name() if self.device == "cuda" else f"{torch.get_num_threads()} threads"
        return f"torch {torch.__version__}, diffusers {diffusers.__version__}, tomesd {version('tomesd')}, {where}"

    def merge(self, ratio: float) -> None:
        import tomesd

        if ratio != self.merged:
            if self.merged:
                tomesd.remove_patch(self.unet)
            if ratio:
                tomesd.apply_patch(self.unet, ratio=ratio)
            self.merged = ratio

    def seconds(self, resolution: int, batch: int, ratio: float, steps: int) -> float:
        """Seconds a step."""
        torch = self.torch
        self.merge(ratio)
        generator = torch.Generator("cpu").manual_seed(0)
        text = torch.randn(2 * batch, 77, 768, generator=generator).to(self.device, self.dtype)
        latents = torch.randn(batch, 4, resolution // 8, resolution // 8, generator=generator).to(self.device, self.dtype)
        self.scheduler.set_timesteps(max(IMAGE_STEPS, steps))
        self.wait()
        start = time.perf_counter()
        for timestep in self.scheduler.timesteps[:steps]:
            both = self.unet(torch.cat([latents, latents]), timestep, encoder_hidden_states=text).sample
            unconditional, conditional = both.chunk(2)
            guided = unconditional + GUIDANCE_SCALE * (conditional - unconditional)
            latents = self.scheduler.step(guided, timestep, latents).prev_sample
        self.wait()
        return (time.perf_counter() - start) / steps

    def wait(self) -> None:
        if self.device == "cuda":
            self.torch.cuda.synchronize()


def serve(dtype: str, device: str) -> None:
    """Answers questions on stdin, one JSON object a line, until it ends."""
    steps = Steps(dtype, device)
    print(json.dumps({"ready": steps.describe()}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"seconds": steps.seconds(**json.loads(line))}), flush=True)


@dataclass
class Contender:
    """A process that can be asked for seconds a step."""

    name: str
    process: subprocess.Popen[str]
    ready: str = ""

    @staticmethod
    def start(name: str, device: str, tome: Path) -> "Contender":
        environment = os.environ | PASSIVE
        if name == OURS:
            command = [str(tome), "bench", "--serve", "--device", device]
        else:
            command = [sys.executable, str(Path(__file__).resolve()), "--worker", name.split("-")[0], "--device", device]
            if name.endswith("-malloc"):
                environment |= KEEP_MEMORY
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        contender = Contender(name, process)
        contender.ready = contender.answer()["ready"]
        return contender

    def answer(self) -> dict[str, Any]:
        line = stream(self.process.stdout).readline()
        if not line:
            raise SystemExit(f"{self.name} ended with status {self.process.wait()}; its own message is above")
        return json.loads(line)

    def seconds(self, resolution: int, batch: int, ratio: float, steps: int) -> float:
        question = {"resolution": resolution, "batch": batch, "ratio": ratio, "steps": steps}
        stream(self.process.stdin).write(json.dumps(question) + "\n")
        stream(self.process.stdin).flush()
        return self.answer()["seconds"]

    def stop(self) -> None:
        stream(self.process.stdin).close()
        self.process.wait()


def stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def measure(contenders: list[Contender], size: int, ratio: float, arguments: argparse.Namespace) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.seconds(size, arguments.batch, ratio, 1)
    for number in range(arguments.repeats):
        first = number % len(contenders)
        for contender in contenders[first:] + contenders[:first]:
            seconds = contender.seconds(size, arguments.batch, ratio, arguments.steps)
            samples[contender.name].append(seconds)
            print(f"{size} px, ratio {ratio:g}, {contender.name}: {seconds:.3f} s a step", file=sys.stderr, flush=True)
    return samples


def machine() -> dict[str, Any]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "system": platform.platform(), "python": platform.python_version(),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "")}


def markdown(report: dict[str, Any]) -> str:
    names = list(report["contenders"])
    theirs = [name for name in names if name != OURS]
    lines = ["# Python's diffusers + tomesd beside tome4j", "",
             "Seconds a denoising step (medians), and in brackets how many times as long as tome4j.", "",
             "| size | ratio | " + " | ".join([*theirs, OURS]) + " |", "|---" * (3 + len(theirs)) + "|"]
    for row in report["rows"]:
        cells = [f"{row['seconds'][name]:.2f} ({row['timesAsLong'][name]:.2f}x)" for name in theirs]
        lines.append(f"| {row['resolution']} | {row['ratio']:g} | " + " | ".join([*cells, f"{row['seconds'][OURS]:.2f}"]) + " |")
    lines += ["", *[f"- {name}: {text}" for name, text in report["contenders"].items()],
              "- " + ", ".join(f"{key} {value}" for key, value in report["machine"].items() if value != ""),
              "- " + ", ".join(f"{key} {value}" for key, value in report["settings"].items()), f"- {report['date']}"]
    return "\n".join(lines) + "\n"


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    contenders: list[Contender] = []
    rows = []
    try:
        for name in arguments.contenders.split(",") if arguments.contenders else CONTENDERS[arguments.device]:
            contenders.append(Contender.start(name, arguments.device, arguments.tome))
            print(f"{name}: {contenders[-1].ready}", file=sys.stderr, flush=True)
        for size in arguments.sizes:
            for ratio in arguments.ratios:
                samples = measure(contenders, size, ratio, arguments)
                seconds = {name: statistics.median(taken) for name, taken in samples.items()}
                rows.append({
                    "resolution": size, "batch": arguments.batch, "ratio": ratio, "seconds": seconds, "samples": samples,
                    "timesAsLong": {name: value / seconds[OURS] for name, value in seconds.items()},
                })
    finally:
        for contender in contenders:
            contender.stop()
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(),
        "settings": {"batch": arguments.batch, "steps": arguments.steps, "repeats": arguments.repeats,
                     "device": arguments.device},
        "contenders": {contender.name: contender.ready for contender in contenders}, "rows": rows,
    }


def numbers(kind: type) -> Any:
    return lambda text: [kind(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers(int), default=[512, 1024], help="in pixels (default: 512,1024)")
    parser.add_argument("--ratios", type=numbers(float), default=[0, 0.5], help="0 is without merging (default: 0,0.5)")
    parser.add_argument("--batch", type=int, default=1, help="images; with guidance the UNet sees twice as many")
    parser.add_argument("--steps", type=int, default=1, help="timed together (default: 1)")
    parser.add_argument("--repeats", type=int, default=5, help="times that each is asked (default: 5)")
    parser.add_argument("--device", choices=CONTENDERS, default="cpu")
    parser.add_argument("--contenders", help=f"some of {', '.join(CONTENDERS['cpu'])}; tome4j must be among them")
    parser.add_argument("--out", type=Path, help="a folder for side-by-side.md and side-by-side.json")
    parser.add_argument("--tome", type=Path, default=ROOT / "tome", help="our program (default: that of this repository)")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        serve(arguments.worker, arguments.device)
        return
    if arguments.contenders and OURS not in arguments.contenders.split(","):
        parser.error(f"--contenders must name {OURS}: the others are compared with it")
    report = run(arguments)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "side-by-side.md").write_text(markdown(report), encoding="utf-8")
        (arguments.out / "side-by-side.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(markdown(report))


if __name__ == "__main__":
    main()

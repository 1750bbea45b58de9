"""Times diffusers + tomesd, DeepCache, OpenVINO and tome4j on the same work, in one run, and prints how many times as long as
tome4j each takes.

    python reference/side_by_side.py [--sizes 512,1024] [--ratios 0,0.5] [--repeats 5] [--out FOLDER]
    python reference/side_by_side.py --images FOLDER [...]

The work is a denoising step: Stable Diffusion 1.5's UNet at its full size with random weights, on both halves of a batch
with guidance, and a DDIM step. With --images it is a whole image of a checkpoint, 20 steps from noise to pixels
(full_size_check.py writes one of full size with random weights). The contenders, each a process of its own for each row of the table, which
waits while another one is timed:

    fp32               diffusers as its users run it
    bf16               bf16 weights, channels-last
    bf16-malloc        the same, and malloc told to keep its memory
    deepcache          the same, and deep features kept for 3 steps; whole images only
    openvino           the UNet converted for OpenVINO, bf16, static shape; without merging only
    openvino-tomesd    the same of the UNet that tomesd patched; with merging only
    tome4j             `./tome bench --serve` (images: `./tome generate`), all chosen automatically
    tome4j+OPTION=...  the same with options of `./tome generate`, such as tome4j+reuse-every=3+guidance-from=0.2; images only
    fp16, tome4j       with --device cuda: fp16 weights, channels-last, scaled_dot_product_attention

They are asked in turn, each round beginning with another one, so that what disturbs the machine disturbs all alike; results
are medians. Ratio 0 is without merging: tomesd is not applied. Needs the packages of requirements.txt and requirements-peers.txt, and a
tome4j that is built (`./tome --version` builds it). With --out it writes side-by-side.md and side-by-side.json there.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any, Protocol

ROOT = Path(__file__).resolve().parent.parent
OURS = "tome4j"
GUIDANCE_SCALE = 7.5  # as in contenders.py
PROMPT = "a photo of an astronaut riding a horse on mars"

# Idle threads that spin would take the cores from the process being timed: the same for all.
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}

# glibc does not let its threshold for mapping exceed 32 MB, so mapping is switched off.
KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0", "MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}
CONTENDERS = {"cpu": ("fp32", "bf16", "bf16-malloc", "deepcache", "openvino", "openvino-tomesd", OURS), "cuda": ("fp16", "deepcache", OURS)}


class Asked(Protocol):
    """What can be timed."""

    name: str
    ready: str

    def seconds(self, **question: Any) -> float | None: ...

    def stop(self) -> None: ...


class Program:
    """tome4j's whole images: a process each, as its users run it; the time is what it reports from the prompt to pixels."""

    def __init__(self, name: str, tome: Path, model: Path) -> None:
        self.name, self.tome, self.model = name, tome, model
        version = subprocess.run([tome, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        self.ready = " ".join([version, *self.options()])

    def options(self) -> list[str]:
        return ["--" + option for option in self.name.split("+")[1:]]

    def seconds(self, **question: Any) -> float | None:
        with tempfile.TemporaryDirectory() as folder:
            command = [
                str(self.tome), "generate", PROMPT, "--model", str(self.model), "--format", "json", "--out", folder + "/image.png",
                "--width", str(question["resolution"]), "--height", str(question["resolution"]), "--count", str(question["batch"]),
                "--ratio", str(question["ratio"]), "--steps", str(question["steps"]), "--scheduler", "ddim", "--seed", "0",
                "--guidance-scale", str(GUIDANCE_SCALE), *self.options(),
            ]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = json.loads(done.stdout)["seconds"]
        return seconds["text_encoding"] + seconds["denoising"] + seconds["decoding"]

    def stop(self) -> None:
        """Each of its processes has ended by itself."""


@dataclass
class Contender:
    """A process that can be asked for seconds a step."""

    name: str
    process: subprocess.Popen[str]
    ready: str = ""

    @staticmethod
    def start(name: str, arguments: argparse.Namespace) -> "Contender":
        environment = os.environ | PASSIVE
        if name == OURS:
            command = [str(arguments.tome), "bench", "--serve", "--device", arguments.device]
        else:
            command = [sys.executable, str(Path(__file__).resolve()), "--worker", name, "--device", arguments.device]
            if arguments.images:
                command += ["--images", str(arguments.images)]
            if name in ("bf16-malloc", "deepcache"):
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

    def seconds(self, **question: Any) -> float | None:
        stream(self.process.stdin).write(json.dumps(question) + "\n")
        stream(self.process.stdin).flush()
        return self.answer()["seconds"]

    def stop(self) -> None:
        stream(self.process.stdin).close()
        self.process.wait()


def stream(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def measure(contenders: list[Asked], question: dict[str, Any], repeats: int) -> dict[str, list[float]]:
    warm_up = question | {"steps": min(2, question["steps"])}
    able = [contender for contender in contenders if contender.seconds(**warm_up) is not None]
    samples: dict[str, list[float]] = {contender.name: [] for contender in able}
    for number in range(repeats):
        first = number % len(able)
        for contender in able[first:] + able[:first]:
            seconds = contender.seconds(**question)
            samples[contender.name].append(seconds)
            print(f"{question}: {contender.name} {seconds:.3f} s", file=sys.stderr, flush=True)
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
    what = "an image" if report["settings"]["kind"] == "image" else "a denoising step"
    lines = ["# diffusers + tomesd, DeepCache and OpenVINO beside tome4j", "",
             f"Seconds {what} (medians), and in brackets how many times as long as tome4j.", "",
             "| size | ratio | " + " | ".join([*theirs, OURS]) + " |", "|---" * (3 + len(theirs)) + "|"]
    for row in report["rows"]:
        cells = [f"{row['seconds'][name]:.2f} ({row['timesAsLong'][name]:.2f}x)" if name in row["seconds"] else "" for name in theirs]
        lines.append(f"| {row['resolution']} | {row['ratio']:g} | " + " | ".join([*cells, f"{row['seconds'][OURS]:.2f}"]) + " |")
    lines += ["", *[f"- {name}: {text}" for name, text in report["contenders"].items()],
              "- " + ", ".join(f"{key} {value}" for key, value in report["machine"].items() if value != ""),
              "- " + ", ".join(f"{key} {value}" for key, value in report["settings"].items()), f"- {report['date']}"]
    return "\n".join(lines) + "\n"


def start(name: str, arguments: argparse.Namespace) -> Asked:
    if arguments.images and name.split("+")[0] == OURS:
        return Program(name, arguments.tome, arguments.images)
    return Contender.start(name, arguments)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    rows = []
    described: dict[str, str] = {}
    kind = "image" if arguments.images else "step"
    for size in arguments.sizes:
        for ratio in arguments.ratios:
            contenders: list[Asked] = []
            try:
                # Processes for one row only: what each keeps of another row's work would not fit into the memory.
                for name in names(arguments):
                    if name not in (("openvino",) if ratio else ("openvino-tomesd",)):
                        contenders.append(start(name, arguments))
                        described[name] = contenders[-1].ready
                        print(f"{name}: {contenders[-1].ready}", file=sys.stderr, flush=True)
                question = {"kind": kind, "resolution": size, "batch": arguments.batch, "ratio": ratio, "steps": arguments.steps}
                samples = measure(contenders, question, arguments.repeats)
            finally:
                for contender in contenders:
                    contender.stop()
            seconds = {name: statistics.median(taken) for name, taken in samples.items()}
            rows.append({
                "resolution": size, "batch": arguments.batch, "ratio": ratio, "seconds": seconds, "samples": samples,
                "timesAsLong": {name: value / seconds[OURS] for name, value in seconds.items()},
            })
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "machine": machine(),
        "settings": {"kind": kind, "batch": arguments.batch, "steps": arguments.steps, "repeats": arguments.repeats,
                     "device": arguments.device},
        "contenders": described, "rows": rows,
    }


def names(arguments: argparse.Namespace) -> list[str]:
    if arguments.contenders:
        return arguments.contenders.split(",")
    return [name for name in CONTENDERS[arguments.device] if arguments.images or name != "deepcache"]


def numbers(kind: type) -> Any:
    return lambda text: [kind(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=numbers(int), default=[512, 1024], help="in pixels (default: 512,1024)")
    parser.add_argument("--ratios", type=numbers(float), default=[0, 0.5], help="0 is without merging (default: 0,0.5)")
    parser.add_argument("--batch", type=int, default=1, help="images; with guidance the UNet sees twice as many")
    parser.add_argument("--images", type=Path, metavar="FOLDER", help="time whole images of this checkpoint instead of steps")
    parser.add_argument("--steps", type=int, help="timed together (default: 1, of an image 20)")
    parser.add_argument("--repeats", type=int, default=5, help="times that each is asked (default: 5)")
    parser.add_argument("--device", choices=CONTENDERS, default="cpu")
    parser.add_argument("--contenders", help=f"some of {', '.join(CONTENDERS['cpu'])} (see above); tome4j must be among them")
    parser.add_argument("--out", type=Path, help="a folder for side-by-side.md and side-by-side.json")
    parser.add_argument("--tome", type=Path, default=ROOT / "tome", help="our program (default: that of this repository)")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        from contenders import serve

        serve(arguments.worker, arguments.device, arguments.images)
        return
    arguments.steps = arguments.steps or (20 if arguments.images else 1)
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

"""The whole job beside its limit and the usual libraries, as ratios taken in one run.

`python -m tests.bench [--rows N] [--repeat N] [--peers] [--variants A,B] [--out FILE]` prints Markdown; with names
(`tokens`, `text`, `risk`, ... or `all`) it prints those tables instead, each by a program of its own.

Every variant runs in a process of its own, in turn, so that all meet the same load; the best of the repeats counts, and
the spread of the repeats tells how far to trust a ratio. The base of tables is made once in CURATOR_BENCH_BASE (else in
a temporary folder) and read into the page cache before each run: work is to be compared, not disks.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.tables import PLACES, TABLES, tables

ROOT = Path(__file__).resolve().parents[2]
USUAL = (
    "limit",
    "carry",
    "engine",
    "keyed",
    "unchecked",
    "limit-1gb",
    "keyed-1gb",
    "limit-zstd3",
    "engine-zstd3",
    "parts",
)
PEERS = ("peer", "peer-hash")
ONCE = {"parts", *PEERS}
UNDER = {"-1gb": {"BENCH_MEMORY": "1GB"}, "-zstd3": {"BENCH_LEVEL": "3"}}
TIMEOUT = 1_800
HELP_ROUNDS = 7
TOKENS = 200_000  # values of the line about tokens

Run = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The runs of one variant."""

    runs: list[Run] = field(default_factory=list)

    def best(self, name: str) -> float:
        """The smallest of a figure."""
        return min(float(run[name]) for run in self.runs)

    @property
    def spread(self) -> float:
        """Slowest over fastest wall clock, less one."""
        return max(float(run["seconds"]) for run in self.runs) / self.best("seconds") - 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    chosen = _parser().parse_args(arguments)
    wanted = list(TABLES) if "all" in chosen.tables else chosen.tables
    report = "\n".join(tables(wanted) if wanted else _whole_job(chosen))
    print(report)
    if chosen.out:
        Path(chosen.out).write_text(report + "\n", encoding="utf-8")


def _whole_job(chosen: argparse.Namespace) -> Iterator[str]:
    variants = chosen.variants.split(",") if chosen.variants else [*USUAL, *(PEERS if chosen.peers else ())]
    with base_folder() as folder:
        base = base_of(folder, chosen.rows)
        figures = measure(variants, base=base, repeat=chosen.repeat)
    yield from _report(chosen, figures)


def measure(variants: Iterable[str], *, base: Path, repeat: int) -> dict[str, Figures]:
    """Run the variants in turn, `repeat` times; the long ones once."""
    figures = {name: Figures() for name in variants}
    for number in range(repeat):
        for name, runs in figures.items():
            if number == 0 or name not in ONCE:
                _note(runs, _run(name, base), name=name)
    return {name: runs for name, runs in figures.items() if runs.runs}


def _note(runs: Figures, run: Run | None, *, name: str) -> None:
    """Keep a run; one that failed is told and left out, so that the others still count."""
    if run is not None:
        runs.runs.append(run)
    print(f"{name}: {run['seconds']} s" if run else f"{name}: failed", file=sys.stderr, flush=True)


def _run(name: str, base: Path) -> Run | None:
    _warm(base)
    under = next((suffix for suffix in UNDER if name.endswith(suffix)), "")
    environment = {**os.environ, **UNDER.get(under, {})}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench.whole_job", name.removesuffix(under), str(base), f"{folder}/out"]
        done = subprocess.run(command, cwd=ROOT, env=environment, timeout=TIMEOUT, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    run: Run = json.loads(done.stdout.splitlines()[-1])
    return run


def _warm(base: Path) -> None:
    for path in base.glob("*.parquet"):
        with path.open("rb", buffering=0) as stream:
            while stream.read(1 << 24):
                pass


@contextmanager
def base_folder() -> Iterator[Path]:
    """Where bases are kept: for the next run when CURATOR_BENCH_BASE says where."""
    if kept := os.environ.get("CURATOR_BENCH_BASE"):
        yield Path(kept)
        return
    made = Path(tempfile.mkdtemp(prefix="curator-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def base_of(folder: Path, rows: int) -> Path:
    base = folder / str(rows)
    if not (base / "accidents.parquet").exists():
        from curator.demo import generate

        base.mkdir(parents=True, exist_ok=True)
        generate(base, persons=rows, truth_identifiers=False)
    return base


def _report(chosen: argparse.Namespace, figures: dict[str, Figures]) -> Iterator[str]:
    yield f"{chosen.rows:,} persons, {time.strftime('%Y-%m-%d')}, {machine()}."
    yield ""
    yield from _table(figures)
    if "parts" in figures:
        yield ""
        yield from _parts(figures["parts"].runs[0])
    yield ""
    yield _tokens()
    yield _help()
    if not chosen.variants:
        yield from tables(PLACES)
    yield ""
    yield f"Again: `python -m tests.bench --rows {chosen.rows}{' --peers' if chosen.peers else ''}`."


def _table(figures: dict[str, Figures]) -> Iterator[str]:
    limit = figures.get("limit")
    yield "| variant | wall s | x limit | processor s | x limit | peak MB | files MB | spread of the wall | runs |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, runs in figures.items():
        if name == "parts":
            continue
        ratios = [f"{runs.best(what) / limit.best(what):.2f}" if limit else "" for what in ("seconds", "cpu")]
        peak, size = (max(run[what] for run in runs.runs) for what in ("peak_mb", "output_mb"))
        yield (
            f"| {name} | {runs.best('seconds'):.2f} | {ratios[0]} | {runs.best('cpu'):.2f} | {ratios[1]} "
            f"| {peak:,} | {size:,} | {runs.spread:.0%} | {len(runs.runs)} |"
        )


def _parts(run: Run) -> Iterator[str]:
    parts = run["parts"]
    job = parts["check"] + parts["write"]
    yield "| part of the keyed job | s | share of the job |"
    yield "|---|---|---|"
    for name, said in (
        ("check", "plan, bind, figures"), ("write", "stream, sort, write, hash, measure"),
        ("measure", "k and l again on the files (within the former)"), ("uniqueness", "a key unique on the files"),
        ("version step", "adopt the hashed files, pointer"), ("dvc add", "`dvc add` of the same files"),
    ):  # fmt: skip
        yield f"| {said} | {parts[name]:.2f} | {parts[name] / job:.0%} |"


def _tokens() -> str:
    program = str(ROOT / "tests/bench/bench_tokens.py")
    done = subprocess.run(
        [sys.executable, program, str(TOKENS)], cwd=ROOT, timeout=TIMEOUT, check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    report = json.loads(done.stdout)
    said = []
    for column in ("unique_13", "mixed_5_to_40"):
        figures = report[f"tokens_{column}"]
        ratios = ", ".join(f"{ratio:.0f}x {way}" for way, ratio in figures["ratio_to"].items())
        said.append(f"{column}: {figures['cpu_ns_per_value']['curator']:.0f} ns a value ({ratios})")
    return f"Tokens, one thread: {'; '.join(said)}."


def _help() -> str:
    ways = {"pass": ["-c", "pass"], "--help": ["-m", "curator", "--help"]}
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(HELP_ROUNDS):
        for name, command in ways.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *command], cwd=ROOT, timeout=TIMEOUT, check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - begun)
    ratio = best["--help"] / best["pass"]
    return f"`curator --help`: {best['--help'] * 1e3:.0f} ms, {ratio:.1f}x `python -c pass`."


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {platform.system()}"


def _named(name: str) -> str:
    if name not in (*TABLES, "all"):
        raise argparse.ArgumentTypeError(f"no table {name}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Ratios of the whole job, in one run.")
    parser.add_argument(
        "tables", nargs="*", type=_named, metavar="TABLE", help=f"instead of the whole job: {', '.join(TABLES)}, all"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="persons in the base")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each variant")
    parser.add_argument("--peers", action="store_true", help="run the usual libraries too (12 GB at 10 M)")
    parser.add_argument("--variants", help="only these, separated by commas")
    parser.add_argument("--out", help="also write the report to this file")
    return parser


if __name__ == "__main__":
    main()

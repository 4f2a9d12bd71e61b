"""`demo`: the whole main job on invented data, from tables to a package opened as its receiver would.

    capital-demo/
      source/      the base: persons, vehicles, accidents, and the truth about it
      road-accidents.yaml
      capital/     the workspace: versions, evidence, keys
      vendor/      what a receiver has: the package and the holder's public key; then what the package held

For demonstration only: the root secret of this capital follows from the seed, so that a seed always gives the same
tokens.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from curator.capital import Capital, RunOptions
from curator.cli._console import Answer, Console, pairs
from curator.demo import generate
from curator.errors import DisclosureError, StorageError
from curator.receiving import Package, open_package
from curator.records import DatasetVersion, ModelVersion

SPEC = "road-accidents.yaml"
HOLDER = "Road safety observatory (demonstration)"
VENDOR, REVIEWER = "vendor", "reviewer"
_DAYS = 180
_SCORED = 20_000
_STEPS = 8


def demo(args: Namespace, console: Console) -> Answer:
    """Make the folder, do the job step by step, sum it up; on a failure remove the folder unless `--keep`."""
    with _new_folder(args.folder, keep=args.keep):
        tour = _Tour(root=args.folder, rows=args.rows, seed=args.seed, console=console)
        document = tour.go()
    return Answer(document=document, text=_summary(document))


def demo_spec() -> bytes:
    """The demonstration's spec: inside the installed package, or in `specs/` of a checkout."""
    shipped = files("curator.demo").joinpath(SPEC)
    if shipped.is_file():
        return shipped.read_bytes()
    return (Path(__file__).resolve().parents[2] / "specs" / SPEC).read_bytes()


@contextmanager
def _new_folder(folder: Path, *, keep: bool) -> Iterator[None]:
    """A folder of our own; one that exists is never touched."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise StorageError(
            "folder-exists",
            asked=f"make the demonstration in {folder.name}",
            found="a file or folder of that name",
            expected="a folder that does not exist yet: nothing of yours is ever overwritten",
            todo="remove it, or name another with --folder",
        ) from None
    try:
        yield
    except BaseException:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@dataclass
class _Tour:
    """The steps in order, each told and timed."""

    root: Path
    rows: int
    seed: int
    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def go(self) -> dict[str, Any]:
        """Do all; returns what `--json` prints."""
        base = self._generate()
        capital = self._found()
        version = self._curate(capital)
        model = self._train(capital, version)
        package, request = self._release(capital, refs=(version.ref, model.ref))
        received = self._receive(package, target=self._target(capital, version))
        with self._step("trace", "walk from the model back to the sources, every signature verified"):
            steps = capital.trace(model.path)
        with self._step("verify", "read every byte again and compare with the evidence"):
            findings = [str(finding) for finding in capital.verify()]
        return {
            "folder": str(self.root),
            "capital": str(self.root / "capital"),
            "seed": self.seed,
            "base": base,
            "quality": {name: value for name, value in capital.quality(version.ref).items() if name != "ref"},
            "dataset": version.to_json(),
            "model": {**model.to_json(), "trained_on": model.trained_on},
            "release": {**request, "package": str(package), "bytes": package.stat().st_size},
            "received": received,
            "steps": len(steps),
            "findings": findings,
            "seconds": self.seconds,
        }

    @contextmanager
    def _step(self, name: str, text: str) -> Iterator[None]:
        number = len(self.seconds) + 1
        started = perf_counter()
        yield
        self.seconds[name] = round(perf_counter() - started, 2)
        self.console.note(f"[{number}/{_STEPS}] {text} ({self.seconds[name]:.1f} s)")

    def _generate(self) -> dict[str, int]:
        with self._step("generate", f"invent {self.rows:,} persons in accidents"), self.console.progress() as progress:
            truth = generate(self.root / "source", persons=self.rows, seed=self.seed, progress=progress)
            (self.root / SPEC).write_bytes(demo_spec())
        return dict(truth.rows)

    def _found(self) -> Capital:
        with self._step("init", "create the capital, with a reviewer beside the holder: nobody decides alone"):
            secret = hashlib.sha256(f"curator demonstration only, seed {self.seed}".encode()).digest()
            Capital.create(self.root / "capital", holder=HOLDER, root_secret=secret)
            capital = Capital.open(self.root / "capital", environ={})  # no real key of this machine is ever used here
            capital.add_agent(REVIEWER, roles=["reviewer"])
        return capital

    def _curate(self, capital: Capital) -> DatasetVersion:
        with self._step("curate", "extract, check, protect and commit"), self.console.progress() as progress:
            try:
                return capital.curate(self.root / SPEC, RunOptions(data=self.root / "source", progress=progress))
            except DisclosureError:
                self.console.note(f"{self.rows:,} persons are too few to hide among: take --rows 20000 or more")
                raise

    def _train(self, capital: Capital, version: DatasetVersion) -> ModelVersion:
        with (
            self._step("train", "train the baseline and prove that its ONNX form answers the same"),
            self.console.busy("train"),
        ):
            return capital.train(version.ref)

    def _target(self, capital: Capital, version: DatasetVersion) -> str:
        model = capital.use_case(version).model
        return model.target if model else ""

    def _release(self, capital: Capital, *, refs: tuple[str, ...]) -> tuple[Path, dict[str, Any]]:
        with self._step("release", "request, review by somebody else, deliver"):
            case = capital.request(
                refs,
                to=VENDOR,
                channel="industry",
                purpose="driver-assistance",
                until=datetime.now(UTC).date() + timedelta(days=_DAYS),
            )
            reviewer = Capital.open(capital.workspace.root, agent=REVIEWER, environ={})
            reviewer.review(case.id, approve=True, reason="Demonstration: tokens only, classes of 5 or more.")
            package = capital.deliver(case.id)
        delivered = next(known for known in capital.requests() if known.id == case.id)
        return package, delivered.to_json()

    def _receive(self, package: Path, *, target: str) -> dict[str, Any]:
        """Open the package where nothing of the capital is but one public key, and use what it holds."""
        with self._step("receive", "open the package elsewhere with the holder's public key alone, use its model"):
            folder = self.root / VENDOR
            folder.mkdir()
            copy = Path(shutil.copy(package, folder / package.name))
            key = Path(shutil.copy(self.root / "capital" / "holder.pub", folder / "holder.pub"))
            with open_package(copy, trust=key, into=folder / "opened") as opened:
                return {
                    "file": str(copy),
                    "trust": str(key),
                    "folder": str(opened.folder),
                    "terms": opened.terms.to_json(),
                    "rows": opened.manifest.rows,
                    "scored": _score(opened, target=target),
                }


def _score(package: Package, *, target: str) -> dict[str, Any]:
    """How well the delivered model ranks the first rows of the delivered test split.

    The area under the ROC curve: the share of pairs, one row of each class, that are ranked in the right order, ties
    counting half (Mann and Whitney, 1947). Chance gives 0.5, whatever the share of each class.
    """
    session = package.session()
    inputs = session.get_inputs()
    rows = package.table("test", columns=[*(port.name for port in inputs), target]).slice(0, _SCORED).to_pylist()
    feed = {
        port.name: np.array([["" if row[port.name] is None else row[port.name]] for row in rows], dtype=object)
        if port.type == "tensor(string)"
        else np.array([[np.nan if row[port.name] is None else row[port.name]] for row in rows], dtype=np.float32)
        for port in inputs
    }
    scores = session.run(None, feed)[1][:, 1]
    truth = np.array([bool(row[target]) for row in rows])
    return {"rows": len(rows), "positive": int(truth.sum()), "roc_auc": _roc_auc(scores, truth)}


def _roc_auc(scores: np.ndarray[Any, Any], truth: np.ndarray[Any, Any]) -> float:
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ones = int(truth.sum())
    pairs_of_rows = ones * (len(truth) - ones)
    return round(float((ranks[truth].sum() - ones * (ones + 1) / 2) / pairs_of_rows), 4) if pairs_of_rows else 0.5


def _program(script: Path) -> str:
    """How to call this program from another folder when it is not on the path."""
    return "python -m curator" if script.name == "__main__.py" else str(script.absolute())


def _summary(found: dict[str, Any]) -> str:
    dataset, model, release, received = found["dataset"], found["model"], found["release"], found["received"]
    quality, scored = found["quality"], received["scored"]
    rejected = sum(quality["rejected"].values())
    made = {
        "base": ", ".join(f"{rows:,} {name}" for name, rows in found["base"].items()),
        "checked": f"{quality['rows']:,} rows, {rejected:,} rejected (`curator rejected {dataset['ref']}` says why)",
        "dataset": f"{dataset['ref']}  {', '.join(f'{name} {rows:,}' for name, rows in dataset['rows'].items())}",
        "": f"sha256 {dataset['digest']}",
        "model": f"{model['ref']}  ONNX; of two test rows it ranks the severe one higher {scored['roc_auc']:.0%}"
        " of the time (chance: 50%)",
        "package": f"{Path(release['package']).name}  {release['bytes']:,} bytes, {release['state']}",
        "received": f"verified with holder.pub alone, until {received['terms']['until']}",
        "lineage": f"{found['steps']} signed statements from the sources to the model",
        "verify": "sound" if not found["findings"] else "; ".join(found["findings"]),
        "time": f"{sum(found['seconds'].values()):.1f} s",
    }
    program = "curator" if shutil.which("curator") else _program(Path(sys.argv[0]))
    look = [
        f"cd {found['folder']}",
        f"{program} show",
        f"{program} trace {model['ref']}",
        f"{program} verify",
        f"{program} receive {VENDOR}/{Path(release['package']).name} --trust {VENDOR}/holder.pub",
    ]
    warning = "Demonstration only: the keys of this capital follow from the seed, and everybody knows the seed."
    return "\n".join([pairs(made), "", "look at it:", *(f"  {line}" for line in look), "", warning])

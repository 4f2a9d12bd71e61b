"""`text mask`, `text evaluate`: free text outside a pipeline, and how well its masking works."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from curator.cli._console import Answer, Console, table
from curator.errors import SourceError, StorageError, UsageError
from curator.text import Kind, Masker, evaluate, read_labelled, read_text, report


def mask(args: Namespace, console: Console) -> Answer:
    """The masked text of a file, printed or written; each line is a text of its own with --lines."""
    masker = _masker(args)
    text = read_text(_bytes(args.file))
    texts = text.splitlines() if args.lines else [text]
    masked = "\n".join(masker.texts(texts)) + ("\n" if args.lines and texts else "")
    if args.out is None:
        return Answer(document={"text": masked}, text=masked.removesuffix("\n"))
    _write(args.out, masked)
    return Answer(document={"file": str(args.out), "texts": len(texts)}, text=f"{args.out}: {len(texts)} texts masked")


def measure(args: Namespace, console: Console) -> Answer:
    """Recall and precision of each kind on a labelled file; the report of --out is what a spec may name."""
    masker = _masker(args)
    documents = read_labelled(args.file)
    with console.busy("evaluate"):
        document = report(evaluate(documents, masker.finder), masker=masker, labelled=args.file)
    if args.out is not None:
        _write(args.out, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return Answer(document=document, text=_figures(document))


def _masker(args: Namespace) -> Masker:
    named = [word.strip() for word in args.entities.split(",") if word.strip()] if args.entities else list(Kind)
    unknown = sorted(set(named) - set(Kind))
    if unknown:
        raise UsageError(
            "text-kind-unknown",
            asked="look for some kinds of mention",
            found=", ".join(f"`{word}`" for word in unknown),
            expected=", ".join(Kind),
            todo="name kinds from this list, with commas between",
        )
    return Masker(kinds=frozenset(Kind(word) for word in named), model=None if args.model == "none" else args.model)


def _figures(document: dict[str, Any]) -> str:
    rows = [
        (kind, f"{row['mentions']:,}", _share(row["recall"]), _share(row["recall_low"]), _share(row["recall_same"]),
         _share(row["precision"]), _share(row["precision_any"]))
        for kind, row in {**document["kinds"], "all": document["all"]}.items()
    ]  # fmt: skip
    heads = ("kind", "mentions", "masked", "at least", "as its kind", "precision", "of any kind")
    model = document["masking"]["model"]
    how = f"rules {document['masking']['rules']}" + (f" and {model['name']} {model['version']}" if model else " alone")
    return f"{document['documents']:,} texts, {how}\n\n" + table(rows, heads=heads)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            "source-missing",
            asked=f"read the text {path.name}",
            found="no file that can be read",
            expected="a text file",
            todo="correct the path",
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="") as out:
            out.write(text)
    except OSError as error:
        raise StorageError(
            "file-not-written",
            asked=f"write {path.name}",
            found="a file of that name" if isinstance(error, FileExistsError) else "a place that cannot be written",
            expected="a new file in a folder that exists",
            todo="give another name to --out",
        ) from error

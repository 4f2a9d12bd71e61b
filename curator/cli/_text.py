"""`text mask`, `text evaluate`: free text outside a pipeline, and how well its masking works."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from curator.cli._console import Answer, Console, table
from curator.errors import SourceError, StorageError, UsageError
from curator.text import Kind, Masker, evaluate, read_labelled, read_text, report

_AT_ONCE = 500  # texts between two looks at the bar


def mask(args: Namespace, console: Console) -> Answer:
    """The masked text of a file, printed or written; each line is a text of its own with --lines."""
    masker = _masker(args)
    text = _text(args.file)
    texts = text.splitlines() if args.lines else [text]
    masked = "\n".join(_masked(texts, masker=masker, console=console)) + ("\n" if args.lines and texts else "")
    if args.out is None:
        return Answer(document={"text": masked}, text=masked.removesuffix("\n"))
    _write(args.out, masked)
    return Answer(document={"file": str(args.out), "texts": len(texts)}, text=f"{args.out}: {len(texts)} texts masked")


def measure(args: Namespace, console: Console) -> Answer:
    """Recall and precision of each kind on a labelled file; the report of --out is what a spec may name."""
    masker = _masker(args)
    documents = read_labelled(args.file)
    if not documents:
        raise SourceError(
            "text-labels-invalid",
            asked=f"read the labelled texts of {args.file.name}",
            found="no text at all",
            expected="a line for each text, as `curator text evaluate --help` says",
            todo="mark some texts of your own, those without a mention too",
        )
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


def _masked(texts: list[str], *, masker: Masker, console: Console) -> list[str]:
    """The masked texts, with a bar that counts them."""
    masked: list[str] = []
    with console.progress() as progress:
        for first in range(0, len(texts), _AT_ONCE):
            if progress:
                progress("mask", first, len(texts) if len(texts) > 1 else 0)
            masked += masker.texts(texts[first : first + _AT_ONCE])
    return masked


def _text(path: Path) -> str:
    text = read_text(_bytes(path))
    if "\0" in text:
        raise SourceError(
            "text-not-text",
            asked=f"read the text {path.name}",
            found="zero bytes, as in an office document, a picture, an archive, or UTF-16 without its mark",
            expected="a plain text in UTF-8, UTF-16 with its mark, or windows-1252",
            todo="save it as plain text in UTF-8",
        )
    return text


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(
            "source-missing",
            asked=f"read the text {path.name or path}",
            found="a folder" if path.is_dir() else "no file that can be read",
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

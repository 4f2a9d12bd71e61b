"""`generalise`."""

from __future__ import annotations

from argparse import Namespace

from curator.capital import RunOptions
from curator.cli._console import Answer, Console
from curator.cli._places import open_capital
from curator.generalising import METRIC, FieldLevel, Generalisation, LocalGeneralisation


def generalise(args: Namespace, console: Console) -> Answer:
    """The best levels, what they cost, and the formulas to put in the spec."""
    options = RunOptions(sources=dict(args.sources), data=args.data, engine=args.engine)
    with console.busy("generalise"):
        found = open_capital(args).generalise(args.spec, options)
    lines = _lines(found) if isinstance(found, Generalisation) else _local_lines(found)
    return Answer(document=found.facts(), text="\n".join(lines))


def _local_lines(found: LocalGeneralisation) -> list[str]:
    """How many rows each level of each field is written for; nothing to put in the spec."""
    width = max(map(len, found.fields))
    people = "" if found.k_persons is None else f"{found.k_persons:,} people, "
    return [
        f"{found.rows:,} rows, {found.combinations:,} distinct combinations, {found.classes:,} classes",
        f"granularity {found.granularity:.4f} ({found.facts()['metric']})",
        f"nobody suppressed; k = {people}{found.k:,} rows",
        "",
        "rows at each level, from the finest:",
        *(f"{name:<{width}}  {', '.join(f'{rows:,}' for rows in levels)}" for name, levels in found.fields.items()),
    ]


def _lines(found: Generalisation) -> list[str]:
    share = found.suppressed / found.rows
    lines = [
        f"{found.rows:,} rows, {found.combinations:,} distinct combinations",
        f"{found.looked_at:,} of {found.nodes:,} combinations of levels looked at; no other is better",
        f"loss {found.score:.6f} ({METRIC})",
        f"suppressed {found.suppressed:,} rows ({share:.2%}); {found.classes:,} classes are left",
        f"k = {_smallest(found)}{_sensitive(found)}",
        "",
        *_table(found.fields),
        "",
        "fields:",
    ]
    for field in found.fields:
        lines += _yaml(field)
    return lines


def _smallest(found: Generalisation) -> str:
    return f"{found.k:,} rows" if found.k_persons is None else f"{found.k_persons:,} people, {found.k:,} rows"


def _sensitive(found: Generalisation) -> str:
    if found.l is None:
        return ""
    return f", l = {found.l} (distinct), {found.entropy_l:.3f} (entropy), t = {found.t:.4f}"


def _table(fields: tuple[FieldLevel, ...]) -> list[str]:
    width = max(len(field.name) for field in fields)
    return [
        f"{field.name:<{width}}  level {field.level} of {field.levels - 1}"
        f"  {field.groups:>6,} of {field.values:,} values  loss {field.loss:.4f}"
        for field in fields
    ]


def _yaml(field: FieldLevel) -> list[str]:
    """The lines of the spec that write the field so."""
    words = field.words()
    if not words:
        return [
            f"  {field.name}:  # level {field.level} of its file, too long for a formula: join the file as a source"
        ]
    return [f"  {field.name}:", *(f"    {name}: {_scalar(value)}" for name, value in words.items())]


def _scalar(text: str) -> str:
    """A YAML scalar: plain for a bare word, between double quotes otherwise (YAML 1.2, 7.3.1)."""
    return text if text.isidentifier() else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

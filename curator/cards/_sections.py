"""The English sections of a card, each a function of the spec and of what the run counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from curator.cards._disclosure import risk
from curator.cards._markdown import bullets, code, fenced, prose, table
from curator.cards._masking import masked_text
from curator.cards._sampling import sampling_limits, stands_for
from curator.cards._splits import declared_splits, rows_per_split
from curator.samples import Written
from curator.spec import UseCase
from curator.spec.model import AiActClass, EntitySplits, LegalBasis, OutputField, Regime, TimeSplits
from curator.spec.scope import nameless

REGIMES = {
    Regime.gdpr: "General Data Protection Regulation (EU) 2016/679",
    Regime.police: "Directive (EU) 2016/680 (police and criminal justice)",
}
BASES = {
    LegalBasis.consent: "consent, art. 6(1)(a)",
    LegalBasis.contract: "contract, art. 6(1)(b)",
    LegalBasis.obligation: "legal obligation, art. 6(1)(c)",
    LegalBasis.vital: "vital interests, art. 6(1)(d)",
    LegalBasis.public_task: "task in the public interest, art. 6(1)(e)",
    LegalBasis.legitimate: "legitimate interests, art. 6(1)(f)",
    LegalBasis.law_enforcement: "law enforcement, art. 8(1)",
}
AI_ACT = {
    AiActClass.minimal: "minimal risk",
    AiActClass.limited: "limited risk, art. 50",
    AiActClass.high: "high risk, art. 6; its art. 10 on data governance applies",
    AiActClass.prohibited: "prohibited practice, art. 5: no system may be placed on the market for this use",
}
KINDS = {"direct": "direct", "quasi": "quasi-identifier", "sensitive": "sensitive", "none": "none"}
ON_FAILURE = {"reject": "the row is set apart", "warn": "reported only", "stop": "the run stops"}

_LOAD = """
from datasets import load_dataset
rows = load_dataset("PATH/OF/THIS/FOLDER")
print(rows)
"""

_VERIFY = """
import hashlib, json, pathlib
folder = pathlib.Path("PATH/OF/THIS/FOLDER")
manifest = (folder / "manifest.json").read_bytes()
for entry in json.loads(manifest)["files"]:
    assert hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest() == entry["sha256"], entry["path"]
print("identity:", hashlib.sha256(manifest).hexdigest())
"""


def sections(
    use_case: UseCase,
    *,
    written: Written,
    protection: Mapping[str, Any],
    representation: Mapping[str, Any] | None = None,
) -> Iterable[tuple[str, str]]:
    """Title and Markdown of each section, in order; an empty text means that there is nothing to say."""
    yield "What a row is", _row(use_case)
    yield "Purpose", _purpose(use_case)
    yield "Law", _law(use_case)
    yield "Fields", _fields(use_case, written)
    yield "Splits", _splits(use_case, written)
    yield "Quality", _quality(written)
    yield "Whom it stands for", stands_for(representation)
    yield "Who could be found", risk(use_case, written.disclosure, protection=protection)
    yield "Tokens", _tokens(use_case, written, protection=protection)
    yield "Masked text", masked_text(use_case, protection)
    yield "Limits", bullets(_limits(use_case, written))
    yield "Who may receive it", _channels(use_case)
    yield "How to load it", _loading(use_case)
    yield "How to verify it", _verifying()


def _row(use_case: UseCase) -> str:
    extract = use_case.extract
    lines = [
        prose(use_case.description) if use_case.description else "",
        f"One row is one row of {code(extract.from_)}, {_named(use_case)}"
        + (f", brought together with {_names(join.source for join in extract.join)}." if extract.join else "."),
        f"It is about whoever {_names(extract.entity)} names.",
        f"Only rows where {code(extract.where)}." if extract.where else "",
    ]
    return "\n\n".join(line for line in lines if line)


def _named(use_case: UseCase) -> str:
    if nameless(use_case):
        return "which have no key: each is named by all its cells, and equal ones by a number"
    return f"named there by {_names(use_case.extract.row_key)}"


def _purpose(use_case: UseCase) -> str:
    others = [f"Compatible use: {prose(use)}" for use in use_case.purpose.compatible_uses]
    return prose(use_case.purpose.statement) + ("\n\n" + bullets(others) if others else "")


def _law(use_case: UseCase) -> str:
    law = use_case.law
    return bullets(
        [
            f"Answerable: {prose(use_case.owner.organisation)}, {prose(use_case.owner.contact)}",
            f"Regime: {REGIMES[law.regime]}",
            f"Legal basis: {BASES[law.basis]} ({prose(law.text)})",
            f"Impact assessment: {prose(law.dpia)}",
            f"Retention: {law.retention_days:,} days after this version was made, then it must be erased",
            f"AI Act, Regulation (EU) 2024/1689: {AI_ACT[law.ai_act]}",
        ]
    )


# ---- rows and fields -------------------------------------------------------------------------------------------------


def _fields(use_case: UseCase, written: Written) -> str:
    types = dict(written.schema)
    rows = [
        [
            code(name, cell=True),
            code(types.get(name, "?"), cell=True),
            prose(field.unit or ""),
            prose(field.meaning) + (f" {prose(field.because)}" if field.because else ""),
            KINDS[str(field.identifier or "none")],
            _protection(field),
        ]
        for name, field in use_case.kept().items()
    ]
    dropped = [name for name, field in use_case.fields.items() if field.protect == "drop"]
    text = table(["Field", "Type", "Unit", "Meaning", "Identifier", "Protection"], rows)
    text += "\n\nA null means that the source gives no value, or that the formula has none for it."
    return text + (f"\n\nDeclared and left out: {_names(dropped)}." if dropped else "")


def _protection(field: OutputField) -> str:
    if field.protect in _MOVED:
        return _MOVED[field.protect](field)
    if field.protect == "token":
        return f"keyed token of the {code(field.form or 'raw', cell=True)} form"
    if field.protect == "mask":
        return "what names somebody replaced by surrogates, as far as it was found"
    if field.protect == "generalise":
        return f"coarser: {code(field.value or '', cell=True)}"
    return "as in the source"


def _whose(field: OutputField) -> str:
    return _names(field.by, cell=True) if field.by else "person"


def _clamped(field: OutputField) -> str:
    bounds = {"at least": field.least, "at most": field.most}
    told = [f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None]
    return f"top and bottom coded: {', '.join(told)}"


_MOVED: Mapping[str, Callable[[OutputField], str]] = {
    "shift": lambda field: (
        f"moved by at most {field.days} days, one move for each {_whose(field)}: intervals are exact, dates are not"
    ),
    "jitter": lambda field: f"moved within {field.metres:,} m, one move for each {_whose(field)}",
    "clamp": _clamped,
    "round": lambda field: f"rounded to a multiple of {field.to}, halves up",
    "merge_rare": lambda field: (
        f"categories of fewer than {field.fewer_than} people become {code(str(field.other), cell=True)}"
    ),
}


def _splits(use_case: UseCase, written: Written) -> str:
    splits = use_case.splits
    rows = [
        [code(name, cell=True), _share(splits, name), f"{rows:,}"] for name, rows in rows_per_split(use_case, written)
    ]
    how = (
        f"Drawn by a keyed hash of {_names(use_case.extract.entity)}: nobody is in two splits, and nobody changes "
        "split when the data grows."
        if isinstance(splits, EntitySplits)
        else f"Cut in time by {code(splits.column)}, bounds included; a person may be in several splits."
    )
    order = (
        "Rows are in the order of a keyed hash, which tells nothing."
        if written.order == "keyed"
        else "Rows are in the engine's order: it may tell something of the source, and another run may differ."
    )
    return table(["Split", "Declared", "Rows#"], rows) + f"\n\n{how} {order}"


def _share(splits: EntitySplits | TimeSplits, name: str) -> str:
    if isinstance(splits, EntitySplits):
        return f"{splits.shares[name]:.1%}" if name in splits.shares else ""
    bound = splits.until.get(name)
    return f"until {prose(bound)}" if bound else "the rest"


# ---- quality ---------------------------------------------------------------------------------------------------------


def _quality(written: Written) -> str:
    report = written.quality
    figures = report.results["statistics"]
    apart = report.rows - report.accepted
    text = (
        f"{report.rows:,} rows extracted, {report.accepted:,} accepted, {apart:,} set apart for the holder to correct. "
        f"{figures['successful_expectations']} of {figures['evaluated_expectations']} expectations met."
    )
    rules = [_rule(result, report.failing) for result in report.results["results"]]
    if rules:
        text += "\n\n" + table(["Rule", "Expectation", "On failure", "Rows that fail#", "Met", "Why"], rules)
    if report.rejected:
        reasons = [[code(reason, cell=True), f"{rows:,}"] for reason, rows in sorted(report.rejected.items())]
        text += "\n\nRows set apart, each under its first reason:\n\n" + table(["Reason", "Rows#"], reasons)
    return text + "\n\nThe whole result is in `quality.json`, in the form of Great Expectations."


def _rule(result: Mapping[str, Any], failing: Mapping[str, int]) -> list[str]:
    config = result["expectation_config"]
    meta, given = config["meta"], config["kwargs"]
    columns = given.get("column_list") or [given[key] for key in ("column", "column_A", "column_B") if key in given]
    about = f" of {_names(map(str, columns), cell=True)}" if columns else ""
    return [
        code(str(meta["rule"]), cell=True),
        code(config["type"].removeprefix("expect_"), cell=True) + about,
        ON_FAILURE.get(str(meta["on_failure"]), ""),
        f"{failing[meta['rule']]:,}" if meta["rule"] in failing else "",
        "yes" if result["success"] else "no",
        prose(meta.get("because") or ""),
    ]


# ---- persons ---------------------------------------------------------------------------------------------------------


def _tokens(use_case: UseCase, written: Written, *, protection: Mapping[str, Any]) -> str:
    tokens = {name: field for name, field in use_case.kept().items() if field.protect == "token"}
    if not tokens:
        return ""
    facts, context = protection.get("fields", {}), protection.get("context", {})
    rows = [
        [
            code(name, cell=True),
            code(field.form or "raw", cell=True),
            code(field.domain or field.form or name, cell=True),
            code(field.method or "cmac", cell=True),
            code(str(facts.get(name, {}).get("key_id") or "?"), cell=True),
        ]
        for name, field in tokens.items()
    ]
    made = prose(str(protection.get("tokens", "AES-256-CMAC")))
    purpose, recipient, epoch = (code(str(context.get(part, "?"))) for part in ("purpose", "recipient", "epoch"))
    text = (
        f"A token is 16 bytes, or more when it can be revealed: {made} of the identifier in its canonical form. Equal "
        "identifiers give equal tokens under one key. Nobody without the holder's key can turn a token back or test a "
        "guess. Keys are derived for "
        f"one holder, purpose, recipient, epoch and domain (here {purpose}, recipient {recipient}, epoch {epoch}): "
        "another recipient has other tokens, so two of them cannot join their copies, and a leaked token names whose "
        "copy leaked. Columns with the same key id can be joined, in this dataset or another of the same purpose."
    )
    return text + "\n\n" + table(["Field", "Form", "Domain", "Method", "Key id"], rows) + _counted(written)


def _counted(written: Written) -> str:
    """How many identifiers were known, unknown and malformed, and how likely tokens are to collide."""
    rows = [
        [
            code(name, cell=True),
            f"{count.tokens:,}",
            f"{count.unknown:,}",
            "not examined" if count.malformed is None else f"{count.malformed:,}",
            f"{count.collision:.1e}" if count.collision else "0",
        ]
        for name, count in written.identifiers.items()
    ]
    if not rows:
        return ""
    heads = ["Field", "Rows with a token#", "Unknown#", "Malformed#", "Chance of a collision, at most#"]
    text = (
        "Over the accepted rows. An unknown identifier is null, never one shared person. A malformed one breaks the "
        "rules of its form and is kept apart from all well made ones. A collision is two different identifiers with "
        "one token: the birthday bound for 128 bits and as many identifiers as there are rows."
    )
    return f"\n\n{text}\n\n" + table(heads, rows)


def _limits(use_case: UseCase, written: Written) -> Iterable[str]:
    law = use_case.law
    source = (
        "GDPR art. 4(5) and recital 26" if law.regime == Regime.gdpr else "Directive 2016/680 art. 3(5) and recital 21"
    )
    yield f"The rows are pseudonymised, not anonymous: they remain personal data ({source})."
    yield "k and l bound what these fields alone tell; they do not bound what somebody knows from elsewhere."
    apart = written.quality.rows - written.quality.accepted
    if apart:
        yield f"{apart:,} rows that fail a rule are not here: what made them fail may not be spread evenly."
    if written.disclosure is not None and written.disclosure.suppressed:
        missing = f"{written.disclosure.suppressed:,} rows of rare combinations are not here"
        yield f"{missing}: rare situations are under-represented."
    for name, rows in written.unmoved.items():
        if rows:
            yield f"In {rows:,} rows {code(name)} is null: what stood there is no day, or no place, that can be moved."
    inner = [join.source for join in use_case.extract.join if join.kind == "inner"]
    if inner:
        yield f"Rows without partner in {_names(inner)} are not here."
    yield from sampling_limits(use_case, written.drawing)
    empty = [split for split, rows in rows_per_split(use_case, written) if not rows]
    if empty:
        yield f"No row fell into {_names(empty)}."


def _channels(use_case: UseCase) -> str:
    channels = type(use_case.channels).model_fields
    rows = []
    for channel in channels:
        terms = use_case.channels.terms(channel)
        if terms is None:
            rows.append([channel, "closed", "", "", ""])
        else:
            models = "may go too" if terms.models else "stay"
            rows.append(
                [channel, _names(terms.purposes, cell=True), prose(terms.licence), f"{terms.max_days:,}", models]
            )
    text = "Whatever is not listed is refused; each release is asked for, reviewed by another person, and signed."
    return text + "\n\n" + table(["Channel", "Purposes", "Licence", "Longest, days#", "Models trained on it"], rows)


# ---- use -------------------------------------------------------------------------------------------------------------


def _loading(use_case: UseCase) -> str:
    split = declared_splits(use_case)[0]
    return (
        "No network is needed:\n\n" + fenced(_LOAD, language="python") + "\n\nIn the workspace that made it, "
        f'`curator.open("capital").dataset("{use_case.ref}").load("{split}")` gives the rows of a split without a '
        "second copy on disk. `croissant.json` describes every file and field to machines (Croissant 1.1)."
    )


def _verifying() -> str:
    return (
        "`manifest.json` lists every other file with its SHA-256; the SHA-256 of the manifest is the identity of the "
        "version, which the signed statements name. `curator verify` checks all of it, signatures included; without "
        "curator:\n\n" + fenced(_VERIFY, language="python")
    )


def _names(names: Iterable[str], *, cell: bool = False) -> str:
    return ", ".join(code(name, cell=cell) for name in names)

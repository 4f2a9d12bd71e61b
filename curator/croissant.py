"""The Croissant description of a dataset version: what machines read to find, check and load its files.

Croissant 1.1 (MLCommons, http://mlcommons.org/croissant/1.1) is schema.org's Dataset in JSON-LD with files, record sets
and typed fields; its responsible-AI extension (http://mlcommons.org/croissant/RAI/1.0) says what about people is in it,
and `usageInfo` holds the terms of each channel as ODRL 2.2 offers: what is not permitted there is not offered.

The description is a pure function of the spec and of the shards: no clock, so no `datePublished`; no address, so every
URL is relative to the folder it stands in. It never holds a value of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from curator.manifest import FileEntry
from curator.sampling import told_draw
from curator.spec import UseCase
from curator.spec.model import ChannelTerms, EntitySplits, IdentifierKind, OutputField

CROISSANT = "http://mlcommons.org/croissant/1.1"
RESPONSIBLE = "http://mlcommons.org/croissant/RAI/1.0"
PARQUET = "application/x-parquet"

_IN_CR = (
    "arrayShape citeAs column containedIn equivalentProperty extract field fileProperty fileObject fileSet format "
    "includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _IN_CR.split()},
}
"""The JSON-LD context of Croissant 1.1 (appendix 1 of its specification), with ODRL and XML Schema for the terms."""

_TYPES = (
    ("bool", "sc:Boolean"),
    ("int", "sc:Integer"),
    ("uint", "sc:Integer"),
    ("float", "sc:Float"),
    ("double", "sc:Float"),
    ("halffloat", "sc:Float"),
    ("decimal", "sc:Float"),
    ("date", "sc:Date"),
    ("timestamp", "sc:DateTime"),
)

_SPLITS = "dataset-splits"  # with a hyphen, so that no split has this name
_SPLIT_MEANINGS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}


_METHODS = {
    "cmac": "AES-256-CMAC, not reversible without the holder's key",
    "hmac-sha256": "HMAC-SHA256 cut to 128 bits, not reversible without the holder's key",
    "siv": "AES-SIV, which the holder's custodian can turn back",
}


def dataset_croissant(
    use_case: UseCase, *, files: Iterable[FileEntry], schema: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The Croissant 1.1 description of a dataset version, to be stored beside its `data` folder.

    Args:
        use_case: the spec.
        files: its shards; those without rows or split are left out.
        schema: name and Arrow type of each written field, in order; a type that Croissant has no word for (tokens of 16
            bytes among them) is described as text.

    Returns:
        JSON-LD that `mlcroissant` validates without error; the same for the same arguments. One record set per split,
        named after it; fields are called `SPLIT/FIELD`. A null in a shard is a null in a record.
    """
    shards = sorted(entry for entry in files if entry.split and entry.rows)
    splits = _ordered({entry.split for entry in shards}, use_case)
    described: dict[str, Any] = {
        "@context": deepcopy(CONTEXT),  # readers add to it
        "@type": "sc:Dataset",
        "conformsTo": [CROISSANT, RESPONSIBLE],
        "name": use_case.name,
        "alternateName": use_case.title,
        "description": use_case.description or use_case.title,
        "url": "README.md",
        "version": use_case.version,
        "citeAs": f"{use_case.owner.organisation}: {use_case.title} (dataset {use_case.ref})",
        "inLanguage": "en",
        "isLiveDataset": False,
        "keywords": ["pseudonymised personal data" if _personal(use_case) else "no direct identifier", "tabular"],
        "creator": {"@type": "sc:Organization", "name": use_case.owner.organisation},
        "license": _licences(use_case),
        "distribution": [*map(_file, shards), *(_file_set(split, shards) for split in splits)],
        "recordSet": [_splits(splits), *(_records(use_case, split, schema=schema) for split in splits)]
        if splits
        else [],
        **_responsible(use_case),
    }
    offers = [_offer(use_case, channel, terms=terms) for channel, terms in _open_channels(use_case)]
    return described | ({"usageInfo": offers} if offers else {})


def _ordered(splits: set[str], use_case: UseCase) -> list[str]:
    declared = use_case.splits.shares if isinstance(use_case.splits, EntitySplits) else use_case.splits.until
    return [split for split in declared if split in splits] + sorted(splits - set(declared))


def _personal(use_case: UseCase) -> bool:
    return any(field.identifier not in (None, IdentifierKind.none) for field in use_case.kept().values())


# ---- files and records -----------------------------------------------------------------------------------------------


def _file(entry: FileEntry) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": entry.path,
        "name": entry.path,
        "description": f"{entry.rows:,} rows of the split {entry.split}.",
        "contentUrl": entry.path,
        "contentSize": f"{entry.size} B",
        "encodingFormat": PARQUET,
        "sha256": entry.sha256,
    }


def _file_set(split: str, shards: Sequence[FileEntry]) -> dict[str, Any]:
    """The shards of a split, by pattern from the folder of this description (a set without container is local)."""
    own = [entry.path for entry in shards if entry.split == split]
    folders = sorted({path.rpartition("/")[0] for path in own})
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "name": f"{split}-files",
        "description": f"The shards of the split {split}, in row order.",
        "encodingFormat": PARQUET,
        "includes": [f"{folder}/*.parquet" for folder in folders],
    }


def _splits(splits: Sequence[str]) -> dict[str, Any]:
    """The splits as the specification's section on them wants: a key, and the meaning where there is a word for it."""
    known = all(split in _SPLIT_MEANINGS for split in splits)
    fields: list[dict[str, Any]] = [
        {"@type": "cr:Field", "@id": f"{_SPLITS}/name", "name": "name", "dataType": "sc:Text"}
    ]
    if known:
        kinds = ["cr:Split", "sc:URL"]  # mlcroissant 1.1 knows the first one on record sets only
        fields.append({"@type": "cr:Field", "@id": f"{_SPLITS}/url", "name": "url", "dataType": kinds})
    return {
        "@type": "cr:RecordSet",
        "@id": _SPLITS,
        "name": _SPLITS,
        "description": "The splits; each is a record set of its own name.",
        "dataType": "cr:Split",
        "key": {"@id": f"{_SPLITS}/name"},
        "field": fields,
        "data": [
            {f"{_SPLITS}/name": split} | ({f"{_SPLITS}/url": _SPLIT_MEANINGS[split]} if known else {})
            for split in splits
        ],
    }


def _records(use_case: UseCase, split: str, *, schema: Sequence[tuple[str, str]]) -> dict[str, Any]:
    target = use_case.model.target if use_case.model else None
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"Rows of the split {split}.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/{name}",
                "name": name,
                "description": _meaning(use_case.fields.get(name), kind),
                "dataType": [data_type(kind), "cr:Label"] if name == target else data_type(kind),
                "source": {"fileSet": {"@id": f"{split}-files"}, "extract": {"column": name}},
            }
            for name, kind in schema
        ],
    }


def data_type(arrow: str) -> str:
    """The schema.org type of an Arrow type, as `str(pyarrow.DataType)` spells it; text when there is no nearer one."""
    return next((word for start, word in _TYPES if arrow.startswith(start)), "sc:Text")


def _meaning(field: OutputField | None, kind: str) -> str:
    if field is None:
        return f"Stored as {kind}."
    parts = [field.meaning, f"Unit: {field.unit}." if field.unit else "", f"Stored as {kind}."]
    if field.protect == "token":
        parts.append("A keyed token: 16 raw bytes, not characters.")
    return " ".join(part for part in parts if part)


# ---- law and terms ---------------------------------------------------------------------------------------------------


def _open_channels(use_case: UseCase) -> list[tuple[str, ChannelTerms]]:
    named = ((channel, use_case.channels.terms(channel)) for channel in type(use_case.channels).model_fields)
    return [(channel, terms) for channel, terms in named if terms is not None]


def _licences(use_case: UseCase) -> list[dict[str, Any]]:
    works = [
        {"@type": "sc:CreativeWork", "name": terms.licence, "description": f"For the channel {channel}."}
        for channel, terms in _open_channels(use_case)
    ]
    nothing = {
        "@type": "sc:CreativeWork",
        "name": "No licence",
        "description": "No channel is open: not to be released.",
    }
    return works or [nothing]


def _offer(use_case: UseCase, channel: str, *, terms: ChannelTerms) -> dict[str, Any]:
    """What a channel permits, as an ODRL 2.2 offer (https://www.w3.org/TR/odrl-vocab/): purpose and time are limits."""
    return {
        "@type": ["sc:CreativeWork", "odrl:Offer"],
        "@id": f"urn:curator:offer:{use_case.name}:{use_case.version}:{channel}",
        "name": f"Terms of the channel {channel}",
        "odrl:permission": {
            "@type": "odrl:Permission",
            "odrl:action": {"@id": "odrl:use"},
            "odrl:constraint": [
                _constraint("purpose", "isAnyOf", right=[{"@value": purpose} for purpose in terms.purposes]),
                _constraint("elapsedTime", "lteq", right={"@value": f"P{terms.max_days}D", "@type": "xsd:duration"}),
            ],
        },
    }


def _constraint(left: str, operator: str, *, right: Any) -> dict[str, Any]:
    return {
        "@type": "odrl:Constraint",
        "odrl:leftOperand": {"@id": f"odrl:{left}"},
        "odrl:operator": {"@id": f"odrl:{operator}"},
        "odrl:rightOperand": right,
    }


def _responsible(use_case: UseCase) -> dict[str, Any]:
    """The properties of Croissant RAI 1.0 that the spec answers; the others are left out rather than guessed."""
    law = use_case.law
    facts: dict[str, Any] = {
        "rai:dataCollection": (
            f"Drawn from {len(use_case.sources)} operational tables of {use_case.owner.organisation}. "
            f"Legal basis: {law.basis} ({law.text}); regime: {law.regime}; impact assessment: {law.dpia}."
        ),
        "rai:dataUseCases": [use_case.purpose.statement, *use_case.purpose.compatible_uses],
        "rai:dataPreprocessingProtocol": _preprocessing(use_case),
        "rai:dataLimitations": _limitations(use_case),
        "rai:personalSensitiveInformation": _personal_facts(use_case),
        "rai:dataReleaseMaintenancePlan": (
            f"Never changed: another content is another version. To be erased {law.retention_days:,} days after it was "
            f"made. Contact: {use_case.owner.contact}."
        ),
    }
    return {name: value for name, value in facts.items() if value}


def _preprocessing(use_case: UseCase) -> list[str]:
    extract = use_case.extract
    steps = [f"joined ({join.kind}) with {join.source} on {', '.join(join.on)}" for join in extract.join]
    steps += [f"kept only rows where {extract.where}"] if extract.where else []
    steps += told_draw(use_case)
    steps += [f"derived {name} = {formula}" for name, formula in extract.derive.items()]
    rules = sum(rule.on_failure == "reject" for rule in use_case.quality.expectations)
    steps += [f"set apart rows that fail one of {rules} rules"] if rules else []
    for name, field in use_case.kept().items():
        if field.protect == "token":
            steps.append(f"{name}: replaced by a keyed token ({_METHODS[field.method or 'cmac']})")
        elif field.protect == "generalise":
            steps.append(f"{name}: made coarser, {field.value}")
        elif field.protect == "shift":
            steps.append(
                f"{name}: moved by a keyed number of days, at most {field.days}, the same for all of one person"
            )
        elif field.protect == "jitter":
            steps.append(f"{name}: moved within a circle of {field.metres} m, by a keyed draw")
        elif field.protect == "mask":
            steps.append(f"{name}: what names somebody replaced by a surrogate, as far as it was found")
        elif field.protect == "merge_rare":
            steps.append(f"{name}: categories of fewer than {field.fewer_than} people became {field.other}")
        elif field.protect in ("clamp", "round"):
            steps.append(
                f"{name}: " + ("top and bottom coded" if field.protect == "clamp" else f"rounded to {field.to}")
            )
    return steps


def _limitations(use_case: UseCase) -> list[str]:
    limits = []
    if use_case.disclosure is not None:
        alike = ", ".join(use_case.quasi_identifiers()) or "any field"
        limits.append(
            f"At least {use_case.disclosure.k} {use_case.disclosure.count} are alike on {alike}; rarer rows, up to a "
            f"share of {use_case.disclosure.suppress:g}, are left out, so rare situations are under-represented."
        )
    if use_case.extract.sample is not None:
        limits.append("It is a sample; counts are not those of the sources.")
    return limits


def _personal_facts(use_case: UseCase) -> list[str]:
    """Field names by kind of identifier, each with how it is protected; dropped ones are named as dropped."""
    words = {
        "token": "keyed token", "generalise": "coarser", "keep": "as it was", "drop": "left out",
        "shift": "shifted in time", "jitter": "moved in place", "clamp": "top and bottom coded", "round": "rounded",
        "mask": "masked, as far as found", "merge_rare": "rare categories merged",
    }  # fmt: skip
    return [
        f"{kind}: " + ", ".join(f"{name} ({words[field.protect]})" for name, field in found.items())
        for kind in (IdentifierKind.direct, IdentifierKind.quasi, IdentifierKind.sensitive)
        if (found := {name: field for name, field in use_case.fields.items() if field.identifier == kind})
    ]

"""Re-keying: a version of its own for one recipient, from a version that stands, without going back to the source.

Each token becomes a token of that token, under a key of the recipient: equal stays equal and different different, so
the new version is consistent in itself, and no token of it equals one of another recipient's. Rows get an order of
their own too, or the same place in two copies would link what the tokens no longer do. What a row says besides stays:
rows that are unique by their other values can be linked by them, which no key can prevent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from curator.agents import Role
from curator.arrow import from_integers
from curator.canonical import canonical_json, sha256_json
from curator.capital._curation import refuse_existing
from curator.capital._keys import epoch_root
from curator.capital._parts import Recorder, code_facts
from curator.capital._reveal import protection_of
from curator.describing import describe
from curator.disclosure import measure
from curator.edges.durable import disk_errors
from curator.edges.parquet import KeyedShards, ShardReport
from curator.engines import open_engine
from curator.errors import IntegrityError, NotAllowedError, UsageError
from curator.evidence import Artifact, Envelope, Stage
from curator.kernel import ORDER, SPLIT
from curator.manifest import Manifest
from curator.protection import token_domain
from curator.pseudonyms import KeyContext, TokenKernel, derive_key, key_id
from curator.records import DatasetVersion
from curator.samples import DisclosureReport, IdentifierCount, QualityReport, Written
from curator.spec import UseCase, parse_use_case
from curator.spec.reading import parse_document

if TYPE_CHECKING:
    from curator.capital import Capital

_BATCH_ROWS = 32_768
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_METHOD = "AES-256-CMAC (NIST SP 800-38B) of the tokens of another version, under HKDF-SHA256 keys (RFC 5869)"


@dataclass(frozen=True, kw_only=True, repr=False)
class _Rekeying:
    """What is made from what, and under which keys.

    Attributes:
        source, use_case: the version that stands and its spec.
        target, spec: the new spec and its bytes.
        context: of the new keys.
        keys: token field -> its key.
        order_key: of the new order of rows.
        protection: how the source was protected.
    """

    source: DatasetVersion
    use_case: UseCase
    target: UseCase
    spec: bytes
    context: KeyContext
    keys: Mapping[str, bytes]
    order_key: bytes
    protection: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """How the new version is protected, as `ProtectedSample.facts`, and what it was made from."""
        told = {name: dict(field) for name, field in self.protection["fields"].items()}
        for name, key in self.keys.items():
            told[name] |= {"method": "cmac", "key_id": key_id(key)}
        return {
            "context": {
                "purpose": self.context.purpose,
                "recipient": self.context.recipient,
                "epoch": self.context.epoch,
            },
            "fields": told,
            "tokens": _METHOD,
            "rekeyed": {"from": self.source.ref, "manifest": self.source.digest},
            **({"coarse": self.protection["coarse"]} if "coarse" in self.protection else {}),
        }

    def as_written(self) -> UseCase:
        """The spec with the fields whose levels were searched as the source wrote them."""
        search = self.target.disclosure.search if self.target.disclosure else None
        told = {name: self.protection["fields"][name] for name in (search.fields if search else ())}
        fields = {
            name: self.target.fields[name].model_copy(update={"protect": said["protect"], "value": said.get("value")})
            for name, said in told.items()
        }
        return self.target.model_copy(update={"fields": {**self.target.fields, **fields}})


def rekey(capital: Capital, ref: str, *, to: str, epoch: str | None, name: str | None) -> DatasetVersion:
    """Make and publish a version for one recipient; see `Capital.rekey`."""
    recorder = capital.recorder(Role.ENGINEER)
    work = _prepare(capital, recorder, ref=ref, to=to, epoch=epoch, name=name)
    refuse_existing(capital, work.target)
    workspace = capital.workspace
    with disk_errors(workspace.root, asked=f"make {work.target.ref}"), workspace.scratch("rekey") as scratch:
        folder = scratch / "version"
        folder.mkdir()
        written = _write(work, folder=folder, scratch=scratch)
        manifest = describe(
            folder, use_case=work.target, written=written, protected=work, spec=work.spec, as_written=work.as_written()
        )  # fmt: skip
        envelopes = _statements(capital, recorder, work=work, written=written, manifest=manifest)
        place = f"datasets/{work.target.name}/{work.target.version}"
        workspace.publish(
            folders={place: folder},
            files={
                **{envelope.path: envelope.data for envelope in envelopes},
                f"specs/{work.target.ref}.yaml": work.spec,
            },
            message=f"Add {work.target.ref}",
            tag=work.target.ref,
            tag_message=f"{work.target.ref}\n\nmanifest sha256: {manifest.digest}\nstatement: {envelopes[-1].digest}\n",
        )
    return DatasetVersion(manifest=manifest, folder=workspace.root / place)


def refuse_shared_tokens(capital: Capital, versions: Iterable[object], *, recipient: str) -> None:
    """Refuse versions whose tokens were delivered to somebody else: the two could join their copies.

    Raises:
        NotAllowedError: `recipient-shares-tokens`.
    """
    keys = {version.ref: _key_ids(capital, version) for version in versions if isinstance(version, DatasetVersion)}
    if not any(keys.values()):
        return
    directory = capital.directory()
    told = [env for env in capital.evidence.envelopes(directory.keys()) if env.statement.stage is Stage.DELIVER]
    for envelope in told:
        terms: Any = envelope.statement.facts.get("terms", {})
        if terms.get("recipient") == recipient:
            continue
        for item in envelope.statement.inputs:
            for ref, wanted in keys.items():
                if wanted & _delivered_key_ids(capital, item):
                    raise _shared(ref, recipient)


def _prepare(
    capital: Capital, recorder: Recorder, *, ref: str, to: str, epoch: str | None, name: str | None
) -> _Rekeying:
    source = capital.dataset(ref)
    faults = source.manifest.differences(source.folder)
    if faults:
        raise _changed(source.ref, faults[0])
    use_case = capital.use_case(source)
    protection = protection_of(capital, source, directory=recorder.directory)
    epoch_name, root = epoch_root(capital, epoch)
    told = protection["context"]
    fields = {name: field for name, field in use_case.kept().items() if field.protect == "token"}
    if not fields or (told["recipient"], told["epoch"]) == (to, epoch_name):
        raise _pointless(source.ref, to, fields=bool(fields))
    holder = capital.workspace.holder
    context = KeyContext(holder=holder, purpose=told["purpose"], recipient=to, epoch=epoch_name)
    target, spec = _renamed(source, name or _name_for(use_case.name, to))
    keys = {
        name: derive_key(root, context, usage="rekey", domain=token_domain(name, field))
        for name, field in fields.items()
    }
    order_key = derive_key(root, context, usage="rekey-order", domain=target.ref)
    return _Rekeying(
        source=source, use_case=use_case, target=target, spec=spec, context=context, keys=keys, order_key=order_key,
        protection=protection,
    )  # fmt: skip


def _renamed(source: DatasetVersion, name: str) -> tuple[UseCase, bytes]:
    """The spec under another name, its tokens one way: a token of a token leads back to nobody."""
    text = (source.folder / "use-case.yaml").read_text(encoding="utf-8")
    value = parse_document(text, file=f"{source.ref}/use-case.yaml").value
    value["name"] = name
    for field in value["fields"].values():
        if field.get("protect") == "token":
            field.pop("method", None)
    spec = (json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n").encode()
    return parse_use_case(spec.decode(), file=f"{name}.yaml"), spec


def _name_for(name: str, recipient: str) -> str:
    plain = re.sub("[^a-z0-9]+", "-", recipient.casefold()).strip("-")
    made = f"{name}-for-{plain}"
    if plain and _NAME.fullmatch(made):
        return made
    raise UsageError(
        "rekey-name",
        asked=f"name the version of {name} made for a recipient",
        found="a recipient whose name gives no name of a dataset, or too long a one",
        expected="at most 63 of a-z, 0-9 and hyphen",
        todo="give one with --name",
    )


# ---- rows ------------------------------------------------------------------------------------------------------------


def _write(work: _Rekeying, *, folder: Path, scratch: Path) -> Written:
    """Every row once: its tokens anew, its place by a keyed draw."""
    manifest, counts = work.source.manifest, dict.fromkeys(work.keys, 0)
    total = sum(manifest.rows.values())
    schema: pa.Schema | None = None
    with KeyedShards(folder, scratch=scratch, splits=tuple(manifest.rows), estimated_rows=total) as shards:
        for batch in _batches(work):
            schema = schema or pa.schema([column for column in batch.schema if not column.name.startswith(".")])
            for name in counts:
                counts[name] += len(batch) - batch.column(name).null_count
            shards.add(batch)
        report = shards.finish(failing=np.empty(0, np.uint64))
    return Written(
        files=tuple(report.files),
        schema=tuple((column.name, str(column.type)) for column in schema or []),
        quality=_quality(work.source.folder),
        disclosure=_measured(work, folder, report=report, scratch=scratch),
        order="keyed",
        identifiers={
            name: IdentifierCount(method="cmac", tokens=known, unknown=total - known, malformed=None)
            for name, known in counts.items()
        },
        digests=report.digests,
    )


def _batches(work: _Rekeying) -> Iterator[pa.RecordBatch]:
    kernels = {name: TokenKernel(key) for name, key in work.keys.items()}
    order = TokenKernel(work.order_key)
    manifest = work.source.manifest
    for place, split in enumerate(manifest.rows):
        done = 0
        for shard in manifest.shards(split):
            for batch in parquet.ParquetFile(work.source.folder / shard).iter_batches(batch_size=_BATCH_ROWS):
                rows = np.stack([np.full(len(batch), place), np.arange(done, done + len(batch))], axis=1).astype("<u8")
                named = pa.Array.from_buffers(pa.binary(16), len(batch), [None, pa.py_buffer(rows)])
                splits = from_integers(np.full(len(batch), place, np.int8), pa.int8())
                columns = {ORDER: order.tokens(named), SPLIT: splits}
                for name in batch.schema.names:
                    column = batch.column(name)
                    columns[name] = kernels[name].tokens(column) if name in kernels else column
                yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
                done += len(batch)


def _measured(work: _Rekeying, folder: Path, *, report: ShardReport, scratch: Path) -> DisclosureReport | None:
    """The limits measured again on the files written; rows are those of the source, and so is what was left out."""
    limits, quasi = work.target.disclosure, work.target.quasi_identifiers()
    told = json.loads((work.source.folder / "disclosure.json").read_text(encoding="utf-8"))
    if limits is None or not quasi or told is None:
        return None
    engine = open_engine("duckdb", scratch=scratch)
    try:
        return measure(
            engine,
            work.target,
            files=[folder / entry.path for entry in report.files],
            suppressed=int(told["suppressed"]),
            streamed=told.get("k_persons"),
        )
    finally:
        engine.close()


def _quality(folder: Path) -> QualityReport:
    """What the check of the source found: the rows are the same."""
    results = json.loads((folder / "quality.json").read_text(encoding="utf-8"))
    counts = results.pop("counts")
    failing = {
        result["expectation_config"]["meta"]["rule"]: int(result["result"]["unexpected_count"])
        for result in results["results"]
        if "unexpected_count" in result.get("result", {})
    }
    return QualityReport(
        rows=counts["rows"], accepted=counts["accepted"], rejected=counts["rejected"], failing=failing, results=results
    )


# ---- evidence --------------------------------------------------------------------------------------------------------


def _statements(
    capital: Capital, recorder: Recorder, *, work: _Rekeying, written: Written, manifest: Manifest
) -> list[Envelope]:
    """From the version that stands to the new one: protected anew, then committed."""
    spec = Artifact(f"use case {work.target.ref}", work.target.digest)
    source = Artifact(work.source.ref, work.source.digest)
    made = [env.digest for env in capital.evidence.about(work.source.digest) if env.statement.stage is Stage.COMMIT]
    facts = {
        **work.facts(),
        "identifiers": {name: count.facts() for name, count in written.identifiers.items()},
        "disclosure": written.disclosure.facts() if written.disclosure else None,
        "use_case": work.target.ref,
        "code": code_facts(),
    }
    facts = json.loads(canonical_json(facts))
    sample = Artifact(f"protected sample of {work.target.ref}", sha256_json(facts))
    protect = recorder.record(Stage.PROTECT, subjects=(sample,), inputs=(source, spec), previous=made[:1], facts=facts)
    files = {entry.sha256: Artifact(f"{manifest.ref}/{entry.path}", entry.sha256) for entry in manifest.files}
    commit = recorder.record(
        Stage.COMMIT,
        subjects=(Artifact(manifest.ref, manifest.digest), *sorted(files.values())),
        inputs=(sample, spec),
        previous=[protect.digest],
        facts={"rows": manifest.rows, "files": len(manifest.files), "order": written.order, "code": code_facts()},
    )
    return [protect, commit]


def _key_ids(capital: Capital, version: DatasetVersion) -> frozenset[str]:
    protection = protection_of(capital, version, directory=capital.directory())
    return _ids_in(protection)


def _ids_in(protection: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(field["key_id"] for field in protection["fields"].values() if field.get("key_id"))


def _delivered_key_ids(capital: Capital, item: Artifact) -> frozenset[str]:
    """The token keys of a delivered dataset; none for a model, or for a version that is no longer here."""
    envelopes = [env for env in capital.evidence.about(item.digest) if env.statement.stage is Stage.COMMIT]
    told = capital.evidence.closure([envelope.digest for envelope in envelopes])
    protected = [envelope for envelope in told if envelope.statement.stage is Stage.PROTECT]
    return _ids_in(protected[-1].statement.facts) if protected else frozenset()


def _pointless(ref: str, to: str, *, fields: bool) -> UsageError:
    return UsageError(
        "rekey-pointless",
        asked=f"re-key {ref} for {to}",
        found="tokens that are this recipient's already" if fields else "a version without tokens",
        expected="a version with tokens of another recipient or epoch",
        todo="use the version as it is",
    )


def _changed(ref: str, fault: str) -> IntegrityError:
    return IntegrityError(
        "version-changed",
        asked=f"re-key {ref}",
        found=f"files that are not those committed ({fault})",
        expected="every file of the version as its manifest lists it",
        todo="run `curator verify`, then restore the version from a copy or with `dvc pull`",
    )


def _shared(ref: str, recipient: str) -> NotAllowedError:
    return NotAllowedError(
        "recipient-shares-tokens",
        asked=f"let {ref} go to {recipient}",
        found="tokens under keys whose tokens were delivered to another recipient: the two could join their copies",
        expected="tokens that no other recipient has",
        todo=f'make a version for this recipient: `curator rekey {ref} --to "{recipient}"`, and request that one',
    )

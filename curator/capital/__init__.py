"""A capital: one workspace of proved datasets and models, and everything that may be done with it.

    >>> capital = curator.open("capital")                                    # doctest: +SKIP
    >>> version = capital.curate("specs/road-accidents.yaml")                # doctest: +SKIP
    >>> for step in capital.trace(version.ref): print(step)                  # doctest: +SKIP

The methods are thin: each names its stages and leaves the work to the verbs; what changes the workspace goes through
one atomic publication, signed by the agent in whose name the capital was opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.agents import Agent, Directory, Role
from curator.audit import Finding, Step, find_faults, trace
from curator.capital import (
    _curation,
    _generalising,
    _keys,
    _models,
    _rekey,
    _releases,
    _representation,
    _reveal,
    _risk,
    _versions,
)
from curator.capital._founding import add_agent, begun, found, require_usable_root
from curator.capital._options import Preview, RunOptions, Until
from curator.capital._parts import Recorder, require_role
from curator.capital._refresh import Refreshed, refresh
from curator.capital._remote import remote_findings, stored_dataset
from curator.capital._reveal import Revealed
from curator.edges.keys import HOLDER, load_signer, read_public
from curator.edges.quarantine import destroy_expired
from curator.edges.workspace import Workspace
from curator.epochs import Epoch
from curator.evidence import EvidenceStore
from curator.generalising import Generalisation, LocalGeneralisation
from curator.planning import Plan, plan
from curator.records import DatasetVersion, ModelVersion, html_table
from curator.representation import RepresentationReport
from curator.spec import UseCase, load_use_case, scope_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Capital", "Preview", "RunOptions"]

PUBLIC_KEY = "holder.pub"


class Capital:
    """An open capital.

    Attributes:
        workspace: the folder with its Git, DVC and evidence.
        agent: in whose name statements are signed.
        environ: where keys may be found besides the private folder.
    """

    def __init__(self, workspace: Workspace, *, agent: str, environ: Mapping[str, str]) -> None:
        """Use `Capital.open` or `Capital.create`."""
        self.workspace, self.agent, self.environ = workspace, agent, environ
        self._evidence = EvidenceStore(workspace.root / "evidence")

    @classmethod
    def create(cls, root: Path | str, *, holder: str, root_secret: bytes | None = None) -> Capital:
        """Create a capital: workspace, keys, the holder's public key and the first directory of agents.

        A call that was cut short is completed by the same call again.

        Args:
            root: folder to create; absent, empty, or the root of a Git repository without DVC.
            holder: the organisation that holds the data.
            root_secret: 32 bytes or more to derive every token key from; when None, that of the environment
                (`CURATOR_ROOT_KEY` or `CURATOR_ROOT_KEY_FILE`), else drawn at random.

        Raises:
            StorageError: the folder is taken, Git is absent, no space.
            UsageError: the holder's name cannot be used.
        """
        if root_secret is None:
            require_usable_root(os.environ)
        workspace = begun(Path(root), holder=holder) or Workspace.create(Path(root), holder=holder)
        found(workspace, root_secret=root_secret, environ=os.environ)
        return cls(workspace, agent=HOLDER, environ=os.environ)

    @classmethod
    def open(cls, root: Path | str, *, agent: str = HOLDER, environ: Mapping[str, str] | None = None) -> Capital:
        """Open a capital and end what a crash interrupted.

        Args:
            root: its folder.
            agent: in whose name to act.
            environ: where keys may be found besides the private folder; the process environment when None.

        Raises:
            StorageError: it is no capital, or Git is absent.
        """
        workspace = Workspace.open(Path(root))
        destroy_expired(workspace.private / "holder" / "rejected", today=datetime.now(UTC).date())
        return cls(workspace, agent=agent, environ=os.environ if environ is None else environ)

    # ---- who ------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Capital({str(self.workspace.root)!r}, holder={self.workspace.holder!r}, agent={self.agent!r})"

    def _repr_html_(self) -> str:
        lines = {"folder": str(self.workspace.root), "acting": self.agent}
        lines |= {"datasets": ", ".join(self.datasets()) or "none", "models": ", ".join(self.models()) or "none"}
        return html_table(f"capital of {self.workspace.holder}", lines)

    @property
    def evidence(self) -> EvidenceStore:
        """The statements; each file is parsed once, and again only when it changed on disk."""
        return self._evidence

    def holder_key(self) -> bytes:
        """The holder's public key: the one thing to trust beforehand."""
        return read_public(self.workspace.root / PUBLIC_KEY)

    def directory(self) -> Directory:
        """The agents, verified from the holder's key on. Raises IntegrityError when that fails."""
        return Directory.from_envelopes(self.evidence.unverified(), self.holder_key())

    def add_agent(self, name: str, *, roles: Iterable[str], public: bytes | None = None) -> Agent:
        """Add an agent, or change one's roles; draws a key unless a public one is given.

        Raises:
            NotAllowedError: the acting agent is no steward.
            UsageError: a role is unknown. SecretError: the agent's key exists already elsewhere.
        """
        return add_agent(self, name, roles=roles, public=public)

    def root_key(self) -> bytes:
        """The holder's root secret. Raises SecretError when it is missing, short or readable by others."""
        return _keys.provider(self).root()

    def epochs(self) -> tuple[Epoch, ...]:
        """Every epoch of keys, oldest first; the current one is what new versions take."""
        return _keys.epochs(self)

    def current_epoch(self) -> Epoch:
        """The epoch that new versions take, its keys read and held to the id in the evidence. Raises SecretError."""
        return _keys.current_epoch(self)

    def rotate_keys(self, name: str | None = None) -> Epoch:
        """Begin a new epoch of keys: tokens made from now on cannot be joined with earlier ones.

        Args:
            name: of the epoch; the next number when None.

        Raises:
            NotAllowedError: the acting agent is neither steward nor custodian.
            UsageError: `epoch-name`. SecretError: the root cannot be read.
        """
        return _keys.rotate(self, name)

    def destroy_keys(self, epoch: str, *, reason: str) -> Epoch:
        """Destroy the secret of a past epoch for ever, and record it: nobody can make, test or open its tokens again.

        Raises:
            NotAllowedError: the acting agent is no custodian.
            UsageError: `epoch-in-use` for the current epoch or one without a secret of its own; `reason-missing`.
            SecretError: `epoch-unknown`, `epoch-destroyed`, `key-held-elsewhere`.
        """
        return _keys.destroy(self, epoch, reason=reason)

    def rekey(self, ref: str, *, to: str, epoch: str | None = None, name: str | None = None) -> DatasetVersion:
        """A version of its own for one recipient, made from a version and not from the source.

        Its tokens are tokens of tokens: consistent in themselves, none equal to another recipient's; its rows have an
        order of their own. Everything else is as in the version it is made from.

        Args:
            ref: dataset version to start from.
            to: the recipient, as a release request will name it.
            epoch: of the new keys; the current one when None.
            name: of the new dataset; the old name, `-for-` and the recipient when None.

        Raises:
            NotAllowedError: the acting agent is no engineer.
            UsageError: `rekey-pointless`, `rekey-name`. StorageError: `version-exists`.
            IntegrityError: `version-changed`. SecretError: the epoch's keys are not there.
        """
        return _rekey.rekey(self, ref, to=to, epoch=epoch, name=name)

    def reveal(self, ref: str, *, column: str, token: str, reason: str) -> Revealed:
        """The identifier behind a reversible token, for a custodian who is no engineer; the reason stays in evidence.

        Args:
            ref: dataset version that holds the token.
            column: a field with `method: siv`.
            token: its bytes in hexadecimal.
            reason: why; it must not hold the identifier.

        Raises:
            NotAllowedError: `role-missing`, `roles-together`.
            UsageError: `token-one-way`, `token-absent`, `token-malformed`, `reason-missing`, `reason-names-person`.
            SecretError: `epoch-destroyed`, `key-another`. IntegrityError: `token-not-authentic`.
        """
        return _reveal.reveal(self, ref, column=column, token=token, reason=reason)

    def recorder(self, *roles: Role) -> Recorder:
        """Signs in the name of the acting agent, who must hold one of the roles.

        Raises NotAllowedError; UsageError `clock-behind`, before any work is done that could not be signed.
        """
        directory = self.directory()
        require_role(directory, self.agent, roles=roles)
        signer = load_signer(self.workspace.private, self.agent, environ=self.environ)
        newest = max(envelope.statement.time for envelope in self.evidence.unverified())
        recorder = Recorder(signer=signer, directory=directory, newest=newest)
        recorder.now()
        return recorder

    # ---- data and models ------------------------------------------------------------------------------------------

    def curate(self, spec: Path | str, options: RunOptions | None = None) -> DatasetVersion:
        """Extract, check, protect and commit: from a spec to a dataset version.

        Raises:
            SpecError, SourceError, QualityError, DisclosureError: what the stages refuse; nothing is published then.
            StorageError: the version exists, the workspace is dirty, or there is no space.
            NotAllowedError: the acting agent is no engineer. SecretError: no usable root key.
        """
        path = Path(spec)
        return _curation.curate(self, path, use_case=load_use_case(path), options=options or RunOptions())

    def refresh(self, spec: Path | str, options: RunOptions | None = None, *, full: bool = False) -> Refreshed:
        """Make the next patch version of a dataset from its source as it is now, when something changed.

        Args:
            spec: a spec; its own version stands for the first one, later numbers are counted from the newest version.
            options: as of `curate`.
            full: compare every row, whatever `refresh.feed` of the spec says.

        Raises:
            SpecError: `refresh-version`, when the version has no line of its own. Otherwise as `curate`.
        """
        return refresh(self, Path(spec), options=options or RunOptions(), full=full)

    def preview(self, spec: Path | str, *, until: Until, options: RunOptions | None = None) -> Preview:
        """Run the stages up to `extract`, `check` or `protect`, and publish nothing. Raises as `curate`."""
        path = Path(spec)
        return _curation.preview(self, path, use_case=load_use_case(path), options=options or RunOptions(), until=until)

    def generalise(self, spec: Path | str, options: RunOptions | None = None) -> Generalisation | LocalGeneralisation:
        """Search how coarse each quasi-identifier must be, and no coarser, for the limits of a spec; publishes nothing.

        One level a field, the optimal ones; or, with `recoding: local` in the spec, levels of its own for each class.

        Args:
            spec: a spec with `disclosure.search`.
            options: where the sources are and where to compute.

        Raises:
            SpecError: `search-absent`, or a hierarchy that is none. DisclosureError: no levels meet the limits.
            SourceError: as `curate`.
        """
        path = Path(spec)
        return _generalising.search_levels(self, path, use_case=load_use_case(path), options=options or RunOptions())

    def plan(self, spec: Path | str) -> Plan:
        """What `curate` would read, join, drop, protect and write, before any row is read. Raises SpecError."""
        use_case = load_use_case(Path(spec))
        return plan(use_case, scope_of(use_case))

    def datasets(self) -> tuple[str, ...]:
        """References of every dataset version."""
        return tuple(f"{name}@{version}" for name, version in self.workspace.versions("dataset"))

    def models(self) -> tuple[str, ...]:
        """References of every model version."""
        return tuple(f"{name}@{version}" for name, version in self.workspace.versions("model"))

    def dataset(self, ref: str, *, remote: str | None = None) -> DatasetVersion:
        """A dataset version by `name@version`, or `name` for its newest.

        Args:
            ref: the version.
            remote: name of a DVC remote on S3 to read the rows from, instead of the workspace's own folder; each shard
                is held to its SHA-256 before a row of it is read.

        Raises:
            UsageError: there is none; `remote-unknown`. StorageError: `remote-refused`.
            IntegrityError: `remote-differs`.
        """
        folder = _versions.folder_of(self, ref, kind="dataset")
        if remote is not None:
            return stored_dataset(self, folder, remote=remote)
        return DatasetVersion(manifest=_versions.manifest_of(self, folder), folder=folder)

    def model(self, ref: str) -> ModelVersion:
        """A model version by `name@version`, or `name` for its newest. Raises UsageError when there is none."""
        folder = _versions.folder_of(self, ref, kind="model")
        return ModelVersion(manifest=_versions.manifest_of(self, folder), folder=folder)

    def version(self, ref: str) -> DatasetVersion | ModelVersion:
        """A dataset or model version by reference. Raises UsageError when there is none."""
        name = ref.partition("@")[0]
        known = {name for name, _ in self.workspace.versions("model")}
        return self.model(ref) if name in known else self.dataset(ref)

    def quality(self, dataset: str) -> dict[str, Any]:
        """What the check behind a dataset version counted: `ref`, `rows`, `accepted`, `rejected` by reason, and more.

        Raises:
            UsageError: there is no such version. IntegrityError: no verified statement tells of its check.
        """
        return _versions.quality(self, self.dataset(dataset))

    def rejected(self, dataset: str) -> pa.Table:
        """The rows that the check behind a dataset version set apart, in clear; for the holder's eyes alone.

        They lie encrypted in the private folder, and are destroyed after the spec's `keep_rejected_days`.

        Returns:
            A row for each, with its key (`.row key`), the fields as the spec names them before protection, and one bit
            for each rule that failed (`.mask 0` and on).

        Raises:
            UsageError: there is no such version; `rejected-absent`, when none were rejected or their days are over.
            SecretError: no usable root key. IntegrityError: the file was changed, or made under another key.
        """
        return _versions.rejected(self, self.dataset(dataset))

    def use_case(self, version: DatasetVersion) -> UseCase:
        """The spec that made a dataset version, from the version's own folder."""
        return _versions.use_case(version)

    def train(self, dataset: str, *, version: str | None = None) -> ModelVersion:
        """Fit the baseline that the dataset's spec describes, prove its ONNX form and register it.

        Args:
            dataset: reference of the dataset version.
            version: of the model; the next patch number when None.

        Raises:
            SpecError: the spec has no model. ParityError: the ONNX form answers differently.
        """
        return _models.train(self, self.dataset(dataset), version=version)

    def package(
        self,
        pipeline: Any,
        *,
        trained_on: DatasetVersion | str,
        name: str,
        target: str,
        features: tuple[str, ...] | None = None,
        version: str | None = None,
    ) -> ModelVersion:
        """Prove the ONNX form of a fitted scikit-learn pipeline and register it.

        Args:
            pipeline: fitted on fields of the dataset.
            trained_on: the dataset version, or its reference.
            name: registry name of the model.
            target: field it predicts.
            features: fields it was fitted on, in order; from the pipeline itself when None.
            version: the next patch number when None.

        Raises:
            ParityError: it cannot be converted, or answers differently.
        """
        dataset = self.dataset(trained_on) if isinstance(trained_on, str) else trained_on
        wanted = _models.Wanted(name=name, target=target, features=features, version=version)
        return _models.package(self, pipeline, dataset=dataset, wanted=wanted)

    def represent(self, what: str | Path, options: RunOptions | None = None) -> RepresentationReport:
        """Whom rows stand for: those kept, drawn and accepted, against the population they come from.

        Args:
            what: a spec (`.yaml`), to extract, check and measure, publishing nothing; or the reference of a dataset
                version, to read what was measured when it was made.
            options: where the sources are and where to compute.

        Raises:
            UsageError: `representation-absent`, when the spec names no dimensions. SpecError, SourceError: as `curate`.
        """
        return _representation.represent(self, str(what), options=options or RunOptions())

    def risk(
        self,
        what: str | Path,
        *,
        sources: RunOptions | None = None,
        population: Iterable[Path] = (),
        trust: Path | None = None,
    ) -> _risk.RiskAnswer:
        """Who could be found in a dataset version or a package, measured on its files, and in its sources.

        Args:
            what: reference of a dataset version, or a `.cur` file.
            sources: where the sources are, to measure the columns behind the quasi-identifiers as they are there; these
                figures are kept in the private place, and shown without the sources from then on.
            population: Parquet files of the population that the rows were drawn from, with the same quasi-identifiers.
            trust: the holder's public key of a package; this capital's own when None.

        Raises:
            UsageError: no such version, or one without rows. SourceError: a source cannot be read.
            IntegrityError, NotAllowedError: as `open_package`.
        """
        return _risk.risk(self, what, options=sources, population=tuple(population), trust=trust)

    # ---- releases -------------------------------------------------------------------------------------------------

    def request(self, refs: Iterable[str], *, to: str, channel: str, purpose: str, until: date) -> _releases.Case:
        """Ask to release versions. Raises NotAllowedError when the channel, purpose, date or role does not allow it."""
        return _releases.request(self, tuple(refs), to=to, channel=channel, purpose=purpose, until=until)

    def review(self, request: str, *, approve: bool, reason: str) -> _releases.Case:
        """Approve or refuse a request, bound to the bytes as they stand. Raises NotAllowedError likewise."""
        return _releases.review(self, request, approve=approve, reason=reason)

    def deliver(self, request: str, *, into: Path | str | None = None, canaries: Path | str | None = None) -> Path:
        """Attack the package of an approved request, then write it.

        Args:
            request: its short name.
            into: folder of the package; `releases/` of the workspace when None.
            canaries: file of identifiers planted in the sources, one a line; that in the private folder
                (`holder/canaries.txt`), where there is one, when None.

        Raises:
            DisclosureError: an attack succeeds on the bytes about to leave; nothing is written.
            NotAllowedError: the request may not be delivered, or not by this agent.
        """
        planted = Path(canaries) if canaries else None
        return _releases.deliver(self, request, into=Path(into) if into else None, canaries=planted)

    def recall(self, request: str, *, reason: str) -> _releases.Case:
        """Declare that a delivered package must no longer be used. Raises NotAllowedError likewise."""
        return _releases.recall(self, request, reason=reason)

    def requests(self) -> tuple[_releases.Case, ...]:
        """Every release request and where it stands."""
        return _releases.requests(self)

    # ---- proof ----------------------------------------------------------------------------------------------------

    def trace(self, what: str | Path) -> tuple[Step, ...]:
        """The steps from a version, a digest or a file back to its sources, newest first, each signature verified.

        Raises:
            UsageError: nothing here knows it. IntegrityError: a statement on the way is missing or changed.
            NotAllowedError: a statement on the way is by somebody without the role for it at that time.
        """
        return trace(what, workspace=self.workspace, evidence=self.evidence, directory=self.directory())

    def _faults(self) -> tuple[Finding, ...]:
        return find_faults(self.workspace, evidence=self.evidence, holder=self.workspace.root / PUBLIC_KEY)

    def verify(self, *, remote: str | None = None) -> tuple[Finding, ...]:
        """Everything that is not as the evidence says, each named; empty when all is well. Reads every byte.

        Args:
            remote: name of a DVC remote on S3 whose objects are read too.

        Raises:
            UsageError: `remote-unknown`. StorageError: `remote-refused`.
        """
        found = self._faults()
        if found and os.access(self.workspace.private / "tmp", os.W_OK):
            with self.workspace.lock():  # what another process was publishing meanwhile is no fault
                found = self._faults()
        return found if remote is None else (*found, *remote_findings(self, remote))

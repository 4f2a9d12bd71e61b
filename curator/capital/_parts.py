"""What every part of the capital shares: who signs, when, with which code."""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curator.agents import Directory, Role
from curator.canonical import sha256_bytes, sha256_json
from curator.edges.keys import AgentSigner
from curator.errors import NotAllowedError, UsageError
from curator.evidence import Artifact, Envelope, Stage, Statement, format_time, sign_statement

_LIBRARIES = (
    "duckdb",
    "pyarrow",
    "numpy",
    "cryptography",
    "sqlglot",
    "scikit-learn",
    "skl2onnx",
    "onnx",
    "onnxruntime",
)


_SLACK = timedelta(hours=1)  # clocks of two machines differ by less, or one of them is wrong


@dataclass(frozen=True, kw_only=True)
class Recorder:
    """Signs statements in the name of one agent.

    Attributes:
        signer: the agent's key.
        directory: the agents in force.
        newest: the time of the newest statement there is, RFC 3339; empty when there is none.
    """

    signer: AgentSigner
    directory: Directory
    newest: str = ""

    def now(self) -> datetime:
        """The time to sign with: the clock's, never before that of the newest statement.

        Reviews, deliveries and changes of agents that are dated before what they follow count for nothing.

        Raises:
            UsageError: `clock-behind`, when the clock is more than an hour behind the newest statement.
        """
        moment = now()
        newest = datetime.fromisoformat(self.newest) if self.newest else moment
        if newest - moment > _SLACK:
            raise _clock_behind(format_time(moment), self.newest)
        return max(moment, newest)

    def record(
        self,
        stage: Stage,
        *,
        subjects: Iterable[Artifact],
        inputs: Iterable[Artifact] = (),
        previous: Iterable[str] = (),
        facts: Mapping[str, Any],
    ) -> Envelope:
        """One signed statement; it follows `previous`, or the directory of agents when it is the first of its line."""
        statement = Statement(
            stage=stage,
            subjects=tuple(subjects),
            inputs=tuple(inputs),
            previous=tuple(previous) or (self.directory.digest,),
            agent=self.signer.name,
            keyid=self.signer.keyid,
            time=format_time(self.now()),
            facts=facts,
        )
        return sign_statement(statement, self.signer)


def require_role(directory: Directory, name: str, *, roles: Collection[Role]) -> None:
    """Refuse an agent who holds none of the roles. Raises NotAllowedError, which says who does."""
    agent = directory.agent(name)
    if agent.roles.intersection(roles):
        return
    holding = sorted({holder for role in roles for holder in directory.holding(role)})
    wanted = " or ".join(role.value for role in roles)
    raise NotAllowedError(
        "role-missing",
        asked=f"act as {name}",
        found=f"roles {', '.join(sorted(role.value for role in agent.roles)) or 'none'}",
        expected=f"the role {wanted}, held by {', '.join(holding) or 'nobody yet'}",
        todo="ask one of them, or have a steward give the role with `curator agent add`",
    )


def _clock_behind(clock: str, newest: str) -> UsageError:
    return UsageError(
        "clock-behind",
        asked="date what is signed",
        found=f"a clock at {clock}, and a statement of {newest}",
        expected="a clock that is not behind the newest statement: what is dated before what it follows does not count",
        todo="set the clock; where it is right, that statement was dated ahead: see `curator explain clock-behind`",
    )


def now() -> datetime:
    """The time, UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@lru_cache(maxsize=1)
def code_facts() -> dict[str, Any]:
    """Which code ran: curator's version and the SHA-256 of its source, Python's and the libraries' versions."""
    package = Path(__file__).resolve().parent.parent
    sources = {
        path.relative_to(package).as_posix(): sha256_bytes(path.read_bytes()) for path in sorted(package.rglob("*.py"))
    }
    libraries = {name: _installed(name) for name in _LIBRARIES}
    return {
        "curator": _installed("curator-capital"),
        "source_sha256": sha256_json(sources),
        "python": platform.python_version(),
        "libraries": libraries,
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

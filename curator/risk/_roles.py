"""What the written fields are to somebody who looks for a person, as a spec declares them."""

from __future__ import annotations

from curator.risk._files import Roles
from curator.spec import UseCase
from curator.spec.model import IdentifierKind
from curator.spec.people import entity_fields


def roles_of(use_case: UseCase) -> Roles:
    """The roles of a use case's written fields.

    Sensitive are the fields declared so and the one whose diversity or closeness is limited. The entity is told when
    every column of `extract.entity` is written, as a token or as it is; otherwise nobody who holds the files can tell
    people apart.
    """
    kept = use_case.kept()
    sensitive = [name for name, field in kept.items() if field.identifier == IdentifierKind.sensitive]
    limits = use_case.disclosure
    if limits and limits.sensitive in kept and limits.sensitive not in sensitive:
        sensitive.append(str(limits.sensitive))
    tokens = tuple(name for name, field in kept.items() if field.protect == "token")
    quasi = use_case.quasi_identifiers()
    known = {*tokens, *quasi, *sensitive}
    return Roles(
        quasi=quasi, sensitive=tuple(name for name in sensitive if name not in quasi), entity=entity_fields(use_case),
        other=tuple(name for name in kept if name not in known), tokens=tokens,
    )  # fmt: skip

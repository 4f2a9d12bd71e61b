"""The French summary of a card: the same facts, short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curator.cards._markdown import bullets, code, prose
from curator.cards._splits import rows_per_split
from curator.samples import DisclosureReport, Written
from curator.spec import UseCase
from curator.spec.model import AiActClass, LegalBasis, Regime

REGIMES = {
    Regime.gdpr: "règlement général sur la protection des données (RGPD)",
    Regime.police: "directive (UE) 2016/680, dite police-justice",
}
SOURCES = {
    Regime.gdpr: "RGPD, art. 4(5) et considérant 26",
    Regime.police: "directive (UE) 2016/680, art. 3(5) et considérant 21",
}
BASES = {
    LegalBasis.consent: "consentement",
    LegalBasis.contract: "contrat",
    LegalBasis.obligation: "obligation légale",
    LegalBasis.vital: "sauvegarde d'intérêts vitaux",
    LegalBasis.public_task: "mission d'intérêt public",
    LegalBasis.legitimate: "intérêts légitimes",
    LegalBasis.law_enforcement: "prévention et poursuite d'infractions",
}
AI_ACT = {
    AiActClass.minimal: "risque minimal",
    AiActClass.limited: "risque limité",
    AiActClass.high: "haut risque",
    AiActClass.prohibited: "pratique interdite",
}


def french_summary(use_case: UseCase, written: Written, *, representation: Mapping[str, Any] | None = None) -> str:
    """The section `En bref`."""
    law = use_case.law
    splits = ", ".join(f"{code(split)} {_number(rows)}" for split, rows in rows_per_split(use_case, written))
    lines = [
        f"Finalité : {prose(use_case.purpose.statement)}",
        f"Lignes : {_number(written.rows)} ({splits}).",
        f"Droit : {REGIMES[law.regime]} ; base : {BASES[law.basis]} ({prose(law.text)}) ; analyse d'impact : "
        f"{prose(law.dpia)} ; règlement sur l'IA : {AI_ACT[law.ai_act]}.",
        f"Conservation : {_number(law.retention_days)} jours, puis effacement.",
        f"Qualité : {_number(written.quality.accepted)} lignes acceptées sur {_number(written.quality.rows)}.",
        _stands_for(representation),
        _risk(written.disclosure),
        "Les jetons ne se retournent pas sans la clé du détenteur et diffèrent d'un destinataire à l'autre ; les "
        f"lignes restent des données à caractère personnel ({SOURCES[law.regime]}).",
        f"Responsable : {prose(use_case.owner.organisation)}, {prose(use_case.owner.contact)}.",
    ]
    return f"## En bref (français)\n\n{bullets(lines)}"


def _stands_for(facts: Mapping[str, Any] | None) -> str:
    if facts is None:
        return ""
    differences = {name: found["difference"] or 0.0 for name, found in facts["dimensions"].items()}
    worst = max(differences, key=lambda name: (differences[name], name))
    value = f"{differences[worst]:.3f}".replace(".", ",")
    return (
        f"Représentativité : {_number(facts['kept'])} lignes gardées pour une population de "
        f"{_number(facts['population'])} ; plus grande différence standardisée {value} ({code(worst)})."
    )


def _risk(found: DisclosureReport | None) -> str:
    if found is None:
        return "Réidentification : aucune limite déclarée, ou aucun champ quasi identifiant."
    fields = ", ".join(code(name) for name in found.quasi_identifiers)
    return (
        f"Réidentification : au moins {_alike(found)} semblables sur {fields} ; "
        f"{_number(found.suppressed)} lignes retirées pour y parvenir."
    )


def _alike(found: DisclosureReport) -> str:
    return f"{_number(found.k)} lignes" if found.k_persons is None else f"{_number(found.k_persons)} personnes"


def _number(value: int) -> str:
    """Digits grouped as French does, with a narrow no-break space."""
    return f"{value:,}".replace(",", "\u202f")

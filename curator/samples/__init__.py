"""The stage is the type: Sample, CheckedSample, ProtectedSample, Written.

Typed handles that each stage takes and gives. They describe work; the rows stay in the engine until the one stream of
`curator.versioning` moves them. `write_shards(sample)` does not type-check: only a ProtectedSample can be written.
"""

from curator.samples._checked import Bit, CheckedSample, Patterns, QualityReport, Tally
from curator.samples._coarse import Coarse
from curator.samples._identifiers import IdentifierCount, IdentifierTally
from curator.samples._protected import (
    ProtectedSample,
    anchors,
    entity_forms,
    entity_parts,
    form_of,
    people_parts,
    split_names,
)
from curator.samples._sample import SAMPLE, Sample
from curator.samples._step import RowStep
from curator.samples._written import DisclosureReport, RowOrder, Written

__all__ = [
    "SAMPLE",
    "Bit",
    "CheckedSample",
    "Coarse",
    "DisclosureReport",
    "IdentifierCount",
    "IdentifierTally",
    "Patterns",
    "ProtectedSample",
    "QualityReport",
    "RowOrder",
    "RowStep",
    "Sample",
    "Tally",
    "Written",
    "anchors",
    "entity_forms",
    "entity_parts",
    "form_of",
    "people_parts",
    "split_names",
]

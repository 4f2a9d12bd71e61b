"""What a use case says: the words of a spec, as frozen records. Unknown keys are refused everywhere.

The names follow the Open Data Contract Standard (purpose, owner, quality), statistical disclosure control (identifier
kinds, k, l) and the texts of law they quote. `curator.spec.checks` holds the rules that tie one part to another.
"""

from curator.spec.model._channels import Channels, ChannelTerms
from curator.spec.model._disclosure import Closeness, Disclosure, Diversity, EntropyDiversity
from curator.spec.model._events import History, Label, Measure
from curator.spec.model._extraction import Extraction, Join, Window
from curator.spec.model._fields import IdentifierKind, OutputField
from curator.spec.model._forms import IdentifierForm, WeightedSum
from curator.spec.model._law import AiActClass, Law, LegalBasis, Owner, Purpose, Regime
from curator.spec.model._learning import Baseline, EntitySplits, Estimator, TimeSplits
from curator.spec.model._quality import Expectation, Quality
from curator.spec.model._refresh import Refresh
from curator.spec.model._representation import Representation, RepresentationLimits
from curator.spec.model._sampling import AtLeast, Negatives, Quotas, Sample, Strata
from curator.spec.model._search import GeneralisationSearch, Ladder
from curator.spec.model._sources import Column, Drift, LogicalType, Source, SourceFormat
from curator.spec.model._text import TextKind, TextMask
from curator.spec.model._use_case import UseCase
from curator.spec.model._words import Formula, Name, Share, Slug, Text, Version, Word

__all__ = [
    "AiActClass",
    "AtLeast",
    "Baseline",
    "ChannelTerms",
    "Channels",
    "Closeness",
    "Column",
    "Disclosure",
    "Diversity",
    "Drift",
    "EntitySplits",
    "EntropyDiversity",
    "Estimator",
    "Expectation",
    "Extraction",
    "Formula",
    "GeneralisationSearch",
    "History",
    "IdentifierForm",
    "IdentifierKind",
    "Join",
    "Label",
    "Ladder",
    "Law",
    "LegalBasis",
    "LogicalType",
    "Measure",
    "Name",
    "Negatives",
    "OutputField",
    "Owner",
    "Purpose",
    "Quality",
    "Quotas",
    "Refresh",
    "Regime",
    "Representation",
    "RepresentationLimits",
    "Sample",
    "Share",
    "Slug",
    "Source",
    "SourceFormat",
    "Strata",
    "Text",
    "TextKind",
    "TextMask",
    "TimeSplits",
    "UseCase",
    "Version",
    "WeightedSum",
    "Window",
    "Word",
]

"""Free text: find what names somebody, and put a surrogate in its place.

Recognisers with validity checks come first (numbers, dates, addresses, codes), then titles, known names and the
layout of reports for persons, then a model of named entities when one is installed and asked for. What any of them
claims is masked; the same person, number or place has the same surrogate within a text, or within a dataset.

    >>> Masker().texts(["M. Durand, 06 12 34 56 78. Rappeler Durand."])
    ['M. PERSONNE_1, TELEPHONE_1. Rappeler PERSONNE_1.']
"""

from curator.text._evaluation import Evaluation, Figures, Labelled, evaluate, hidden, read_labelled
from curator.text._finder import RULES, Finder
from curator.text._kinds import LABELS, Kind
from curator.text._masker import Masker
from curator.text._model import MODELS, EntityModel, load_model
from curator.text._report import read_evaluation, report
from curator.text._spans import Span, union
from curator.text._surrogates import identities
from curator.text._view import read_text

__all__ = [
    "LABELS",
    "MODELS",
    "RULES",
    "EntityModel",
    "Evaluation",
    "Figures",
    "Finder",
    "Kind",
    "Labelled",
    "Masker",
    "Span",
    "evaluate",
    "hidden",
    "identities",
    "load_model",
    "read_evaluation",
    "read_labelled",
    "read_text",
    "report",
    "union",
]

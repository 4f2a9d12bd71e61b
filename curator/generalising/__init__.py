"""The best generalisation: how coarse each field must be, and no coarser, for nobody to stand out.

Hierarchies say how values grow coarser; the lattice of their levels is searched for the combination that loses least
while every class of like rows meets the limits (k, l, t) and no more rows are suppressed than allowed. The search sees
distinct combinations and their rows only, which the engine counts; it is exact, and deterministic.
"""

from curator.generalising._answer import METRIC, FieldLevel, Generalisation, generalise, held_at
from curator.generalising._building import build_hierarchy
from curator.generalising._hierarchy import EVERYTHING, Hierarchy, hierarchy_of
from curator.generalising._limits import Limits
from curator.generalising._local import LocalGeneralisation, Recoding, local_generalisation, recode
from curator.generalising._people import People, people_of
from curator.generalising._search import Chosen, search
from curator.generalising._tuples import Tuples, compact
from curator.generalising._written import Levels, Merged, local_levels

__all__ = [
    "EVERYTHING",
    "METRIC",
    "Chosen",
    "FieldLevel",
    "Generalisation",
    "Hierarchy",
    "Levels",
    "Limits",
    "LocalGeneralisation",
    "Merged",
    "People",
    "Recoding",
    "Tuples",
    "build_hierarchy",
    "compact",
    "generalise",
    "held_at",
    "hierarchy_of",
    "local_generalisation",
    "local_levels",
    "people_of",
    "recode",
    "search",
]

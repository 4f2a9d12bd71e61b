"""Representativeness: the rows kept, after sampling and after the checks, against the population they come from.

`measure` counts the classes of declared dimensions inside the engine; only aggregates travel, and no count below a
declared floor. From the counts come the Jensen-Shannon divergence, the standardised difference of each class, and
whether values are missing at random as far as the other dimensions show. `RepresentationReport.refuse` is the gate.
"""

from curator.representation._counting import class_columns, classes_sql
from curator.representation._figures import chi_square_tail, dependence, divergence, standardised_difference
from curator.representation._measure import measure
from curator.representation._page import page
from curator.representation._report import ClassCount, Dependence, Dimension, RepresentationReport
from curator.representation._telling import Teller, text

__all__ = [
    "ClassCount",
    "Dependence",
    "Dimension",
    "RepresentationReport",
    "Teller",
    "chi_square_tail",
    "class_columns",
    "classes_sql",
    "dependence",
    "divergence",
    "measure",
    "page",
    "standardised_difference",
    "text",
]

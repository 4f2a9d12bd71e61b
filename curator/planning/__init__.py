"""The plan: what `curate` would do with a spec, told before any row is read.

It is built from the spec alone, by the same rules that the stages follow: which columns would be read and what for, how
rows would be joined and chosen, how each field would be protected, what would be checked and what becomes of a failing
row, who may receive the result. What is declared but needed by nothing is named too (GDPR art. 5(1)(c)).
"""

from curator.planning._asked import asked, measured, to_count
from curator.planning._build import plan
from curator.planning._plan import ColumnPlan, DerivedPlan, FieldPlan, JoinPlan, Plan, RulePlan, SourcePlan
from curator.planning._population import Whole, whole
from curator.planning._together import Together, together

__all__ = [
    "ColumnPlan",
    "DerivedPlan",
    "FieldPlan",
    "JoinPlan",
    "Plan",
    "RulePlan",
    "SourcePlan",
    "Together",
    "Whole",
    "asked",
    "measured",
    "plan",
    "to_count",
    "together",
    "whole",
]

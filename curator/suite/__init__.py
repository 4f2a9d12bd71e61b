"""Quality rules: a spec's expectations, compiled for one pass over the rows.

The names, arguments, verdicts and JSON are Great Expectations'; the rows stay in the engine. A row expectation
becomes a formula (one bit of a mask column), a uniqueness one query, a figure one aggregate. Nothing here runs
anything: `compile_suite` says what to count, `verdict` and `results` judge the counts. No result holds a value of a row
except figures, which `results(observed=False)` leaves out.
"""

from curator.suite._compile import NULL_RULES, columns_of, compile_suite
from curator.suite._figures import figure_sql, key_sql, unique_sql
from curator.suite._moments import Moments, MomentStep, exact_rules, moments
from curator.suite._moments import told as moments_told
from curator.suite._rules import Counts, FigureRule, FigureValue, RowRule, Rule, Suite, TableRule, UniqueRule
from curator.suite._verdicts import configuration, results, verdict

__all__ = [
    "NULL_RULES",
    "Counts",
    "FigureRule",
    "FigureValue",
    "MomentStep",
    "Moments",
    "RowRule",
    "Rule",
    "Suite",
    "TableRule",
    "UniqueRule",
    "columns_of",
    "compile_suite",
    "configuration",
    "exact_rules",
    "figure_sql",
    "key_sql",
    "moments",
    "moments_told",
    "results",
    "unique_sql",
    "verdict",
]

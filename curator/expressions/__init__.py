"""The language in which a spec writes conditions and derived columns.

SQL looks alike on every engine and is not: the same line gives other rows on Spark than on DuckDB, without an error.
So a spec is written in a small language of our own: the operators of SQL, some forty functions, strict types. `parse`
checks a text and returns an `Expression`; `Expression.sql` prints it for DuckDB, Spark or PostgreSQL from the checked
tree, one tested template per function and engine. No character of the source reaches an engine unquoted.

    >>> from curator.expressions import parse
    >>> condition = parse("year(day) >= 2013 and not department in ('2A', '2B')", {"day": "date", "department": "text"})
    >>> condition.type, sorted(condition.columns)
    ('boolean', ['day', 'department'])
"""

from curator.expressions._dialects import ENGINES, Engine, quote_name, quote_text
from curator.expressions._expression import Expression, parse
from curator.expressions._faults import ExpressionRefused
from curator.expressions._functions import FUNCTIONS
from curator.expressions._lexer import KEYWORDS
from curator.expressions._model import Function, Parameter
from curator.expressions._nodes import LOGICAL_TYPES, LogicalType
from curator.expressions._parts import Range, calls_of, compares_only, conjuncts, in_terms_of, ranges, sees_nulls
from curator.expressions._regex import portable, regex_is_safe

__all__ = [
    "ENGINES",
    "FUNCTIONS",
    "KEYWORDS",
    "LOGICAL_TYPES",
    "Engine",
    "Expression",
    "ExpressionRefused",
    "Function",
    "LogicalType",
    "Parameter",
    "Range",
    "calls_of",
    "compares_only",
    "conjuncts",
    "in_terms_of",
    "parse",
    "portable",
    "quote_name",
    "quote_text",
    "ranges",
    "regex_is_safe",
    "sees_nulls",
]

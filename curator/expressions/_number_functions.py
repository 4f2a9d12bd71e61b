"""Functions over numbers, and those that choose between values of any type."""

from __future__ import annotations

from collections.abc import Mapping

from curator.expressions._dialects import Engine
from curator.expressions._model import Function, LiteralValue, Parameter, templates
from curator.expressions._nodes import LOGICAL_TYPES, NUMBERS

#: Largest magnitude for which every whole double is exact and fits 64 bits: 2^53 rounded down to 9e15 (IEEE 754).
_EXACT = "9000000000000000"


def _step(value: LiteralValue) -> str | None:
    return None if isinstance(value, int) and 1 <= value <= 10**9 else "a whole number from 1 to 1000000000"


def _band_step(values: tuple[LiteralValue, ...], _: Engine) -> Mapping[str, str]:
    return {"step": str(int(values[0]))}


def _guarded(template: str) -> dict[Engine, str]:
    """Null beyond the exact whole doubles (infinities and NaN too), where engines would fail or disagree."""
    number, precise = "CAST($1 AS DOUBLE)", "CAST($1 AS DOUBLE PRECISION)"
    body = f"CASE WHEN # BETWEEN -{_EXACT} AND {_EXACT} THEN CAST({template} AS BIGINT) END"
    postgres = body.replace("#", precise).replace("AS DOUBLE)", "AS DOUBLE PRECISION)")
    return templates(body.replace("#", number), postgres=postgres)


_NUMBER = Parameter(name="number", types=NUMBERS)
_INTEGERS = tuple(Parameter(name=name, types=("integer",)) for name in ("number", "divisor"))
_ANY = tuple(Parameter(name=name, types=LOGICAL_TYPES) for name in ("first", "second"))
_ORDERED = tuple(Parameter(name=name, types=(*NUMBERS, "date", "timestamp")) for name in ("first", "second"))

NUMBER_FUNCTIONS: tuple[Function, ...] = (
    Function(
        name="coalesce",
        parameters=_ANY,
        returns=None,
        same=True,
        variadic=True,
        meaning="The first argument that is not null.",
        example="coalesce(null, 'none')",
        example_result="'none'",
        nulls="null when every argument is null",
        templates=templates("COALESCE($*)"),
    ),
    Function(
        name="nullif",
        parameters=_ANY,
        returns=None,
        same=True,
        meaning="The first argument, or null when it equals the second.",
        example="nullif(99, 99)",
        example_result="null",
        nulls="null when the first is null; a null second changes nothing",
        templates=templates("NULLIF($1, $2)"),
    ),
    Function(
        name="greatest",
        parameters=_ORDERED,
        returns=None,
        same=True,
        meaning="The larger of two numbers, dates or timestamps.",
        example="greatest(3, 7)",
        example_result="7",
        nulls="a null argument is ignored; null when both are",
        templates=templates("GREATEST($1, $2)"),
    ),
    Function(
        name="least",
        parameters=_ORDERED,
        returns=None,
        same=True,
        meaning="The smaller of two numbers, dates or timestamps.",
        example="least(3, 7)",
        example_result="3",
        nulls="a null argument is ignored; null when both are",
        templates=templates("LEAST($1, $2)"),
    ),
    Function(
        name="abs",
        parameters=(_NUMBER,),
        returns=None,
        same=True,
        meaning="The number without its sign.",
        example="abs(-7)",
        example_result="7",
        templates=templates("ABS($1)"),
    ),
    Function(
        name="floor",
        parameters=(_NUMBER,),
        returns="integer",
        meaning="The largest whole number not above the number.",
        example="floor(-2.5)",
        example_result="-3",
        nulls="null when the number is null, is not a number, or lies beyond 9e15",
        templates=_guarded("FLOOR($1)"),
        whole_templates=templates("$1"),
    ),
    Function(
        name="band",
        parameters=(_NUMBER, Parameter(name="step", types=("integer",), literal=_step)),
        returns="integer",
        meaning="The lower bound of the band of width `step` that holds the number: 5-year ages, 10 km/h speeds.",
        example="band(37, 5)",
        example_result="35",
        nulls="null when the number is null, is not a number, or lies beyond 9e15",
        fragments=_band_step,
        templates=_guarded("FLOOR(CAST(FLOOR($1) AS DOUBLE) / $step) * $step"),  # exact: of whole numbers below 2^53
        whole_templates=templates("($1 - (($1 % $step) + $step) % $step)"),
    ),
    Function(
        name="ratio",
        parameters=(_NUMBER, Parameter(name="divisor", types=NUMBERS)),
        returns="float",
        meaning="The quotient as a float.",
        example="ratio(1, 4)",
        example_result="0.25",
        nulls="null when an argument is null or the divisor is 0",
        templates=templates(
            "(CAST($1 AS DOUBLE) / NULLIF(CAST($2 AS DOUBLE), 0))",
            postgres="(CAST($1 AS DOUBLE PRECISION) / NULLIF(CAST($2 AS DOUBLE PRECISION), 0))",
        ),
    ),
    Function(
        name="whole_div",
        parameters=_INTEGERS,
        returns="integer",
        meaning="The quotient of whole numbers, cut toward 0.",
        example="whole_div(-7, 2)",
        example_result="-3",
        nulls="null when an argument is null or the divisor is 0",
        templates=templates("($1 // NULLIF($2, 0))", spark="($1 DIV NULLIF($2, 0))", postgres="($1 / NULLIF($2, 0))"),
    ),
    Function(
        name="mod",
        parameters=_INTEGERS,
        returns="integer",
        meaning="The rest of `whole_div`, with the sign of the number.",
        example="mod(-7, 2)",
        example_result="-1",
        nulls="null when an argument is null or the divisor is 0",
        templates=templates("($1 % NULLIF($2, 0))"),
    ),
)

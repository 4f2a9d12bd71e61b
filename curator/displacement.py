"""Displacement: dates and places moved by a keyed draw, so that what stays true of them is stated.

*Dates* of one person all move by one number of days, so every interval between them stays exact while no date does
(the "shift and truncate" of health registers; HIPAA's expert determination uses it). *Places* move within a circle; all
rows that share the draw's key move alike, so seeing a place often does not average the move away.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import from_integers, integers, nothing
from curator.errors import UsageError
from curator.pseudonyms import draws

METRES_PER_DEGREE = 111_320.0
"""Length of one degree of latitude on a sphere of 6,378,137 m (WGS 84's longer axis), metres."""

_STEPS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY = 86_400
_EARLIEST, _LATEST = -715_145, 2_928_880  # days from 1970 to 0012-01-01 and to 9989-01-01: no move leaves the calendar
_POLE, _TURN, _NOWHERE = 90.0, 180.0, 1e6  # degrees; the last for NaN and infinity
_STEEPEST = math.cos(math.radians(89.9))  # towards a pole a degree of longitude has no length


def shifted(dates: pa.Array, tokens: pa.Array, *, days: int) -> pa.Array:
    """Move each date by its person's number of days, uniform over -days to +days.

    Args:
        dates: date32 or timestamp; a null stays null. The time of day stays. A day of the first or last eleven years
            of the calendar (0001 to 9999) becomes null: it stands for no day at all (9999-12-31, "still valid"), and
            moved it would tell everybody by how many days that person's dates were moved.
        tokens: a 16-byte keyed token for each row, of whom it is about; equal tokens, equal moves.
        days: the longest move.

    Returns:
        The same type. A move of 0 days is one of the 2 days + 1 equally likely ones.

    Raises:
        UsageError: `shift-type` for another type.
    """
    moves = np.floor(draws(tokens)[:, 0] * (2 * days + 1)).astype(np.int64) - days
    if pa.types.is_date32(dates.type):
        counted = dates.cast(pa.int32())
        moved = pc.add(counted, from_integers(moves.astype(np.int32), pa.int32()))
        return pc.if_else(_true_days(integers(counted), 1), moved.cast(dates.type), nothing(dates.type))
    if pa.types.is_timestamp(dates.type):
        step = _DAY * _STEPS[dates.type.unit]
        counted = dates.cast(pa.int64())
        moved = pc.add(counted, from_integers(moves * step, pa.int64())).cast(dates.type)
        return pc.if_else(_true_days(integers(counted), step, longest=days), moved, nothing(dates.type))
    raise UsageError(
        "shift-type",
        asked="move dates by a number of days",
        found=f"a column of type {dates.type}",
        expected="date or timestamp",
        todo="declare the column as a date or timestamp in the spec, with its `format`",
    )


def _true_days(counted: npt.NDArray[Any], step: int, *, longest: int = 0) -> pa.BooleanArray:
    """Which days, counted from 1970 in parts of which `step` make a day, are none of the calendar's ends.

    Nor of the type's own: nanoseconds end in 1677 and 2262, and no day may move beyond.
    """
    room = (1 << 63) - 1 - longest * step
    low, high = max(_EARLIEST * step, -room), min(_LATEST * step, room)
    return _mask((counted >= low) & (counted < high))


def _mask(true: npt.NDArray[np.bool_]) -> pa.BooleanArray:
    return pa.BooleanArray.from_buffers(
        pa.bool_(), len(true), [None, pa.py_buffer(np.packbits(true, bitorder="little"))]
    )


def jittered(degrees: pa.Array, tokens: pa.Array, *, metres: float, latitude: pa.Array | None = None) -> pa.DoubleArray:
    """Move each coordinate to a place drawn uniformly from the disc of this radius around it.

    The point is drawn as r = R sqrt(u), angle 2 pi v, from the two halves of the token; the same tokens for latitude
    and longitude give the two coordinates of one point. On a sphere, a good approximation for some kilometres.
    Beyond a pole a latitude comes back on the other side; a longitude beyond 180 degrees goes on at -180.

    Args:
        degrees: latitudes or longitudes, numbers; a null stays null. What is no place in degrees (NaN, infinite, beyond
            90 degrees of latitude or 180 of longitude) becomes null: moved by some metres, a coordinate in another
            unit, such as metres of a map, would leave as good as it came.
        tokens: a 16-byte keyed token for each row; equal tokens, equal moves in metres.
        metres: the radius R.
        latitude: for longitudes, the true latitudes: they say how long a degree is. A null there, or no latitude, gives
            a null.

    Returns:
        Degrees.
    """
    drawn = draws(tokens)
    reach, angle = metres * np.sqrt(drawn[:, 0]), 2 * np.pi * drawn[:, 1]
    place, known = _numbers(degrees), degrees.is_valid()
    if latitude is None:
        moved = place + reach * np.cos(angle) / METRES_PER_DEGREE
        moved = np.where(np.abs(moved) > _POLE, np.copysign(2 * _POLE, moved) - moved, moved)
        return pc.if_else(pc.and_(known, _mask(np.abs(place) <= _POLE)), _floats(moved), nothing(pa.float64()))
    north = _numbers(latitude)
    parallel = np.maximum(np.cos(np.radians(north)), _STEEPEST)
    moved = place + reach * np.sin(angle) / METRES_PER_DEGREE / parallel
    moved = np.where(np.abs(moved) > _TURN, moved - np.copysign(2 * _TURN, moved), moved)
    sound = _mask((np.abs(place) <= _TURN) & (np.abs(north) <= _POLE))
    return pc.if_else(pc.and_(pc.and_(known, latitude.is_valid()), sound), _floats(moved), nothing(pa.float64()))


def _numbers(column: pa.Array) -> npt.NDArray[np.float64]:
    """The numbers of a column; anything where it is null, and far off the globe for NaN and infinity."""
    values = integers(column.cast(pa.float64()).view(pa.int64())).view(np.float64)
    return np.where(np.isfinite(values), values, _NOWHERE)


def _floats(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])

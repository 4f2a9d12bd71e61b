"""Check digits, for whole columns and for one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from curator.errors import UsageError
from curator.identifiers._column import Mask, Octets, Words, eight_bytes

_CORSICA = {ord("A"): 9, ord("B"): 8}  # 2A counts as 19 and 2B as 18
_CORSICA_PLACE = 6
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_VIN_LETTERS = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
_VIN_VALUES = np.zeros(256, np.int64)
_VIN_VALUES[list(b"0123456789")] = range(10)
_VIN_VALUES[[ord(letter) for letter in _VIN_LETTERS]] = [int(value) for value in _VIN_LETTERS.values()]
_VIN_CHECKS = np.frombuffer(b"0123456789X", np.uint8)
_LA_POSTE = b"356000000"
_ONE, _TEN, _HUNDRED, _MILLION, _NIR_MODULUS = (np.uint64(number) for number in (1, 10, 100, 10**6, 97))
# Of each step: the bits of its numbers, the factor that adds each to ten times the one before (then a hundred, ten
# thousand), and where the sum then stands.
_JOINS = [
    (np.uint64(mask), np.uint64((tens << bits) + 1), np.uint64(bits))
    for mask, tens, bits in (
        (0x0F0F0F0F0F0F0F0F, 10, 8), (0x00FF00FF00FF00FF, 100, 16), (0x0000FFFF0000FFFF, 10**4, 32),
    )
]  # fmt: skip
# Lengths of the SWIFT registry of ISO 13616 for Europe and its neighbours; other countries are held to 15..34 only.
_IBAN_COUNTRIES = {
    15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE LT LU XK", 21: "CH HR LI LV",
    22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL", 24: "AD CZ ES MD RO SA SE SK TN", 25: "PT", 26: "IS TR",
    27: "FR GR IT MC SM", 28: "AL AZ CY HU LB MA PL", 29: "UA", 31: "MT",
}  # fmt: skip


def nir_key(n13: str) -> str:
    """The 2-digit key of a social security number: 97 - (number modulo 97), with 2A read as 19 and 2B as 18.

    Source: décret n° 82-103 du 22 janvier 1982; INSEE, RNIPP.

    Args:
        n13: the 13 significant characters, upper case, without separators.

    Raises:
        UsageError: `nir-shape` when they are not 13 digits (or 2A, 2B at places 6 and 7).
    """
    cells = np.frombuffer(n13.encode(), np.uint8).reshape(1, -1)
    corsica = n13[5:7] in ("2A", "2B")
    digits = n13[:5] + n13[7:] if corsica else n13
    if len(n13) != 13 or not (digits.isascii() and digits.isdecimal()):
        raise UsageError(
            "nir-shape",
            asked="compute the key of a social security number",
            found=f"{len(n13)} characters of another shape",
            expected="13 digits, or 2A or 2B at places 6 and 7",
            todo="pass the 13 characters in their canonical spelling, without the key",
        )
    return f"{int(nir_keys(cells)[0]):02d}"


def vin_check(vin: str) -> str:
    """The check character of a vehicle identification number, place 9: weighted sum modulo 11, X for 10.

    Source: 49 CFR 565.15(c), tables III to VI.

    Args:
        vin: 17 characters, upper case; what stands at place 9 does not count.

    Raises:
        UsageError: `vin-shape` when they are not 17 digits or letters other than I, O and Q.
    """
    if len(vin) != 17 or any(mark not in _VIN_LETTERS and mark not in "0123456789" for mark in vin):
        raise UsageError(
            "vin-shape",
            asked="compute the check character of a vehicle identification number",
            found=f"{len(vin)} characters of another shape",
            expected="17 digits or upper-case letters other than I, O and Q",
            todo="pass the number in its canonical spelling",
        )
    return chr(int(vin_checks(np.frombuffer(vin.encode(), np.uint8).reshape(1, -1))[0]))


def nir_keys(cells: Octets) -> npt.NDArray[np.int64]:
    """Keys of n numbers of 13 bytes, already of the right shape: (n, 13) bytes to n integers 1..97."""
    digits = _digits(cells)
    for letter, value in _CORSICA.items():
        rows = cells[:, _CORSICA_PLACE] == letter
        digits[rows, _CORSICA_PLACE - 1], digits[rows, _CORSICA_PLACE] = 1, value
    keys: npt.NDArray[np.int64] = 97 - digits @ 10 ** np.arange(12, -1, -1, dtype=np.int64) % 97
    return keys


def nir_key_holds(cells: Octets) -> Mask:
    """Whether the two last of 15 bytes are the key of the 13 first: a key from 1 to 97 that makes the sum divisible."""
    first, last = eight_digits(cells, 0), eight_digits(cells, 7)
    number, key = first // _TEN * _MILLION + last // _HUNDRED, last % _HUNDRED
    holds: Mask = ((number + key) % _NIR_MODULUS == 0) & (key - _ONE < _NIR_MODULUS)
    corsica = np.flatnonzero(cells[:, _CORSICA_PLACE] >= ord("A"))
    if len(corsica):
        found = cells[corsica]
        holds[corsica] = nir_keys(found[:, :13]) == _digits(found[:, 13:]) @ np.array([10, 1])
    return holds


def eight_digits(cells: Octets, place: int) -> Words:
    """The number that eight bytes from a place on spell in digits, for all rows at once; of no meaning for others.

    Neighbours are joined two by two inside one 64-bit word: to pairs, to fours, to eight digits.
    """
    words = eight_bytes(cells, place)
    for mask, factor, shift in _JOINS:
        words &= mask
        words *= factor
        words >>= shift
    return words


def luhn_holds(cells: Octets) -> Mask:
    """Luhn's sum (ISO/IEC 7812-1, annex B): every second digit from the right doubled, digits summed, modulo 10."""
    digits = _digits(cells)
    doubled = digits[:, -2::-2] * 2
    digits[:, -2::-2] = doubled - 9 * (doubled > 9)
    holds: Mask = (digits.sum(axis=1) % 10 == 0) & _all_digits(cells)
    return holds


def mod_11_10_holds(cells: Octets) -> Mask:
    """ISO/IEC 7064 MOD 11,10: the German tax number (Steuer-ID), the Croatian OIB and others."""
    digits = _digits(cells)
    product = np.full(len(digits), 10, np.int64)
    for column in digits[:, :-1].T:
        total = (product + column) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    holds: Mask = ((product + digits[:, -1]) % 10 == 1) & _all_digits(cells)
    return holds


def mod_97_10_holds(cells: Octets) -> Mask:
    """ISO/IEC 7064 MOD 97-10 over the whole text, letters as 10 to 35: the rest is 1."""
    holds: Mask = _rest_97(cells) == 1
    return holds


def weighted_holds(
    cells: Octets, *, weights: Sequence[int], modulo: int, symbols: str | None, letters: Mapping[str, int]
) -> Mask:
    """A weighted sum modulo a number; see `curator.spec.model.WeightedSum`. True for values too short to hold it."""
    needed = len(weights) + (symbols is not None)
    if cells.shape[1] < needed:
        return np.ones(len(cells), np.bool_)
    worth = np.zeros(256, np.int64)
    worth[48:58], worth[65:91], worth[97:123] = range(10), range(10, 36), range(10, 36)
    worth[[ord(letter) for letter in letters if ord(letter) < 256]] = [
        value for letter, value in letters.items() if ord(letter) < 256
    ]
    rests = worth[cells[:, : len(weights)]] @ np.array(weights, np.int64) % modulo
    if symbols is None:
        none_left: Mask = rests == 0
        return none_left
    expected = np.array([ord(symbol) for symbol in symbols])
    holds: Mask = expected[rests] == cells[:, len(weights)]
    return holds


def siret_holds(cells: Octets) -> Mask:
    """Luhn's sum, or a digit sum multiple of 5 for the establishments of La Poste (INSEE, Sirene)."""
    poste = (cells[:, :9] == np.frombuffer(_LA_POSTE, np.uint8)).all(axis=1)
    exempt: Mask = poste & (_digits(cells).sum(axis=1) % 5 == 0)
    return exempt | luhn_holds(cells)


def iban_holds(cells: Octets) -> Mask:
    """ISO/IEC 7064 MOD 97-10: the four first characters moved to the end, letters as 10 to 35, the rest is 1.

    Also the length of the country, where it is known.
    """
    expected = _iban_lengths()[cells[:, 0], cells[:, 1]]
    rest = _rest_97(np.roll(cells, -4, axis=1))
    holds: Mask = (rest == 1) & ((expected == 0) | (expected == cells.shape[1]))
    return holds


def _rest_97(cells: Octets) -> npt.NDArray[np.int64]:
    """The rest modulo 97 of the number that the characters are end to end, letters as 10 to 35."""
    rest = np.zeros(len(cells), np.int64)
    for column in cells.T.astype(np.int64):
        letter = column >= ord("A")
        rest = np.where(letter, rest * 100 + column - 55, rest * 10 + column - 48) % 97
    return rest


def _all_digits(cells: Octets) -> Mask:
    holds: Mask = np.all((cells - np.uint8(48)) <= 9, axis=1)
    return holds


@cache
def _iban_lengths() -> npt.NDArray[np.int64]:
    """The length of each country's numbers by the two bytes of its code, 0 where it is not known."""
    table = np.zeros((256, 256), np.int64)
    for length, countries in _IBAN_COUNTRIES.items():
        for first, second in countries.encode().split():
            table[first, second] = length
    return table


def vin_checks(cells: Octets) -> Octets:
    """The check character of each of n numbers of 17 bytes."""
    checks: Octets = _VIN_CHECKS[_VIN_VALUES[cells] @ _VIN_WEIGHTS % 11]
    return checks


def vin_holds(cells: Octets) -> Mask:
    """Whether place 9 is the check character, where the country of the maker's code makes it mandatory."""
    mandatory = np.isin(cells[:, 0], np.frombuffer(b"12345L", np.uint8))
    holds: Mask = ~mandatory | (cells[:, 8] == vin_checks(cells))
    return holds


def date_holds(cells: Octets) -> Mask:
    """Whether YYYY-MM-DD is a day of the Gregorian calendar; months and days already from 01 to 12 and 31."""
    digits = _digits(cells)
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = digits[:, 5:7] @ np.array([10, 1]), digits[:, 8:] @ np.array([10, 1])
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month] + (leap & (month == 2))
    holds: Mask = (year > 0) & (day <= days)
    return holds


def _digits(cells: Octets) -> npt.NDArray[np.int64]:
    return cells.astype(np.int64) - 48

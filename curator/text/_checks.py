"""Check digits of one value at a time, on plain Python numbers; equal to those of `curator.identifiers` on columns."""

from __future__ import annotations

from datetime import date

from curator.identifiers import vin_check

# Lengths of the SWIFT registry of ISO 13616 for Europe and its neighbours.
IBAN_LENGTHS: dict[str, int] = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE LT LU XK", 21: "CH HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL", 24: "AD CZ DZ ES MD RO SA SE SK TN VG", 25: "PT",
        26: "IS TR", 27: "FR GR IT MC SM BJ", 28: "AL AZ CY HU LB MA PL SN CI CM", 29: "UA", 31: "MT",
    }.items()
    for country in countries.split()
}  # fmt: skip


def nir_holds(digits: str) -> bool:
    """Whether 13 characters have the shape of a social security number, and 15 its key (décret n° 82-103)."""
    if not (digits[:5].isdecimal() and digits[13:].isdecimal() == (len(digits) > 13)):
        return False
    month, department = int(digits[3:5]), digits[5:7]
    born = 1 <= month <= 12 or 20 <= month <= 42 or month >= 50 or digits[0] in "78"
    if not born or not (department in ("2A", "2B") or (department.isdecimal() and department != "00")):
        return False
    plain = digits[:5] + {"2A": "19", "2B": "18"}.get(department, department) + digits[7:13]
    if not plain.isdecimal():
        return False
    return len(digits) == 13 or int(digits[13:15]) == 97 - int(plain) % 97


def luhn_holds(digits: str) -> bool:
    """Luhn's sum (ISO/IEC 7812-1, annex B)."""
    doubled = sum(int(digit) * 2 - 9 * (digit > "4") for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def siret_holds(digits: str) -> bool:
    """Luhn's sum, or a digit sum multiple of 5 for La Poste (INSEE, Sirene)."""
    return luhn_holds(digits) or (digits.startswith("356000000") and sum(map(int, digits)) % 5 == 0)


def iban_holds(code: str) -> bool:
    """ISO/IEC 7064 MOD 97-10 and the length of the country."""
    if not code.isascii() or not code.isalnum() or IBAN_LENGTHS.get(code[:2], len(code)) != len(code):
        return False
    return int("".join(str(int(mark, 36)) for mark in code[4:] + code[:4])) % 97 == 1


def vin_holds(code: str) -> bool:
    """Whether place 9 is the check character, where the country of the maker makes it mandatory (49 CFR 565.15)."""
    return code[0] not in "12345L" or code[8] == vin_check(code)


def day_holds(day: int, month: int, *, year: int) -> bool:
    """Whether it is a day of the Gregorian calendar in a year that a text of today may name."""
    try:
        return bool(1850 <= year <= 2099 and date(year, month, day))
    except ValueError:
        return False

"""What every expression of the language means, as small tables: a text, typed inputs, the value of each row.

The same tables are run on each engine that the suite is given. Column names say their type: s, t text; n, m integer;
p, q decimal; x, y float; b, c boolean; d, e date; z timestamp.
"""

# ruff: noqa: E501 - a table reads by rows

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

COLUMNS = {
    **dict.fromkeys("st", "text"),
    **dict.fromkeys("nm", "integer"),
    **dict.fromkeys("pq", "decimal"),
    **dict.fromkeys("xy", "float"),
    **dict.fromkeys("bc", "boolean"),
    **dict.fromkeys("de", "date"),
    "z": "timestamp",
}


@dataclass(frozen=True)
class Behaviour:
    """One expression: its logical type, the columns it reads in order, and rows of (inputs..., value)."""

    text: str
    type: str
    columns: str
    rows: tuple[tuple[Any, ...], ...]


def of(text: str, type: str, columns: str, *rows: tuple[Any, ...]) -> Behaviour:
    return Behaviour(text, type, columns, rows)


NFC, NFD = "\u00c9t\u00e9", "E\u0301te\u0301"
QUOTES = "L'\"O\\N' ; -- $1 ${x} %s {0}"
POLICE = "\U0001f46e ok"
BIG = 9_007_199_254_740_993  # 2^53 + 1: the first whole number a double cannot hold
NAN, INF = float("nan"), float("inf")
D = date.fromisoformat
Z = datetime.fromisoformat

OPERATORS = (
    of("b and c", "boolean", "bc", (True, None, None), (False, None, False), (True, True, True), (None, None, None)),
    of("b or c", "boolean", "bc", (True, None, True), (False, None, None), (False, False, False), (None, True, True)),
    of("not b", "boolean", "b", (True, False), (False, True), (None, None)),
    of("not b or c", "boolean", "bc", (True, True, True), (True, False, False), (False, False, True)),
    of("not (b or c)", "boolean", "bc", (True, True, False), (False, False, True)),
    of("b or c and not b", "boolean", "bc", (True, False, True), (False, True, True), (False, False, False)),
    of("b is true", "boolean", "b", (True, True), (False, False), (None, False)),
    of("b is not false", "boolean", "b", (True, True), (False, False), (None, True)),
    of("s = t", "boolean", "st", ("a", "A", False), ("a", "a ", False), (NFC, NFC, True), (NFC, NFD, False),
       ("", None, None), ("", "", True)),
    of("s <> t", "boolean", "st", ("a", "b", True), ("a", "a", False), (None, "a", None)),
    of("s != 'é'", "boolean", "s", ("é", False), ("e", True)),
    of("s < t", "boolean", "st", ("Z", "a", True), ("a", "B", False), ("é", "z", False), ("a", "a ", True),
       ("a-c", "ab", True), ("\uffee", POLICE, True), (None, "a", None)),
    of("s >= 'e' ", "boolean", "s", ("é", True), ("E", False), ("f", True)),
    of("s between 'B' and 'b'", "boolean", "s", ("Z", True), ("A", False), ("b", True), ("ba", False), ("é", False)),
    of("n not between 1 and 3", "boolean", "n", (0, True), (1, False), (3, False), (4, True), (None, None)),
    of("n between m and m + 1", "boolean", "nm", (1, 1, True), (3, 1, False), (1, None, None)),
    of("n in (1, -2, 3)", "boolean", "n", (1, True), (-2, True), (2, False), (None, None)),
    of("s not in ('a', 'it''s')", "boolean", "s", ("a", False), ("it's", False), ("A", True), (None, None)),
    of("p in (1, 1.5)", "boolean", "p", (Decimal("1.0000"), True), (Decimal("1.5"), True), (Decimal("1.4"), False)),
    of("s is null", "boolean", "s", (None, True), ("", False)),
    of("s is not null", "boolean", "s", (None, False), ("null", True)),
    of("s is distinct from t", "boolean", "st", (None, None, False), (None, "", True), ("a", "a", False)),
    of("n is not distinct from m", "boolean", "nm", (None, None, True), (1, None, False), (1, 1, True)),
    of("d < e", "boolean", "de", (D("2020-01-01"), D("2020-01-02"), True), (D("1900-01-01"), D("1900-01-01"), False)),
    of("s || '-' || t", "text", "st", ("a", "b", "a-b"), ("a", None, None), ("", "", "-"), (QUOTES, "é", QUOTES + "-é")),
    of("n + m * 2", "integer", "nm", (1, 2, 5), (2_147_483_647, 1, 2_147_483_649), (None, 1, None)),
    of("n - m - 1", "integer", "nm", (5, 2, 2), (-5, -2, -4)),
    of("(n - (m - 1)) * -n", "integer", "nm", (5, 2, -20), (0, 1, 0)),
    of("- - n", "integer", "n", (5, 5), (-5, -5)),
    of("2147483647 + 1", "integer", "", (2_147_483_648,)),
    of("n * n", "integer", "n", (2_147_483_647, 4_611_686_014_132_420_609)),
    of("p + 1", "decimal", "p", (Decimal("1.25"), Decimal("2.25")), (None, None)),
    of("p * q", "decimal", "pq", (Decimal("1.5"), Decimal("-0.0001"), Decimal("-0.00015")),
       (Decimal("99999999999.9999"), Decimal("99999999999.9999"), Decimal("9999999999999980000000.00000001"))),
    of("p * q * p", "decimal", "pq", (Decimal("0.0001"), Decimal("0.0001"), Decimal("0.000000000001")),
       (Decimal("1000000.0001"), Decimal("1000000"), Decimal("1000000000200000000.01000000"))),
    of("p * n", "decimal", "pn", (Decimal("99999999999.9999"), 1000000, Decimal("99999999999999900.0000"))),
    of("p - q", "decimal", "pq", (Decimal("0.3"), Decimal("0.1"), Decimal("0.2"))),
    of("x + 0.1", "float", "x", (0.2, 0.2 + 0.1), (None, None)),
    of("x * n", "float", "xn", (0.5, 3, 1.5)),
    of("x = 0.1", "boolean", "x", (0.1, True), (0.2, False)),
    of("p = 0.1", "boolean", "p", (Decimal("0.1"), True)),
    of("x >= y", "boolean", "xy", (NAN, INF, True), (NAN, NAN, True), (1.0, NAN, False), (-INF, 0.0, False), (-0.0, 0.0, True)),
    of("x = y", "boolean", "xy", (NAN, NAN, True), (-0.0, 0.0, True), (INF, INF, True), (NAN, None, None)),
    of("greatest(x, y)", "float", "xy", (NAN, 1.0, NAN), (-INF, 1.0, 1.0)),
    of("x > n", "boolean", "xn", (2.5, 2, True), (2.0, 2, False)),
    of("'it''s'", "text", "", ("it's",)),
    of("'\\'", "text", "", ("\\",)),
    of("'\\'' or 1=1 --'", "text", "", ("\\' or 1=1 --",)),
    of("'${env:HOME} $1 :x {0} %s é 👮'", "text", "", ("${env:HOME} $1 :x {0} %s é 👮",)),
    of("true", "boolean", "", (True,)),
    of("0.50", "decimal", "", (Decimal("0.5"),)),
    of("n", "integer", "n", (7, 7), (None, None)),
)  # fmt: skip

CHOICES = (
    of("case when n > 0 then 'plus' when n < 0 then 'minus' end", "text", "n", (1, "plus"), (-1, "minus"), (0, None),
       (None, None)),
    of("case when b then null else 1 end", "integer", "b", (True, None), (False, 1), (None, 1)),
    of("case s when 'a' then 1 when 'b' then 2 else 0 end", "integer", "s", ("a", 1), ("b", 2), ("A", 0), (None, 0)),
    of("case when b then n else 0.5 end", "decimal", "bn", (True, 2, Decimal(2)), (False, 2, Decimal("0.5"))),
    of("case when b then n else x end", "float", "bnx", (True, 2, 0.5, 2.0), (False, 2, 0.5, 0.5)),
    of("case when n = 1 then case when b then 1 else 2 end else 3 end + 1", "integer", "nb", (1, True, 2), (1, None, 3),
       (2, True, 4)),
    of("coalesce(s, t, '?')", "text", "st", (None, None, "?"), (None, "t", "t"), ("", "t", "")),
    of("coalesce(null, n, 0)", "integer", "n", (None, 0), (4, 4)),
    of("coalesce(x, 0)", "float", "x", (None, 0.0), (4.5, 4.5)),
    of("nullif(s, '')", "text", "s", ("", None), (" ", " "), (None, None)),
    of("nullif(n, 99)", "integer", "n", (99, None), (1, 1)),
    of("nullif(x, 0)", "float", "x", (0.0, None), (-0.5, -0.5)),
    of("greatest(n, m)", "integer", "nm", (1, 2, 2), (None, 2, 2), (1, None, 1), (None, None, None)),
    of("least(d, e)", "date", "de", (D("2020-01-02"), D("2020-01-01"), D("2020-01-01")),
       (None, D("2020-01-01"), D("2020-01-01"))),
    of("greatest(n, 0.5)", "decimal", "n", (0, Decimal("0.5")), (1, Decimal(1))),
    of("least(x, n)", "float", "xn", (1.5, 2, 1.5), (2.5, 2, 2.0)),
)  # fmt: skip

TEXTS = (
    of("length(s)", "integer", "s", (NFC, 3), (NFD, 5), ("", 0), (POLICE, 4), (None, None), ("a\n", 2)),
    of("lower(s)", "text", "s", ("ÀÉÎÕÜŸÇŒÆ I", "àéîõüÿçœæ i"), ("", ""), (None, None),
       ("STRAẞE", "straße"), ("İSTANBUL", "istanbul"), ("ΟΔΟΣ", "οδοσ"), ("οδός", "οδός")),
    of("upper(s)", "text", "s", ("àéîõüÿçœæ i", "ÀÉÎÕÜŸÇŒÆ I"), (None, None), ("Straße", "STRAẞE"), ("ısı", "ISI"),
       ("οδός", "ΟΔΌΣ")),
    of("lower(s) < upper(t) and lower(s) || upper(t) <> t", "boolean", "st", ("A", "é", True), ("É", "e", False)),
    of("trim(s)", "text", "s", ("  a b  ", "a b"), ("\u00a0a\u202f", "a"), ("\t\r\na\n", "a"), ("\u2003a", "\u2003a"),
       ("", ""), (" ", ""), (None, None)),
    of("substr(s, 1, 2)", "text", "s", ("75056", "75"), ("é👮x", "é👮"), ("a", "a"), ("", ""), (None, None)),
    of("substr(s, 3, 100)", "text", "s", ("75056", "056"), ("ab", "")),
    of("substr(s, 2, 0)", "text", "s", ("abc", "")),
    of("replace(s, '-', '')", "text", "s", ("AB-12-C", "AB12C"), ("--", ""), ("", ""), (None, None)),
    of("replace(s, '''', '\\')", "text", "s", ("d'A'", "d\\A\\")),
    of("replace(s, '.', '$1')", "text", "s", ("a.b", "a$1b"), ("ab", "ab")),
    of("lpad(s, 3, '0')", "text", "s", ("5", "005"), ("", "000"), ("1234", "123"), ("é", "00é"), (None, None)),
    of("starts_with(s, '2A')", "boolean", "s", ("2A004", True), ("2a004", False), ("2", False), ("", False), (None, None)),
    of("starts_with(s, '%_')", "boolean", "s", ("%_a", True), ("xya", False)),
    of("starts_with(s, '')", "boolean", "s", ("", True), ("a", True), (None, None)),
    of("contains(s, 'é')", "boolean", "s", (NFC, True), (NFD, False), ("e", False), (None, None)),
    of("contains(s, '')", "boolean", "s", ("", True), ("a", True), (None, None)),
    of("to_text(n)", "text", "n", (0, "0"), (-7, "-7"), (BIG, str(BIG)), (None, None)),
    of("to_int(s)", "integer", "s", ("12", 12), ("-3", -3), ("007", 7), ("12\n", None), (" 12", None), ("", None),
       ("1e3", None), ("0x1F", None), ("+1", None), ("3.0", None), ("١٢", None), ("-", None), ("999999999999999999", 10**18 - 1),
       ("1234567890123456789", None), (None, None)),
    of("to_float(s)", "float", "s", ("48.8566", 48.8566), ("-0.1", -0.1), ("12", 12.0), (".5", None), ("5.", None),
       ("1e3", None), ("nan", None), ("inf", None), ("1,5", None), ("1.5\n", None), ("", None), (None, None)),
    of("in_share(s, 'sample-2', 0.5)", "boolean", "s", ("201300000001", True), ("é", False), ("", False), (None, None)),
    of("in_share(s, 'x', 0)", "boolean", "s", ("a", False), (None, None)),
    of("in_share(s, 'x', 1)", "boolean", "s", ("a", True), ("b", True), (None, None)),
)  # fmt: skip

PATTERNS = (
    of("matches(s, '[0-9]+')", "boolean", "s", ("12", True), ("12\n", False), ("\n12", False), ("1a", False), ("", False),
       ("١", False), (None, None)),
    of("matches(s, 'a|b')", "boolean", "s", ("a", True), ("b", True), ("ab", False)),
    of("matches(s, '^a(b|c)?$')", "boolean", "s", ("a", True), ("ac", True), ("abc", False), ("a\n", False)),
    of("matches(s, '.')", "boolean", "s", ("a", True), ("é", True), ("👮", True), ("\n", False), ("\r", True),
       ("\u2028", True), ("ab", False), ("", False)),
    of("matches(s, '[^a]')", "boolean", "s", ("b", True), ("\n", True), ("a", False)),
    of("matches(s, '[À-ÿ]+')", "boolean", "s", ("éà", True), ("e", False), ("ÿ", True)),
    of("matches(s, '[a-z&~^.$-]+')", "boolean", "s", ("a&b", True), ("^", True), (".$-~", True), ("A", False)),
    of("matches(s, '[\\]\\\\[a]+')".replace("[a]", "a]"), "boolean", "s", ("]\\a", True), ("[", False)),
    of("matches(s, '\\.\\*\\$\\(\\)')", "boolean", "s", (".*$()", True), ("a", False)),
    of("matches(s, 'x{2,3}y{2}z{1,}')", "boolean", "s", ("xxyyz", True), ("xxxyyzz", True), ("xyyz", False), ("xxyyyz", False)),
    of("matches(s, 'it''s')", "boolean", "s", ("it's", True), ("its", False)),
    of("matches(s, '(INCONNU|N/?A|)?')".replace("|)", ")"), "boolean", "s", ("", True), ("NA", True), ("N/A", True), ("x", False)),
    of("finds(s, 'RN[0-9]')", "boolean", "s", ("sur RN20", True), ("rn2", False), ("a\nRN2\nb", True), ("", False), (None, None)),
    of("finds(s, '^a')", "boolean", "s", ("ab", True), ("ba", False), ("b\na", False)),
    of("finds(s, 'a$')", "boolean", "s", ("ba", True), ("a\n", False), ("a\nb", False)),
    of("finds(s, '***')".replace("***", "\\*\\*\\*=x"), "boolean", "s", ("***=x", True), ("x", False)),
    of("remove(s, '[^0-9]')", "text", "s", ("1 85-05.78", "1850578"), ("é", ""), ("", ""), (None, None)),
    of("remove(s, ' +$')", "text", "s", ("a b  ", "a b"), ("a \n", "a \n")),
    of("remove(s, 'a?b')", "text", "s", ("abxbab", "x")),
    of("extract_text(s, '[0-9]{2,3}')", "text", "s", ("a12345", "123"), ("a1", None), ("", None), (None, None)),
    of("extract_text(s, 'a?[ab]c?')", "text", "s", ("xabcd", "abc"), ("bc", "bc"), ("ac", "ac")),
    of("extract_text(s, 'a*')", "text", "s", ("aab", "aa"), ("b", None)),
    of("extract_text(s, '^[A-Z]+')", "text", "s", ("ABc", "AB"), ("aAB", None)),
)  # fmt: skip

NUMBERS = (
    of("abs(n)", "integer", "n", (-5, 5), (5, 5), (None, None)),
    of("abs(x)", "float", "x", (-0.5, 0.5)),
    of("abs(p)", "decimal", "p", (Decimal("-1.25"), Decimal("1.25"))),
    of("floor(x)", "integer", "x", (2.7, 2), (-2.5, -3), (-0.0, 0), (1e300, None), (float("inf"), None),
       (float("-inf"), None), (float("nan"), None), (None, None)),
    of("floor(p)", "integer", "p", (Decimal("-0.0001"), -1), (Decimal("3"), 3)),
    of("floor(n)", "integer", "n", (BIG, BIG)),
    of("band(n, 5)", "integer", "n", (37, 35), (35, 35), (-1, -5), (-5, -5), (0, 0), (BIG, BIG - BIG % 5), (None, None)),
    of("band(x, 10)", "integer", "x", (37.9, 30), (-0.1, -10), (float("nan"), None), (1e17, None), (None, None)),
    of("band(p, 2)", "integer", "p", (Decimal("3.9999"), 2), (Decimal("-0.5"), -2),
       (Decimal("99999999999999.9999"), 99_999_999_999_998)),
    of("ratio(n, m)", "float", "nm", (1, 4, 0.25), (1, 3, 1 / 3), (1, 0, None), (0, 5, 0.0), (None, 1, None), (-1, 4, -0.25)),
    of("ratio(x, y)", "float", "xy", (1.5, 0.5, 3.0), (1.0, 0.0, None), (1.0, -0.0, None)),
    of("ratio(p, 100)", "float", "p", (Decimal("12.5"), 0.125)),
    of("whole_div(n, m)", "integer", "nm", (7, 2, 3), (-7, 2, -3), (7, -2, -3), (7, 0, None), (None, 2, None), (BIG, 1, BIG)),
    of("mod(n, m)", "integer", "nm", (7, 2, 1), (-7, 2, -1), (7, -2, 1), (7, 0, None), (7, None, None)),
    of("mod(n, 2) = 0 and n > 1", "boolean", "n", (4, True), (3, False), (0, False)),
)  # fmt: skip

DATES = (
    of("parse_date(s, '%d/%m/%Y')", "date", "s", ("29/02/2012", D("2012-02-29")), ("29/02/1900", None),
       ("29/02/2000", D("2000-02-29")), ("31/04/2020", None), ("31/12/2020", D("2020-12-31")), ("1/2/2020", None),
       ("01/02/2020 ", None), ("01/02/2020\n", None), ("12/31/2020", None), ("00/01/2020", None), ("01/00/2020", None),
       ("01/01/0000", None), ("01/01/1582", None), ("01/01/1583", D("1583-01-01")), ("31/12/9999", D("9999-12-31")),
       ("01-02-2020", None), ("٠١/٠٢/2020", None), ("", None), (None, None)),
    of("parse_date(s, '%Y%m%d')", "date", "s", ("20130219", D("2013-02-19")), ("2013021", None), ("20130229", None)),
    of("parse_date(s, '%Y-%m-%d')", "date", "s", ("2013-02-19", D("2013-02-19")), ("2013-2-19", None), ("2100-02-29", None)),
    of("parse_date(s, '%m.%d.%Y')", "date", "s", ("02.19.2013", D("2013-02-19")), ("02x19x2013", None)),
    of("parse_date(s, '%d %m_%Y')", "date", "s", ("19 02_2013", D("2013-02-19"))),
    of("minutes_of_day(s, 'HMM')", "integer", "s", ("5", 5), ("0", 0), ("59", 59), ("60", None), ("830", 510), ("0830", 510),
       ("1745", 1065), ("2359", 1439), ("2400", 1440), ("2401", None), ("2500", None), ("960", None), ("", None),
       ("12345", None), ("8:30", None), ("830\n", None), (None, None)),
    of("minutes_of_day(s, 'HHMM')", "integer", "s", ("0830", 510), ("830", None), ("2400", 1440), ("0000", 0)),
    of("minutes_of_day(s, 'H:MM')", "integer", "s", ("8:30", 510), ("08:30", 510), ("24:00", 1440), ("25:00", None),
       ("8:60", None), ("23:59", 1439), ("23:59:60", None), ("0830", None)),
    of("year(d)", "integer", "d", (D("2013-02-19"), 2013), (D("1900-01-01"), 1900), (None, None)),
    of("month(z)", "integer", "z", (Z("2013-12-31 23:59:59"), 12)),
    of("day(d)", "integer", "d", (D("2012-02-29"), 29)),
    of("hour(z)", "integer", "z", (Z("2013-02-19 17:15:59"), 17), (Z("2013-02-19 00:00:00"), 0), (None, None)),
    of("minute(z)", "integer", "z", (Z("2013-02-19 17:15:59"), 15)),
    of("weekday(d)", "integer", "d", (D("2024-01-01"), 1), (D("2024-01-07"), 7), (D("1899-12-31"), 7), (None, None)),
    of("weekday(z)", "integer", "z", (Z("2024-01-06 23:00:00"), 6)),
    of("month_start(d)", "date", "d", (D("2012-02-29"), D("2012-02-01")), (None, None)),
    of("year_start(z)", "date", "z", (Z("2012-02-29 23:00:00"), D("2012-01-01"))),
    of("date_of(z)", "date", "z", (Z("2013-02-19 23:59:59"), D("2013-02-19")), (None, None)),
    of("timestamp_of(d, n)", "timestamp", "dn", (D("2013-02-19"), 1035, Z("2013-02-19 17:15:00")),
       (D("2013-12-31"), 1440, Z("2014-01-01 00:00:00")), (D("2013-12-31"), 1441, None), (D("2013-12-31"), -1, None),
       (None, 1, None), (D("2013-12-31"), None, None), (D("9999-12-31"), 1439, Z("9999-12-31 23:59:00")),
       (D("9999-12-31"), 1440, None), (D("0001-01-01"), 0, Z("0001-01-01 00:00:00"))),
    of("days_between(d, e)", "integer", "de", (D("2012-02-28"), D("2012-03-01"), 2), (D("2013-01-01"), D("2012-01-01"), -366),
       (None, D("2012-01-01"), None)),
    of("add_days(d, n)", "date", "dn", (D("2012-02-28"), 1, D("2012-02-29")), (D("2012-03-01"), -366, D("2011-03-01")),
       (D("2012-03-01"), 10**12, None), (D("2012-03-01"), None, None), (None, 1, None), (D("9999-12-31"), 0, D("9999-12-31")),
       (D("9999-12-31"), 1, None), (D("9999-12-30"), 1, D("9999-12-31")), (D("0001-01-01"), -1, None),
       (D("0001-01-02"), -1, D("0001-01-01")), (D("2012-03-01"), 1_000_000, D("4750-01-27")),
       (D("2012-03-01"), -1_000_000, None), (D("9000-01-01"), 1_000_000, None)),
    of("year(add_days(d, n))", "integer", "dn", (D("9999-12-31"), 1, None), (D("9999-12-30"), 1, 9999)),
    of("age_years(d, e)", "integer", "de", (D("1980-05-17"), D("2013-05-16"), 32), (D("1980-05-17"), D("2013-05-17"), 33),
       (D("2004-02-29"), D("2005-02-28"), 0), (D("2004-02-29"), D("2005-03-01"), 1), (D("2004-02-29"), D("2008-02-29"), 4),
       (D("2020-06-01"), D("2020-01-01"), -1), (D("2020-06-01"), D("2020-06-01"), 0), (D("1909-01-01"), D("2013-06-01"), 104),
       (None, D("2013-01-01"), None)),
    of("local_time(z, 'Europe/Paris')", "timestamp", "z", (Z("2013-07-01 00:00:00"), Z("2013-07-01 02:00:00")),
       (Z("2013-03-31 00:59:59"), Z("2013-03-31 01:59:59")), (Z("2013-03-31 01:00:00"), Z("2013-03-31 03:00:00")),
       (Z("2013-10-27 00:30:00"), Z("2013-10-27 02:30:00")), (Z("2013-10-27 01:30:00"), Z("2013-10-27 02:30:00")), (None, None),
       (Z("9999-12-31 22:59:59"), Z("9999-12-31 23:59:59")), (Z("9999-12-31 23:00:00"), None)),
    of("local_time(z, 'America/New_York')", "timestamp", "z", (Z("0001-01-01 00:00:00"), None),
       (Z("9999-12-31 23:59:59"), Z("9999-12-31 18:59:59"))),
    of("local_time(z, 'UTC')", "timestamp", "z", (Z("2013-07-01 00:00:00"), Z("2013-07-01 00:00:00"))),
)  # fmt: skip

WHOLE = (  # nested, as a spec of road accidents writes them
    of("timestamp_of(parse_date(to_text(n + 2000) || lpad(s, 4, '0'), '%Y%m%d'), minutes_of_day(t, 'HMM'))", "timestamp", "nst",
       (13, "219", "1715", Z("2013-02-19 17:15:00")), (13, "0322", "5", Z("2013-03-22 00:05:00")), (13, "0230", "5", None)),
    of("case when starts_with(s, '97') then substr(s, 1, 3) else substr(s, 1, 2) end", "text", "s", ("75056", "75"),
       ("97411", "974"), ("2A004", "2A")),
    of("case when age_years(d, date_of(z)) between 0 and 120 then band(age_years(d, date_of(z)), 10) end", "integer", "dz",
       (D("1980-05-17"), Z("2013-05-17 00:00:00"), 30), (D("1780-05-17"), Z("2013-05-17 00:00:00"), None)),
    of("coalesce(to_int(nullif(trim(s), '')), -1) >= 0 and not (b is true or n is null)", "boolean", "sbn",
       (" 7 ", None, 1, True), ("", False, 1, False), ("7", True, 1, False), ("7", False, None, False)),
    of("nullif(ratio(to_int(s), 100000), 0)", "float", "s", ("0290046", 2.90046), ("00000", None), ("", None)),
    of("upper(remove(s, '[ .-]')) || case when b then '!' else '' end", "text", "sb", ("ab-123 cd", True, "AB123CD!")),
)  # fmt: skip

TABLE: tuple[Behaviour, ...] = (*OPERATORS, *CHOICES, *TEXTS, *PATTERNS, *NUMBERS, *DATES, *WHOLE)

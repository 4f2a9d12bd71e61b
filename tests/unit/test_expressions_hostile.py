"""Hostile texts: none may become an expression, and none may end in anything but the refusal of the language."""

# ruff: noqa: E501 - a corpus reads by lines

from __future__ import annotations

import pytest

from curator.expressions import ENGINES, ExpressionRefused, parse

COLUMNS = {"s": "text", "t": "text", "n": "integer", "b": "boolean", "d": "date", "z": "timestamp"}

STATEMENTS = """
n; drop table people
n = 1; select 1
select 1
(select 1)
(select max(n) from people)
n = (select 1)
n in (select n from people)
n in (table people)
exists (select 1)
n = any (select 1)
n = all (select 1)
n union select 1
n union all select 1
n except select 1
n intersect select 1
(values (1))
with a as (select 1) select * from a
from people
n from people
n as m
n limit 1
n order by n
n group by n
b where b
b having b
copy people to 'x.csv'
attach 'x.db'
install httpfs
pragma database_list
set threads = 1
call pragma_version()
explain n
begin
create table x(a int)
insert into people values (1)
delete from people
update people set n = 1
"""

OUTSIDE = """
read_csv('/etc/passwd')
read_text('/etc/passwd')
read_parquet('s3://a/b')
glob('*')
getenv('HOME')
current_setting('home_directory')
pg_read_file('/etc/passwd')
pg_sleep(10)
version()
current_user
session_user
current_database()
nextval('s')
random()
uuid()
gen_random_uuid()
now()
current_timestamp
java_method('java.lang.Runtime', 'getRuntime')
reflect('java.lang.System', 'exit', '0')
input_file_name()
query('select 1')
eval('1')
hash(n)
md5(s)
error('x')
"""

FORMS = """
"s" = 'a'
`s` = 'a'
[s] = 'a'
people.s = 'a'
main.people.s = 'a'
people.*
*
count(*)
count(n)
sum(n)
max(n)
sum(n) over ()
row_number() over (order by n)
sum(n) filter (where b)
length(distinct s)
length(s order by s)
length(text => s)
length(text := s)
length(all s)
n::text
n::text::integer
cast(n as text)
cast(s as integer)
try_cast(s as integer)
date '2020-01-01'
timestamp '2020-01-01'
interval '1 day'
interval 1 day
d + interval 1 day
z at time zone 'UTC'
extract(year from d)
position('a' in s)
substring(s from 1 for 2)
trim(both 'a' from s)
overlay(s placing 'a' from 1)
s collate "C" = 'a'
s like 'a%'
s ilike 'a%'
s similar to 'a'
s glob 'a*'
s ~ 'a'
s !~ 'a'
s ~~ 'a'
s rlike 'a'
s regexp 'a'
n isnull
n notnull
n is not unknown
E'a\\'b'
e'a'
x'41'
X'41'
b'01'
n'abc'
U&'\\0041'
$$a$$
$tag$a$tag$
r'abc'
'a' 'b'
:name
:1
?
?1
$1
$name
@name
@@version
%s
%(name)s
{fn length(s)}
{d '2020-01-01'}
{n}
{{n}}
${n}
#n
n[1]
n[1:2]
[1, 2]
array[1, 2]
{'a': 1}
struct_pack(a := 1)
row(1, 2)
(1, 2)
(n, n) = (1, 2)
n in ()
()
map {'a': 1}
x -> x + 1
lambda x: x + 1
list_transform([1], x -> x)
s -> 'a'
s ->> 'a'
s #> 'a'
n & 1
n | 1
n << 1
n >> 1
~n
n ^ 2
n ** 2
n!
@n
|/ n
n // 2
n / 2
n % 2
n div 2
n <=> 1
n = = 1
n =! 1
n < > 1
n ? 1
b && b
b || b
b xor b
!b
if(b, 1, 2)
iff(b, 1, 2)
b ? 1 : 2
default
exclude
n between symmetric 1 and 2
case
end
case when b then 1 end end
and
b and
b and and b
not
in
n not
n is
n is not
n is not distinct
n,
,n
n n
n 1
1 n
1n
1_000
1e5
1.
.5
1.5.5
0x1F
0b1
1.e5
1e-5
++n
+n
n + + n
n -- n
n - -- n
--n
n = 1 --
n /* x */ = 1
/*+ hint */ n = 1
n = 1 /*
n = 1 # x
'
'a
'a''
a'
''''a
s = 'a\\' or 1=1 --'
b or 1
b or '1'
coalesce()
length(
length)
length(s
length(s))
length(s,)
length(,s)
length((s)
length(*)
matches(s, '(a+)+$')
matches(s, '(?=a)')
matches(s, '(a|a)*b')
matches(s, '([a-z]+)*')
matches(s, '\\d+')
matches(s, '(a)\\1')
matches(s, '(?i)a')
matches(s, '\\Qa\\E')
matches(s, '***=a')
matches(s, '[[:alpha:]]')
matches(s, s)
matches(s, null)
local_time(z, 'UTC''; drop table x --')
local_time(z, 'posixrules')
parse_date(s, '%Y-%m-%d''')
parse_date(s, '%H%M')
parse_date(s, '')
band(n, 0)
in_share(s, 'a', 1.5)
in_share(s, null, 0.5)
"""

INVISIBLE = [
    "n\x00= 1", "n = 1\x00", "s = '\x00'", "n =\t1", "n =\n1", "n =\r1", "n =\x0b1", "n =\x0c1", "n =\x1b1", "n =\x7f1", "n =\x851",
    "n =\u00a01", "n =\u20281", "n =\u20291", "n =\u202f1", "n =\u30001", "n =\u200b1", "n =\u2003 1", "s = '\u202eabc'", "s = 'a\u2066b'",
    "n\ufeff = 1", "\ufeffn = 1", "s = '\u00ad'", "s = '\ud800'", "s = '\udfff'", "s = '\ufffe'", "s = '\U000e0041'", "s = 'a\u200db'",
    "ｎ = 1", "n ＝ 1", "n = １", "n = ١", "s = ‘a’", "s = “a”", "ｎ；1", "п = 1", "n = 1；", "s ǁ t", "n = 1\u037e",
    "\u212a = 1", "b aＮd b", "n ≠ 1", "n ≤ 1", "¬b",
]  # fmt: skip

HOSTILE = [
    line for block in (STATEMENTS, OUTSIDE, FORMS) for line in block.replace("\\\\", "\\").splitlines() if line
] + INVISIBLE


def test_the_corpus_is_large_and_has_no_double() -> None:
    assert len(HOSTILE) >= 250
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_is_refused_in_our_own_words(text: str) -> None:
    with pytest.raises(ExpressionRefused) as caught:
        parse(text, COLUMNS)
    fault = caught.value
    assert 0 <= fault.offset <= len(text)
    assert f"character {fault.offset + 1}" in fault.found
    words = str(fault).lower()
    assert [word for word in ("traceback", "sqlglot", "token", "_parser", "keyerror", "none") if word in words] == []
    assert all(character.isprintable() or character == "\n" for character in str(fault))


@pytest.mark.parametrize(
    "payload",
    [
        "'", "''", "\\", "\\'", "\\\\'", "' OR 1=1 --", "'; DROP TABLE x; --", "\\'; DROP TABLE x; --", "$$", "$1", "${env:HOME}",
        "{fn x}", "%s", "/*", "*/", "--", "`", '"', "E'", "\\u0027", "\\x27", "\\047", "é👮", "@x", ":x", "?", "$tag$", "#", ";",
    ],
)  # fmt: skip
def test_a_text_literal_stays_one_literal_on_every_engine(payload: str) -> None:
    """Read the printed literal back by the lexical rules of each engine: it gives the payload and nothing after it."""
    expression = parse("s = '" + payload.replace("'", "''") + "'", COLUMNS)
    for engine in ENGINES:
        printed = expression.sql(engine)
        head = "(`s` = " if engine == "spark" else '("s" = '
        assert printed.startswith(head)
        value, rest = read_literal(printed[len(head) :], engine)
        assert (value, rest) == (payload, ")")


def read_literal(sql: str, engine: str) -> tuple[str, str]:
    """A small reader of literals, written from the manuals of the engines and apart from the printer."""
    escapes = engine == "spark" or sql.startswith("E")
    position = sql.index("'") + 1
    value = ""
    while True:
        sign = sql[position]
        if sign == "\\" and escapes:
            if sql[position + 1] == "u":
                value += chr(int(sql[position + 2 : position + 6], 16))
                position += 6
                continue
            value += sql[position + 1]
            position += 2
        elif sign == "'" and sql[position + 1 : position + 2] == "'" and engine != "spark":
            value += "'"
            position += 2
        elif sign == "'":
            return value, sql[position + 1 :]
        else:
            assert not (engine == "spark" and sign == "$"), "Spark would substitute a variable here"
            value += sign
            position += 1

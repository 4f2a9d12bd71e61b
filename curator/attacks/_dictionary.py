"""The dictionary attack: try every public transform of identifiers that could be, and look for what comes out.

A hash without a key is a number for everybody: whoever can list all plates can list their hashes (ENISA,
"Pseudonymisation techniques and best practices", 2019, 4.1 and 5.2). The attack knows no key, and tries, on identifiers
that are drawn from their space or known to it, every digest of `DIGESTS` on every usual spelling, alone and with every
word that stands in the package as a salt, and compares with each column, whether bytes, hexadecimal, base32, base64,
UUIDs or whole numbers. Digests cut short are found by their first 8 bytes, or by as many half bytes as were kept, down
to 4 bytes; numbers also by what remains of a digest modulo a power of ten. Where little was kept some meet by chance:
only more than chance explains counts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import distinct, first_words, integers, without_chunks
from curator.attacks._spellings import spellings
from curator.identifiers import FORMS, canonical

Prefixes = npt.NDArray[np.uint64]

_DNS = uuid.NAMESPACE_DNS.bytes


def _uuid(digest: bytes, *, version: int) -> bytes:
    """The UUID named by a digest (RFC 9562, 5.3 and 5.5); `uuid.UUID` takes four times as long."""
    made = bytearray(digest[:16])
    made[6], made[8] = made[6] & 0x0F | version << 4, made[8] & 0x3F | 0x80
    return bytes(made)


DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "sha224": lambda data: hashlib.sha224(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sha384": lambda data: hashlib.sha384(data).digest(),
    "sha512": lambda data: hashlib.sha512(data).digest(),
    "sha3-256": lambda data: hashlib.sha3_256(data).digest(),
    "blake2b": lambda data: hashlib.blake2b(data).digest(),
    "blake2b-128": lambda data: hashlib.blake2b(data, digest_size=16).digest(),
    "blake2b-256": lambda data: hashlib.blake2b(data, digest_size=32).digest(),
    "blake2s": lambda data: hashlib.blake2s(data).digest(),
    "sha256 twice": lambda data: hashlib.sha256(hashlib.sha256(data).digest()).digest(),
    "md5 of hex md5": lambda data: hashlib.md5(
        hashlib.md5(data, usedforsecurity=False).hexdigest().encode(), usedforsecurity=False
    ).digest(),
    "uuid3": lambda data: _uuid(hashlib.md5(_DNS + data, usedforsecurity=False).digest(), version=3),
    "uuid5": lambda data: _uuid(hashlib.sha1(_DNS + data, usedforsecurity=False).digest(), version=5),
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "none": lambda data: data,
}
"""Public transforms: each turns a spelling into bytes that whoever knows the identifier can make too."""

SAMPLE = 40_000
_SALTED = 2_000  # spellings tried with each salt, where nobody chose them
_FIRST = 64  # identifiers of which every spelling comes first
_HEX = r"^(?:0x)?[0-9a-fA-F]{8,128}$"
_GROUPED = r"^\{?[0-9a-fA-F]{2,8}(?:[-: ][0-9a-fA-F]{2,12}){1,63}\}?$"  # UUIDs, colons
_BASE32 = r"^[A-Z2-7]{13,104}={0,6}$"
_BASE64 = r"^[A-Za-z0-9+/_-]{11,88}={0,2}$"
_MOSTLY = 0.9
_NUMBERS = (4, 18)  # decimal digits of numbers that could be what remains of a digest
_REMAINDERS = ("md5", "sha1", "sha256")
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))  # of HMAC: RFC 2104, 2
_CHANCE = 5.0  # standard deviations of hits by chance
_SIEVE = (16, 24)  # bits of the sieve's slots: from 64 thousand to 16 million


def prefixes(column: pa.Array | pa.ChunkedArray) -> Prefixes:
    """First 8 bytes of each distinct value, ascending, where the values look like digests; empty where they do not.

    Bytes count as they are, texts by what they spell in hexadecimal, base32 or base64, numbers beyond 2^31 by what they
    are in binary, either end first; shorter values end in zeros.
    """
    kind = column.type
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width >= 8:
        return distinct(first_words(without_chunks(column.drop_null())))
    values = pc.unique(column).drop_null()
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return distinct(_prefixes(values.to_pylist()))
    if pa.types.is_integer(kind):
        return _of_numbers(values)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)) or not len(values):
        return np.empty(0, np.uint64)
    return _of_texts(values.to_pylist())


def _of_texts(texts: Sequence[str]) -> Prefixes:
    for shape, read in ((_HEX, _unhex), (_GROUPED, _unhex), (_BASE32, _unbase32), (_BASE64, _unbase)):
        fitting = [text for text in texts if re.match(shape, text)]
        if len(fitting) >= _MOSTLY * len(texts):
            return distinct(_prefixes(value for value in map(read, fitting) if value))
    return np.empty(0, np.uint64)


def _of_numbers(values: pa.Array) -> Prefixes:
    """Whole numbers as the first bits of a digest: as many half bytes as the greatest has, and eight bytes turned."""
    words = integers(pc.cast(values, pa.uint64() if values.type == pa.uint64() else pa.int64())).view(np.uint64)
    highest = int(words.max(initial=0))
    if highest < 1 << 31:
        return np.empty(0, np.uint64)
    nibbles = -(-highest.bit_length() // 4)
    turned = words.byteswap() if nibbles > 12 else words[:0]
    return distinct(np.concatenate([words << np.uint64(64 - 4 * nibbles), turned]))


def dictionary_hits(
    columns: Mapping[str, Prefixes],
    identifiers: Iterable[str],
    *,
    salts: Sequence[str] = (),
    salted: Sequence[str] | None = None,
) -> dict[str, dict[str, int]]:
    """Column -> transform -> distinct values that a public transform of some identifier gives.

    Args:
        columns: name -> prefixes of its values.
        identifiers: candidates, in any spelling.
        salts: words that an attacker would try as salts, such as names in the package.
        salted: spellings tried with them; the first candidates when None.
    """
    candidates = _candidates(identifiers)
    masks = {column: _kept(values) for column, values in columns.items() if len(values)}
    passes = _sieve([columns[column] for column, (_, bits) in masks.items() if bits == 64])
    found: dict[str, dict[str, int]] = {}
    few = candidates[:_SALTED] if salted is None else salted
    for name, made in _made(candidates, salts, few=few):
        whole = distinct(passes(made))
        for column, (mask, bits) in masks.items():
            tried = whole if bits == 64 else distinct(made & mask)
            hits = _met(tried, columns[column])
            if not hits:
                continue
            tries = len(distinct(made)) if bits == 64 else len(tried)
            if hits > _by_chance(tries * len(columns[column]), values=2.0**bits):
                found.setdefault(column, {})[name] = hits
    return found


def _sieve(lists: Sequence[Prefixes]) -> Callable[[Prefixes], Prefixes]:
    """What leaves out of some prefixes nearly all that stand in none of the lists, and none that stands in one."""
    bits = min(max((16 * sum(map(len, lists))).bit_length(), _SIEVE[0]), _SIEVE[1])
    shift, taken = np.uint64(64 - bits), np.zeros(1 << bits, np.bool_)
    for values in lists:
        taken[values >> shift] = True
    return lambda made: made[taken[made >> shift]]


def _candidates(identifiers: Iterable[str]) -> list[str]:
    """Every spelling: all of the first identifiers, which are planted ones; then each as given, then other forms.

    Only the first candidates are tried with salts.
    """
    forms = [spellings(text) for text in identifiers]
    first = [way for some in forms[:_FIRST] for way in some]
    rest = [way for ways in zip_longest(*forms[_FIRST:]) for way in ways if way is not None]
    return list(dict.fromkeys([*first, *rest]))


def remainder_hits(columns: Mapping[str, pa.ChunkedArray], identifiers: Iterable[str]) -> dict[str, dict[str, int]]:
    """As `dictionary_hits`, of columns of whole numbers: what remains of a digest modulo a power of ten.

    Args:
        columns: name -> values; those that are no whole numbers, or of fewer than four decimal digits, are left out.
        identifiers: candidates, in any spelling.
    """
    numbers = {name: _decimals(column) for name, column in columns.items()}
    wide = {name: values for name, values in numbers.items() if values and len(str(max(values))) >= _NUMBERS[0]}
    found: dict[str, dict[str, int]] = {}
    if not wide:
        return found
    plain = [spelling.encode() for spelling in dict.fromkeys(way for text in identifiers for way in spellings(text))]
    for name in _REMAINDERS:
        made = [int.from_bytes(DIGESTS[name](text), "big") for text in plain]
        for column, values in wide.items():
            modulus = 10 ** len(str(max(values)))
            tried = {number % modulus for number in made}
            hits = len(tried & values)
            if hits > _by_chance(len(tried) * len(values), values=float(modulus)):
                found.setdefault(column, {})[f"{name} modulo a power of ten"] = hits
    return found


def _decimals(column: pa.ChunkedArray) -> set[int]:
    if not pa.types.is_integer(column.type):
        return set()
    values = set(pc.unique(column).drop_null().to_pylist())
    return values if values and min(values) >= 0 and max(values) < 10 ** _NUMBERS[1] else set()


def _kept(values: Prefixes) -> tuple[np.uint64, int]:
    """Which first bits were kept of digests, in half bytes, and how many; the rest are zeros in all of them."""
    together = int(np.bitwise_or.reduce(values))
    empty = min(((together & -together).bit_length() - 1) // 4 * 4, 32) if together else 32
    return np.uint64((1 << 64) - (1 << empty)), 64 - empty


def _by_chance(pairs: float, *, values: float) -> float:
    """How many hits chance explains: their expectation, five standard deviations, and two where any is likely."""
    expected = pairs / values
    return float(expected + _CHANCE * expected**0.5 + (2 if expected > 1e-4 else 0))


def _met(made: Prefixes, values: Prefixes) -> int:
    """How many of some prefixes stand in an ascending list: cheaper than sorting both, as there are few of them."""
    if not len(values):
        return 0
    places = np.minimum(np.searchsorted(values, made), len(values) - 1)
    return int((values[places] == made).sum())


def enumerated(form: str, count: int, *, seed: int = 0) -> list[str]:
    """Identifiers drawn from the space of a form, in their canonical spelling; empty where the space is not listed.

    Args:
        form: of `curator.identifiers.FORMS`.
        count: how many.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    if form not in _SPACES:
        return []
    drawn = pa.array(list(dict.fromkeys(_SPACES[form](rng, count))))
    return [value for value in canonical(drawn, form).to_pylist() if value] if form in FORMS else drawn.to_pylist()


def space(form: str) -> float | None:
    """How many identifiers a form has, about; None where the space is not listed."""
    return _SIZES.get(form)


def _made(candidates: Sequence[str], salts: Sequence[str], *, few: Sequence[str]) -> Iterator[tuple[str, Prefixes]]:
    plain = [text.encode() for text in candidates]
    for name, digest in DIGESTS.items():
        yield name, _prefixes(map(digest, plain))
    short = [text.encode() for text in few]
    for salt in dict.fromkeys(salts):
        for name in ("md5", "sha1", "sha256", "sha512"):
            yield f"{name} with a public salt", _prefixes(_salted(name, salt.encode(), texts=short))


def _salted(name: str, salt: bytes, *, texts: Sequence[bytes]) -> list[bytes]:
    """Digests of texts with a salt before them, after them and as the key of HMAC (RFC 2104).

    What is the same for all texts is hashed once and copied: a third of what a call of `hmac.digest` costs.
    """
    empty = hashlib.new(name, usedforsecurity=False)
    block = empty.block_size
    key = (_ended(empty, [salt])[0] if len(salt) > block else salt).ljust(block, b"\0")
    before, inner, outer = (_begun(empty, data) for data in (salt, key.translate(_INNER), key.translate(_OUTER)))
    after = _ended(empty, [text + salt for text in texts])
    return [*_ended(before, texts), *after, *_ended(outer, _ended(inner, texts))]


def _begun(empty: hashlib._Hash, data: bytes) -> hashlib._Hash:
    begun = empty.copy()
    begun.update(data)
    return begun


def _ended(begun: hashlib._Hash, texts: Iterable[bytes]) -> list[bytes]:
    made = []
    for text in texts:
        digest = begun.copy()
        digest.update(text)
        made.append(digest.digest())
    return made


def _prefixes(values: Iterable[bytes]) -> Prefixes:
    """First 8 bytes of each value as a number, those of shorter ones with zeros behind them."""
    listed = list(values)
    sizes = set(map(len, listed))
    if len(sizes) == 1 and (size := sizes.pop()) >= 8:
        table = np.frombuffer(b"".join(listed), np.uint8).reshape(-1, size)
        return np.ascontiguousarray(table[:, :8]).view(">u8").ravel().astype(np.uint64)
    joined = b"".join([value[:8].ljust(8, b"\0") for value in listed])
    return np.frombuffer(joined, ">u8").astype(np.uint64)


def _unhex(text: str) -> bytes:
    digits = re.sub(r"^0x|[-: {}]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def _unbase32(text: str) -> bytes:
    letters = text.rstrip("=")
    letters = letters[: len(letters) - (len(letters) % 8 in (1, 3, 6))]
    return base64.b32decode(letters + "=" * (-len(letters) % 8))


def _unbase(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/").rstrip("=") + "==")
    except (binascii.Error, ValueError):
        return b""


def _phones(rng: np.random.Generator, count: int) -> list[str]:
    firsts = rng.choice(np.array([6, 7, 1, 2, 3, 4, 5, 9]), count, p=[0.35, 0.35, *[0.05] * 6])
    rests = rng.integers(0, 10**8, count)
    return [f"0{first}{rest:08d}" for first, rest in zip(firsts.tolist(), rests.tolist(), strict=True)]


def _plates(rng: np.random.Generator, count: int) -> list[str]:
    letters = np.array(list("ABCDEFGHJKLMNPQRSTVWXYZ"))
    drawn = letters[rng.integers(0, len(letters), (count, 4))]
    numbers = rng.integers(1, 1000, count)
    pairs = zip(drawn.tolist(), numbers.tolist(), strict=True)
    return [f"{''.join(four[:2])}-{number:03d}-{''.join(four[2:])}" for four, number in pairs]


def _licences(rng: np.random.Generator, count: int) -> list[str]:
    years, departments = rng.integers(70, 113, count) % 100, rng.integers(1, 96, count)
    rests = rng.integers(0, 10**6, count)
    rows = zip(years.tolist(), rng.integers(1, 13, count).tolist(), departments.tolist(), rests.tolist(), strict=True)
    return [f"{year:02d}{month:02d}{department:02d}{rest:06d}" for year, month, department, rest in rows]


def _nirs(rng: np.random.Generator, count: int) -> list[str]:
    found = []
    columns = [rng.integers(low, high, count).tolist() for low, high in
               ((1, 3), (30, 120), (1, 13), (1, 96), (1, 600), (1, 1000))]  # fmt: skip
    for sex, year, month, department, commune, order in zip(*columns, strict=True):
        body = f"{sex}{year % 100:02d}{month:02d}{department:02d}{commune:03d}{order:03d}"
        found.append(f"{body}{97 - int(body) % 97:02d}")
    return found


def _dates(rng: np.random.Generator, count: int) -> list[str]:
    days = distinct(rng.integers(0, 46_000, count)) - 25_567  # from 1900 on
    return [str(day) for day in days.astype("datetime64[D]")]


_SPACES: Mapping[str, Callable[[np.random.Generator, int], list[str]]] = {
    "phone": _phones, "plate": _plates, "licence": _licences, "nir": _nirs, "date": _dates,
}  # fmt: skip
_SIZES = {"phone": 8e8, "plate": 23**4 * 999.0, "licence": 50 * 12 * 95 * 1e6, "nir": 2 * 90 * 12 * 95 * 600 * 1e3,
          "date": 46_000.0}  # fmt: skip

"""What an attacker could do with exactly the bytes about to be released.

`attack_package` plays the one whom a channel is declared to meet: a dictionary of identifiers against every column that
looks like digests, planted canaries in every byte, and three attacks on people (singling out, linking, inferring)
against a safe baseline. No report holds a value of a row, an identifier or a canary.
"""

from curator.attacks._dictionary import DIGESTS, Prefixes, dictionary_hits, enumerated, prefixes, space, spellings
from curator.attacks._differences import difference_leaks, differing
from curator.attacks._gate import LIMIT, Attacker, GateReport, Limits, attack_package, attack_people
from curator.attacks._odds import Odds, odds
from curator.attacks._people import Tables, inferring, linking, singling_out
from curator.attacks._traces import (
    Leak,
    canary_leaks,
    clear_leaks,
    needles_of,
    order_leaks,
    rank_correlation,
    shard_leaks,
)

__all__ = [
    "DIGESTS",
    "LIMIT",
    "Attacker",
    "GateReport",
    "Leak",
    "Limits",
    "Odds",
    "Prefixes",
    "Tables",
    "attack_package",
    "attack_people",
    "canary_leaks",
    "clear_leaks",
    "dictionary_hits",
    "difference_leaks",
    "differing",
    "enumerated",
    "inferring",
    "linking",
    "needles_of",
    "odds",
    "order_leaks",
    "prefixes",
    "rank_correlation",
    "shard_leaks",
    "singling_out",
    "space",
    "spellings",
]

"""What an attacker could do with exactly the bytes about to be released.

`attack_package` plays the one whom a channel is declared to meet: a dictionary of identifiers against every column that
looks like digests, planted canaries in every byte, and three attacks on people (singling out, linking, inferring)
against a safe baseline. No report holds a value of a row, an identifier or a canary.
"""

from curator.attacks._canaries import canary_leaks, needles_of
from curator.attacks._clear import clear_leaks, paper_leaks
from curator.attacks._dictionary import DIGESTS, Prefixes, dictionary_hits, enumerated, prefixes, remainder_hits, space
from curator.attacks._differences import difference_leaks, differing
from curator.attacks._disguise import disguised
from curator.attacks._gate import LIMIT, Attacker, GateReport, Limits, attack_package, attack_people
from curator.attacks._leak import Leak
from curator.attacks._members import member_leaks
from curator.attacks._models import model_leaks, model_strings, rare_words
from curator.attacks._needles import Needles
from curator.attacks._odds import Odds, odds
from curator.attacks._order import neighbours, order_leaks, rank_correlation
from curator.attacks._people import Tables, inferring, linking, singling_out
from curator.attacks._pieces import RUN, in_pieces, join_ways, piece_leaks
from curator.attacks._shards import shard_leaks
from curator.attacks._spellings import spellings

__all__ = [
    "DIGESTS",
    "LIMIT",
    "RUN",
    "Attacker",
    "GateReport",
    "Leak",
    "Limits",
    "Needles",
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
    "disguised",
    "enumerated",
    "in_pieces",
    "inferring",
    "join_ways",
    "linking",
    "member_leaks",
    "model_leaks",
    "model_strings",
    "needles_of",
    "neighbours",
    "odds",
    "order_leaks",
    "paper_leaks",
    "piece_leaks",
    "prefixes",
    "rank_correlation",
    "rare_words",
    "remainder_hits",
    "shard_leaks",
    "singling_out",
    "space",
    "spellings",
]

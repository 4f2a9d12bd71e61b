"""Sampling: which rows a use case gets, as SQL that every engine answers alike.

Nothing here reads a row. From a checked spec it writes the relations between sources and sample: filters, joins, what
events tell up to a cut-off, and the draw itself, by ranks of public hashes. The laws it keeps, each held by a test:

- the same rows on every engine, in every run, for any number of threads and in any order of the source;
- a `fraction` is a threshold: rows added to a source never evict a row;
- what has a number (quotas, strata, negatives, a cap, a maximum) evicts by rank: what leaves a class has a higher hash
  than all that stays in it, and where each key has one row never more rows leave than were added;
- each option ranks by a hash of its own, so that the stages of a draw are independent of each other;
- rows that share the sampling key, within one class or stratum, are kept or left out together;
- a row whose key has a null is drawn by its row key, like any other.
"""

from curator.sampling._draw import Step, answers_sql, drawn_sql, steps
from curator.sampling._events import brought_sql, event_counts, event_sql
from curator.sampling._keys import below_sql, draw_sql, hash_sql, pushed_share
from curator.sampling._leaks import feature_bases, refuse_leaks, time_columns
from curator.sampling._parts import Extracting
from curator.sampling._relations import EQUALS, POPULATION, chosen_sql, joined_sql, relations, sample_sql, whole_row_sql
from curator.sampling._words import told_draw

__all__ = [
    "EQUALS",
    "POPULATION",
    "Extracting",
    "Step",
    "answers_sql",
    "below_sql",
    "brought_sql",
    "chosen_sql",
    "draw_sql",
    "drawn_sql",
    "event_counts",
    "event_sql",
    "feature_bases",
    "hash_sql",
    "joined_sql",
    "pushed_share",
    "refuse_leaks",
    "relations",
    "sample_sql",
    "steps",
    "time_columns",
    "told_draw",
    "whole_row_sql",
]

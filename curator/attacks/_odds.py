"""How much better an attacker does than one who has nothing: shares of successes with their uncertainty.

The risk of an attack is (r - s) / (1 - s): r the share of successes, s that of the safe baseline (Giomi et al., "A
unified framework for quantifying privacy risk in synthetic data", PoPETs 2023(2), section 3). Shares are Wilson's
(1927), and both uncertainties go into the risk's, to first order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # 95 %, both sides


@dataclass(frozen=True, kw_only=True)
class Odds:
    """What an attack achieved.

    Attributes:
        tries: guesses made.
        hits: right ones.
        safe_hits: right ones of the better of two who have nothing of the people: one without their rows, one with a
            table of independent columns; of the same number of tries.
        risk: success beyond the safe one's, 0 or less to 1.
        low, high: its 95 % interval.
    """

    tries: int
    hits: int
    safe_hits: int
    risk: float
    low: float
    high: float


def odds(hits: int, *, safe_hits: int, tries: int) -> Odds:
    """The risk of an attack, with its interval; 0 when nothing was tried."""
    if not tries:
        return Odds(tries=0, hits=0, safe_hits=0, risk=0.0, low=0.0, high=0.0)
    rate, spread = _wilson(hits, tries)
    safe, safe_spread = _wilson(safe_hits, tries)
    left = max(1 - safe, 1e-9)
    risk = (rate - safe) / left
    error = sqrt((spread / left) ** 2 + (safe_spread * (1 - rate) / left**2) ** 2)
    return Odds(tries=tries, hits=hits, safe_hits=safe_hits, risk=risk, low=risk - error, high=min(risk + error, 1.0))


def _wilson(hits: int, tries: int) -> tuple[float, float]:
    """Centre and half width of the 95 % interval of a share."""
    share, square = hits / tries, _Z**2 / tries
    centre = (share + square / 2) / (1 + square)
    return centre, _Z / (1 + square) * sqrt(share * (1 - share) / tries + square / (4 * tries))

"""How likely two different identifiers are to share a token: the birthday bound, for the record of each column."""

from __future__ import annotations

from curator.errors import UsageError

LEAST_BITS = 96
"""Fewest bits of a token that curator accepts: 10**9 identifiers then collide with a chance below 10**-11."""


def collision_bound(values: int, *, bits: int = 128) -> float:
    """Upper bound of the chance that at least two of some different identifiers have the same token.

    n (n - 1) / 2 pairs, each equal with a chance of 2**-bits under a pseudo-random function: the union bound, as in the
    analysis of CMAC (NIST SP 800-38B, appendix B) and in ENISA's guide of 2019 to pseudonymisation.

    Args:
        values: how many different identifiers, or more (rows, when they are not counted).
        bits: of a token.

    Returns:
        A probability from 0 to 1.

    Raises:
        UsageError: `token-too-short` below 96 bits.
    """
    if bits < LEAST_BITS:
        raise UsageError(
            "token-too-short",
            asked="bound the chance that two identifiers share a token",
            found=f"tokens of {bits} bits",
            expected=f"at least {LEAST_BITS} bits",
            todo="keep the 16 bytes that the kernels give",
        )
    return min(1.0, values * (values - 1) * 2.0 ** -(bits + 1))

"""Keyed pseudonyms: the same identifier gives the same token under one key, and nothing without it.

A token is the AES-256-CMAC of a value's bytes: 16 bytes, one way, deterministic (NIST SP 800-38B, RFC 4493). Its key is
derived for one holder, purpose, recipient, epoch and domain (HKDF-SHA256, RFC 5869), so tokens given to two recipients
cannot be joined. The same kernel, under keys derived for other usages, gives the order of rows and their split.

Two other methods stand beside it: HMAC-SHA256 (`HmacKernel`), for holders whose rules name it, and AES-SIV
(`SivKernel`), whose tokens the holder's custodian can turn back.

    >>> context = KeyContext(holder="registry", purpose="road-safety", recipient="laboratory", epoch="2024")
    >>> key = derive_key(bytes(range(32)), context, usage="token", domain="person")
    >>> TokenKernel(key).tokens(pa.array(["2840576451089", None])).null_count
    1
"""

from curator.pseudonyms._bounds import LEAST_BITS, collision_bound
from curator.pseudonyms._cmac import TOKEN_BYTES, TokenKernel
from curator.pseudonyms._draws import draws
from curator.pseudonyms._hmac import HmacKernel
from curator.pseudonyms._keys import KEY_BYTES, KeyContext, derive_key, derive_siv_key, key_id
from curator.pseudonyms._shares import thresholds
from curator.pseudonyms._siv import SIV_KEY_BYTES, SivKernel

__all__ = [
    "KEY_BYTES",
    "LEAST_BITS",
    "SIV_KEY_BYTES",
    "TOKEN_BYTES",
    "HmacKernel",
    "KeyContext",
    "SivKernel",
    "TokenKernel",
    "collision_bound",
    "derive_key",
    "derive_siv_key",
    "draws",
    "key_id",
    "thresholds",
]

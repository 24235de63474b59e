"""Hash functions that programs use for buckets (room: explain, values)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from hashlib import blake2b, md5, sha1, sha256, sha512

FITS = 0.95
"""Share of the texts that must fall into their bucket."""

FEWEST = 4
"""Texts that must be known."""


def fnv_1a(data: bytes) -> int:
    """FNV-1a with 64 bits."""
    number = 0xCBF29CE484222325
    for byte in data:
        number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return number


def fnv_1a_32(data: bytes) -> int:
    """FNV-1a with 32 bits."""
    number = 0x811C9DC5
    for byte in data:
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    return number


def java(data: bytes) -> int:
    """`String.hashCode` of Java without its sign, as `Math.floorMod` reads it."""
    number = 0
    units = data.decode().encode("utf-16-be")
    for place in range(0, len(units), 2):
        number = (31 * number + int.from_bytes(units[place : place + 2], "big")) & 0xFFFFFFFF
    return number - 2**32 if number >= 2**31 else number


def murmur_3(data: bytes, seed: int = 0) -> int:
    """MurmurHash3 with 32 bits, without a sign."""
    number = seed
    whole = len(data) - len(data) % 4
    for place in range(0, whole, 4):
        number ^= _scramble(int.from_bytes(data[place : place + 4], "little"))
        number = ((number << 13) | (number >> 19)) & 0xFFFFFFFF
        number = (number * 5 + 0xE6546B64) & 0xFFFFFFFF
    if whole < len(data):
        number ^= _scramble(int.from_bytes(data[whole:], "little"))
    number ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        number = ((number ^ (number >> shift)) * factor) & 0xFFFFFFFF
    return number ^ (number >> 16)


def _scramble(block: int) -> int:
    block = (block * 0xCC9E2D51) & 0xFFFFFFFF
    block = ((block << 15) | (block >> 17)) & 0xFFFFFFFF
    return (block * 0x1B873593) & 0xFFFFFFFF


def _signed_murmur_3(data: bytes) -> int:
    number = murmur_3(data)
    return abs(number - 2**32) if number >= 2**31 else number


HASHES: dict[str, Callable[[bytes], int]] = {
    "md5, first 4 bytes": lambda data: int.from_bytes(md5(data, usedforsecurity=False).digest()[:4], "big"),
    "md5, whole": lambda data: int.from_bytes(md5(data, usedforsecurity=False).digest(), "big"),
    "md5, first 8 bytes": lambda data: int.from_bytes(md5(data, usedforsecurity=False).digest()[:8], "big"),
    "md5, first 4 bytes little-endian": lambda data: int.from_bytes(
        md5(data, usedforsecurity=False).digest()[:4], "little"
    ),
    "md5, whole little-endian": lambda data: int.from_bytes(md5(data, usedforsecurity=False).digest(), "little"),
    "md5, first 8 bytes little-endian": lambda data: int.from_bytes(
        md5(data, usedforsecurity=False).digest()[:8], "little"
    ),
    "sha1, whole": lambda data: int.from_bytes(sha1(data, usedforsecurity=False).digest(), "big"),
    "sha256, whole": lambda data: int.from_bytes(sha256(data).digest(), "big"),
    "sha256, first 4 bytes": lambda data: int.from_bytes(sha256(data).digest()[:4], "big"),
    "sha256, first 8 bytes": lambda data: int.from_bytes(sha256(data).digest()[:8], "big"),
    "sha512, whole": lambda data: int.from_bytes(sha512(data).digest(), "big"),
    "blake2b, whole": lambda data: int.from_bytes(blake2b(data).digest(), "big"),
    "crc32": zlib.crc32,
    "adler32": zlib.adler32,
    "fnv-1a, 64 bits": fnv_1a,
    "fnv-1a, 32 bits": fnv_1a_32,
    "murmur3, 32 bits": murmur_3,
    "murmur3, 32 bits, absolute value": _signed_murmur_3,
    "hashCode of Java": java,
}
"""Hash functions by name; a number of any size, of which the remainder by the buckets is taken."""


def find_buckets(numbers: Sequence[int], codes: Sequence[int], declared: int) -> int | None:
    """How many buckets make codes of hashes; None where no number does.

    Args:
        numbers: The hashes.
        codes: The codes that were served.
        declared: The number of buckets that training has, which is tried first.
    """
    if len(set(numbers)) < FEWEST:
        return None
    sizes = (declared, *(size for base in (1, 2, 5) for power in range(7) if (size := base * 10**power) > 1))
    sizes = (*sizes, *(2**power for power in range(1, 25)), *(max(codes) + extra for extra in range(1, 60)))
    for size in dict.fromkeys(sizes):
        if size > max(codes, default=0):
            hits = sum(number % size == code for number, code in zip(numbers, codes, strict=True))
            if hits >= FITS * len(numbers) and (size > 1):
                return size
    return None

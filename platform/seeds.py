"""Random seeds that depend on names, never on order or time."""

from hashlib import blake2b

BITS = 31  # what every engine accepts as a seed


def derive(*parts: str | int) -> int:
    """A seed of 31 bits from `parts`; equal parts give equal seeds on every machine."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> (64 - BITS)

"""Subgame-perfect divisions under alternating offers. Knows no money, no moves, no prompts.

Shares are fractions of the pie as it stands in the round in question; a delta is the fraction of
its value that a share keeps when one more round passes.
"""

from functools import lru_cache


def rubinstein_share(delta_a: float, delta_b: float) -> float | None:
    """What the first proposer, with `delta_a`, keeps when no last round is known.

    (1 - delta_b) / (1 - delta_a delta_b): Rubinstein (1982), "Perfect Equilibrium in a Bargaining
    Model". Agreement comes at once. None if both deltas are 1: then every division is supported.
    """
    if delta_a == 1 and delta_b == 1:
        return None
    return (1 - delta_b) / (1 - delta_a * delta_b)


def finite_share(delta_a: float, delta_b: float, last_round: int) -> float:
    """What the first proposer, with `delta_a`, keeps when `last_round` (1, 2, ...) is known.

    Backward induction: K_T = 1 and K_t = 1 - delta_responder(t) K_(t+1), since who answers accepts
    what it would be left with as the next proposer (Ståhl 1972; Rubinstein 1982). Raises ValueError
    if `last_round` is below 1.
    """
    if last_round < 1:
        raise ValueError(f"last_round: a game has at least 1 round; you gave {last_round!r}.")
    kept = 1.0
    for left in range(2, last_round + 1):
        answers_b = (last_round - left) % 2 == 0
        kept = 1 - (delta_b if answers_b else delta_a) * kept
    return kept


@lru_cache(maxsize=4096)
def proposer_share(
    delta_proposer: float, delta_responder: float, rounds_left: int | None
) -> float | None:
    """What the proposer of any round keeps; `rounds_left` counts this round, None if unknown.

    Losses are geometric, so a round is the first round of a game with `rounds_left` rounds. None
    where `rubinstein_share` is undefined.
    """
    if rounds_left is None:
        return rubinstein_share(delta_proposer, delta_responder)
    return finite_share(delta_proposer, delta_responder, rounds_left)


def responder_share(
    delta_proposer: float, delta_responder: float, rounds_left: int | None
) -> float | None:
    """The least that the responder of any round accepts: the value to it of rejecting.

    Derived: `delta_responder` times what it keeps as the next proposer, which is all that the
    proposer leaves. None where `rubinstein_share` is undefined.
    """
    kept = proposer_share(delta_proposer, delta_responder, rounds_left)
    return None if kept is None else 1 - kept

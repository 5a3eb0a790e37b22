"""What the past of a persuasion game comes down to for a player who follows a rule.

A player may look at the whole public past, which is too much to try out. So summaries are tried,
the shortest first: does the player do after random pasts what it does after the plainest past with
the same summary? A summary counts the rounds so far by kind.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from catallaxy.games.base import IllegalMove
from catallaxy.games.glee.persuasion import Persuasion, PersuasionState, Quality, Round
from catallaxy.games.glee.persuasion_moves import Recommendation, SellerMessage

Signal: TypeAlias = Recommendation | SellerMessage
Record: TypeAlias = tuple[int, ...]

QUALITIES: tuple[Quality, Quality] = ("high", "low")
_PRAISE, _WARNING = "This product is of high quality.", "This product is of low quality."
_PASTS = 60  # random ones on which a summary must hold


@dataclass(frozen=True, slots=True)
class Kind:
    """What can happen in a round: number of the signal, quality, purchase."""

    signal: int
    quality: Quality
    bought: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A record is how many rounds there were of each of `kinds`.

    `kind` is the number of the kind that a round counts as; `matters` leaves of a record what the
    player cares about, given the number of what it is asked about (a signal, a quality).
    """

    kinds: tuple[Kind, ...]
    kind: Callable[[Kind], int]
    matters: Callable[[Record, int], Record]

    @property
    def empty(self) -> Record:
        """No round so far."""
        return (0,) * len(self.kinds)

    def of(self, past: Sequence[Kind]) -> Record:
        """The record of a whole past."""
        record = self.empty
        for each in past:
            record = one_more(record, self.kind(each))
        return record

    def plainest(self, record: Record) -> list[Kind]:
        """A past with that record, kind by kind."""
        return [k for k, n in zip(self.kinds, record, strict=True) for _ in range(n)]


def one_more(record: Record, kind: int) -> Record:
    """The record with one more round of that kind."""
    return (*record[:kind], record[kind] + 1, *record[kind + 1 :])


_PASSED = Kind(0, "low", False)
_SALES = (_PASSED, Kind(0, "high", True), Kind(0, "low", True))


def _sale(happened: Kind) -> int:
    return QUALITIES.index(happened.quality) + 1 if happened.bought else 0


def _all(record: Record, _: int) -> Record:
    return record


NOTHING = Summary((_PASSED,), lambda _: 0, lambda _, __: (0,))
ROUND = Summary((_PASSED,), lambda _: 0, _all)
SOLD = Summary(_SALES[:2], lambda happened: int(happened.bought), _all)
_HIGH_AND_LOW_SOLD = Summary(_SALES, _sale, lambda record, _: (0, *record[1:]))
_STATISTICS = Summary(_SALES, _sale, _all)


def of_sellers() -> tuple[Summary, ...]:
    """What a seller may care about: nothing, the round, how much it sold."""
    return NOTHING, ROUND, SOLD


def of_buyers(rules: Persuasion, signals: int) -> tuple[Summary, ...]:
    """What a buyer may care about: nothing, the round, what it has learned.

    For the successive buyers that is all there is to know; for one who stays, it is how many
    products of known quality came with each signal, only with the present one or with all.
    """
    if rules.buyer == "myopic":
        return NOTHING, ROUND, _HIGH_AND_LOW_SOLD, _STATISTICS
    known = [Kind(s, quality, True) for s in range(signals) for quality in QUALITIES]
    always = rules.compat.quality_feedback == "every_round"

    def learned(happened: Kind) -> int:
        if not (happened.bought or always):
            return 0
        return 1 + 2 * happened.signal + QUALITIES.index(happened.quality)

    def alike(record: Record, signal: int) -> Record:
        own = range(1 + 2 * signal, 3 + 2 * signal)
        return tuple(n if kind in own else 0 for kind, n in enumerate(record))

    kinds = (_PASSED, *known)
    return NOTHING, ROUND, Summary(kinds, learned, alike), Summary(kinds, learned, _all)


def signals(rules: Persuasion) -> tuple[Signal, ...]:
    """What a seller can say: yes or no, or a sentence of praise or warning where they fit."""
    if rules.message_type == "binary":
        return Recommendation("yes"), Recommendation("no")
    state = rules.start(Random(0))
    fitting = [m for m in map(SellerMessage, (_PRAISE, _WARNING)) if _legal(rules, state, m)]
    return tuple(fitting) or (SellerMessage(""),)


def _legal(rules: Persuasion, state: PersuasionState, move: Signal) -> bool:
    try:
        rules.check(state, "alice", move)
    except IllegalMove:
        return False
    return True


def random_pasts(rules: Persuasion, signals: int) -> Iterator[list[Kind]]:
    """Pasts from none to all rounds but one, in which anything happens."""
    rng = Random(0)
    for number in range(_PASTS):
        length = number * (rules.total_rounds - 1) // (_PASTS - 1)
        yield [
            Kind(rng.randrange(signals), rng.choice(QUALITIES), rng.random() < 0.5)
            for _ in range(length)
        ]


def state_after(
    rules: Persuasion, past: Sequence[Kind], said: Sequence[Signal], quality: Quality
) -> PersuasionState:
    """The state after `past`, in which nothing has been said about a product of `quality`."""
    history = tuple(
        spoken(number, said[happened.signal], happened.quality, happened.bought)
        for number, happened in enumerate(past, 1)
    )
    now = len(history) + 1
    coming: tuple[Quality, ...] = ("low",) * (rules.total_rounds - now)
    drawn = (*(each.quality for each in history), quality, *coming)
    return PersuasionState(drawn, now, None, history)


def spoken(number: int, signal: Signal, quality: Quality, bought: bool | None = None) -> Round:
    """Round `number` once the seller has spoken."""
    if isinstance(signal, Recommendation):
        return Round(number, quality, recommendation=signal.decision, bought=bought)
    return Round(number, quality, message=signal.message, bought=bought)

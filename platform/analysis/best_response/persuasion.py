"""The best responses to a seller and to a buyer of persuasion whose rule is known.

Dynamic programming over records of the rounds so far, see `histories`. Chance, the quality of the
next products, is averaged over: the seat knows p, v and c, told or not, and no future quality.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from catallaxy.agents.base import Agent
from catallaxy.games.base import Seat
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.platform.analysis.best_response.asking import (
    BestResponse,
    NoBestResponse,
    Policy,
    seeds,
)
from catallaxy.platform.analysis.best_response.histories import (
    QUALITIES,
    Kind,
    Record,
    Signal,
    Summary,
    of_buyers,
    of_sellers,
    one_more,
    random_pasts,
    signals,
    spoken,
    state_after,
)

_DRAWS = 2000  # of a player's luck, for every chance that is estimated
_COMPARED = 4  # draws of a player with luck that must agree after two pasts
_LARGEST = 300_000  # records of all rounds together
_TIE = 2.0  # standard errors: an estimated gain closer to 0 counts as 0
_NOISE = 1e-12

Chances = Mapping[Any, float]


@dataclass(frozen=True, slots=True)
class _Player:
    """The opponent as chances of what it does, by record and by what it is asked about.

    `questions` are the signals that a buyer hears, or the qualities that a seller sees.
    """

    rules: Persuasion
    policy: Policy
    said: tuple[Signal, ...]
    summary: Summary
    luck: tuple[int, ...]
    kept: dict[tuple[Record, int], Chances] = field(default_factory=dict)

    @property
    def questions(self) -> int:
        return len(QUALITIES) if self.policy.seat == "alice" else len(self.said)

    def does(self, past: Sequence[Kind], asked: int, luck: Sequence[int]) -> list[Any]:
        """What it does after `past`: it sees quality, or hears signal, number `asked`."""
        if self.policy.seat == "alice":
            state = state_after(self.rules, past, self.said, QUALITIES[asked])
            return self.policy.moves(state, luck)
        state = state_after(self.rules, past, self.said, "low")
        heard = replace(state, pitch=spoken(state.round, self.said[asked], "low"))
        return [move.decision == "yes" for move in self.policy.moves(heard, luck)]

    def chances(self, record: Record, asked: int) -> Chances:
        """How often it does what, after the plainest past with that record."""
        matters = self.summary.matters(record, asked)
        if (matters, asked) not in self.kept:
            counted = Counter(self.does(self.summary.plainest(matters), asked, self.luck))
            found = {done: n / len(self.luck) for done, n in counted.items()}
            self.kept[matters, asked] = found
        return self.kept[matters, asked]

    def variance(self, chance: float) -> float:
        """Of an estimated chance."""
        return chance * (1 - chance) / len(self.luck)


def persuaded(rules: Persuasion, seat: Seat, opponent: Agent) -> BestResponse:
    """The best response of `seat`, in units of the price per round.

    Exact against a player without luck. With luck, chances are estimated from `_DRAWS` draws, and a
    buyer takes a product whose estimated gain is within `_TIE` standard errors of 0 for one that
    gains it nothing. A seller that writes has two sentences to choose from. Successive buyers are
    judged together, as one seat. Raises NoBestResponse for an opponent that makes more of the past
    than a summary, or whose rule is not known.
    """
    other: Seat = "bob" if seat == "alice" else "alice"
    policy = Policy(rules, other, opponent)
    found = _answered(rules, policy, seeds(1))
    return _answered(rules, policy, seeds(_DRAWS)) if policy.lucky else found


def _answered(rules: Persuasion, policy: Policy, luck: tuple[int, ...]) -> BestResponse:
    """The best response by the shortest summary of the past that explains what the other does."""
    said = signals(rules)
    summaries = of_sellers() if policy.seat == "alice" else of_buyers(rules, len(said))
    for summary in summaries:
        player = _Player(rules, policy, said, summary, luck)
        if _explains(player):
            return _bought(player) if policy.seat == "alice" else _sold(player)
    raise NoBestResponse("what it does depends on more of the past than can be tried out")


def _explains(player: _Player) -> bool:
    """Whether it does the same after random pasts as after the plainest ones with their records."""
    luck = player.luck[:_COMPARED]
    for past in random_pasts(player.rules, len(player.said)):
        record = player.summary.of(past)
        for asked in range(player.questions):
            plain = player.summary.plainest(player.summary.matters(record, asked))
            if player.does(past, asked, luck) != player.does(plain, asked, luck):
                return False
    return True


def _sold(player: _Player) -> BestResponse:
    """The seller says in every round what sells most from there on."""
    p, kind = player.rules.p, player.summary.kind
    heard = range(len(player.said))
    bought = [[kind(Kind(signal, each, True)) for each in QUALITIES] for signal in heard]
    passed = [[kind(Kind(signal, each, False)) for each in QUALITIES] for signal in heard]

    def value(record: Record, later: Mapping[Record, float]) -> float:
        found = [0.0] * len(QUALITIES)
        for signal in heard:
            buys = player.chances(record, signal).get(True, 0.0)
            for quality, best in enumerate(found):
                sells = 1 + later[one_more(record, bought[signal][quality])] if buys else 0.0
                fails = later[one_more(record, passed[signal][quality])] if buys < 1 else 0.0
                found[quality] = max(best, buys * sells + (1 - buys) * fails)
        return p * found[0] + (1 - p) * found[1]

    found = _by_induction(player, heard, value)
    variances = [player.variance(chances.get(True, 0.0)) for chances in player.kept.values()]
    return BestResponse(found, sqrt(max(variances)))


def _bought(player: _Player) -> BestResponse:
    """The buyer takes what is worth its price, given how often the seller says so of which."""
    rules = player.rules
    decided = [player.summary.kind(Kind(0, "high", decision)) for decision in (True, False)]
    weights = (rules.p, 1 - rules.p)
    gains = (rules.v - 1, rules.c - 1)
    variances: dict[Record, float] = {}

    def value(record: Record, later: Mapping[Record, float]) -> float:
        says = [player.chances(record, quality) for quality in range(len(QUALITIES))]
        bought, passed = (later[one_more(record, each)] for each in decided)
        total = 0.0
        for signal in {**says[0], **says[1]}:
            shares = [chances.get(signal, 0.0) for chances in says]
            each = list(zip(weights, shares, gains, strict=True))
            heard = sum(weight * share for weight, share, _ in each)
            gain = sum(weight * share * worth for weight, share, worth in each)
            noise = sum((w * g) ** 2 * player.variance(share) for w, share, g in each)
            more = gain + heard * (bought - passed)
            tie = _TIE * sqrt(noise) + _NOISE
            total += heard * passed + (more if more > tie else 0.0)
            if more > -tie:
                variances[record] = max(variances.get(record, 0.0), noise)
        return total

    found = _by_induction(player, (0,), value)
    return BestResponse(found, sqrt(max(variances.values(), default=0.0)))


def _by_induction(
    player: _Player,
    heard: Iterable[int],
    value: Callable[[Record, Mapping[Record, float]], float],
) -> float:
    """The value per round of the game, from the last round back to the first."""
    summary, rounds = player.summary, player.rules.total_rounds
    happens = {
        summary.kind(Kind(signal, quality, bought))
        for signal in heard
        for quality in QUALITIES
        for bought in (True, False)
    }
    layers = [{summary.empty}]
    for _ in range(rounds):
        layers.append({one_more(record, kind) for record in layers[-1] for kind in happens})
        if sum(map(len, layers)) > _LARGEST:
            raise NoBestResponse("there are too many pasts that it could tell apart")
    later: Mapping[Record, float] = dict.fromkeys(layers[-1], 0.0)
    for layer in reversed(layers[:-1]):
        later = {record: value(record, later) for record in layer}
    return later[summary.empty] / rounds

"""The best response to a player who makes and answers offers by a rule. Knows no game's words.

Whoever wants more than the other gives can only wait or ask for less, so what matters is, round by
round, the largest claim that the other accepts and what it offers itself; backward induction over
the rounds does the rest. Claims are whole numbers of coins, the more the better for the seat.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf, sqrt
from random import Random
from statistics import fmean, stdev
from typing import Any, TypeAlias

from catallaxy.agents.base import Agent
from catallaxy.platform.analysis.best_response.asking import (
    BestResponse,
    NoBestResponse,
    Policy,
    seeds,
)
from catallaxy.platform.analysis.best_response.terms import State, Terms

Spot: TypeAlias = State | list[State]
"""Where the seat can claim, or the offers, one for each draw of luck, that it can answer."""

_DRAWS = 100  # of the opponent's luck, where it has any: 5 points of standard error per acceptance
_CLAIMS = 20  # steps between the claims that are tried on an opponent with luck
_PLAYS = 1000  # of the plan against it
_PROBED = 6  # rounds in which a memory would show
_COMPARED = 8  # draws of luck that must then agree
_EXACT = 1e-9
_CLOSE = 1e-3  # what may be missed of what chance leaves for late rounds


@dataclass(frozen=True, slots=True)
class _Claim:
    """A claim, its worth, and the chances that it is accepted and that it is refused.

    What is left of the chances is that the other leaves.
    """

    coins: int
    worth: float
    accepted: float
    refused: float

    def value(self, later: float) -> float:
        return self.accepted * self.worth + self.refused * later


@dataclass(frozen=True, slots=True)
class _Round:
    """What one round holds: the seat's possible `claims`, or what the other `offers` is worth."""

    claims: tuple[_Claim, ...] = ()
    offers: tuple[float, ...] = ()

    def best(self, later: float) -> _Claim:
        return max(self.claims, key=lambda claim: claim.value(later))

    def value(self, later: float) -> float:
        if self.claims:
            return self.best(later).value(later)
        return fmean(max(offer, later) for offer in self.offers)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do in every round: `rounds[i]` is round i + 1, `values[i]` its value from there on.

    `values` has one more: the value of refusing in the last round.
    """

    rounds: tuple[_Round, ...]
    values: tuple[float, ...]

    @staticmethod
    def of(rounds: Sequence[_Round], after: float) -> "_Plan":
        """By backward induction from what refusing to the end is worth."""
        values = [after]
        for each in reversed(rounds):
            values.append(each.value(values[-1]))
        return _Plan(tuple(rounds), tuple(reversed(values)))

    def later(self, number: int) -> float:
        """The value of refusing in round `number`."""
        return self.values[min(number, len(self.rounds))]

    def coins(self, number: int) -> int:
        """The claim of round `number`; after the last planned one, as in the last such round."""
        if number > len(self.rounds):
            number = len(self.rounds) - (number - len(self.rounds)) % 2
        claims = self.rounds[number - 1].claims
        return self.rounds[number - 1].best(self.later(number)).coins if claims else 0


def haggled(terms: Terms, opponent: Agent) -> BestResponse:
    """The most that the seat can gain on average against `opponent`.

    Exact, to a coin, if the opponent has no luck and the less is left to it the less it accepts.
    With luck: over a grid of claims, from `_DRAWS` draws of every answer; the value is then that of
    the plan so found in `_PLAYS` games. Raises NoBestResponse for an opponent that remembers what
    was offered before, that accepts any claim, or whose rule is not known.
    """
    policy = Policy(terms.rules, terms.other, opponent)
    plan = _plan(terms, policy, seeds(1))
    if policy.lucky:
        plan = _plan(terms, policy, seeds(_DRAWS))
    if _remembers(terms, policy):
        raise NoBestResponse("what it does depends on earlier offers")
    gains = [_played(terms, policy, plan, seed) for seed in seeds(_PLAYS if policy.lucky else 1)]
    if policy.lucky:
        return BestResponse(fmean(gains), stdev(gains) / sqrt(len(gains)))
    if abs(gains[0] - plan.values[0]) > _EXACT:
        raise NoBestResponse("it does not do in play what it does when asked")
    return BestResponse(gains[0])


def _spots(terms: Terms, policy: Policy, luck: Sequence[int], stance: int) -> Iterator[Spot]:
    """Round by round where the seat can claim, or the offers that it can answer, while all refuse.

    In its own rounds the seat claims `stance` coins.
    """
    start = terms.rules.start(Random(0))
    offered = terms.opening(policy, luck)
    if offered:
        yield offered
    position = terms.turn(offered[0]) if offered else start
    while position is not None:
        yield position
        offered = terms.offers(policy, terms.claimed(position, stance), luck)
        if not offered:
            return
        yield offered
        position = terms.turn(offered[0])


def _remembers(terms: Terms, policy: Policy) -> bool:
    """Whether its offers or answers depend on what the seat claimed before."""
    hard = _prints(terms, policy, terms.most)
    soft = _prints(terms, policy, terms.usual * 2 // 3)
    return any(one != two for one, two in zip(hard, soft, strict=False))


def _prints(terms: Terms, policy: Policy, stance: int) -> list[list[Any]]:
    """What the other does in the first rounds: its offers, its answers to three claims."""
    luck = seeds(_COMPARED if policy.lucky else 1)
    found: list[list[Any]] = []
    for spot in islice(_spots(terms, policy, luck, stance), _PROBED):
        if isinstance(spot, list):
            found.append([terms.worth(offered) for offered in spot])
            continue
        for quarter in (1, 2, 3):
            claimed = terms.claimed(spot, terms.usual * quarter // 4)
            found.append([terms.said(move) for move in policy.moves(claimed, luck)])
    return found


def _plan(terms: Terms, policy: Policy, luck: Sequence[int]) -> _Plan:
    """The best plan, over as many rounds as can matter."""
    rounds: list[_Round] = []
    close = _EXACT if len(luck) == 1 else _CLOSE
    bound, due = inf, 2
    guess: int | None = None
    for spot in _spots(terms, policy, luck, terms.most):
        if isinstance(spot, list):
            rounds.append(_Round(offers=tuple(map(terms.worth, spot))))
        else:
            claims = _claims(terms, policy, spot, luck, guess)
            guess = max((c.coins for c in claims if c.accepted), default=None)
            bound = claims[-1].worth
            rounds.append(_Round(claims))
        if len(rounds) >= due:
            plan = _Plan.of(rounds, 0.0)
            if _Plan.of(rounds, bound).values[0] - plan.values[0] <= close:
                return plan
            due = due * 5 // 4 + 1
    return _Plan.of(rounds, 0.0)


def _claims(
    terms: Terms, policy: Policy, position: State, luck: Sequence[int], guess: int | None
) -> tuple[_Claim, ...]:
    """The claims worth making, in rising order; the last is the largest of all."""
    tried: dict[int, _Claim] = {}

    def answered(coins: int) -> _Claim:
        if coins not in tried:
            claimed = terms.claimed(position, coins)
            said = [terms.said(move) for move in policy.moves(claimed, luck)]
            accepted, refused = said.count("accept") / len(said), said.count("reject") / len(said)
            tried[coins] = _Claim(coins, terms.worth(claimed), accepted, refused)
        return tried[coins]

    if answered(terms.most).accepted and not terms.limited:
        raise NoBestResponse("it accepts whatever is claimed, so there is no best claim")
    if len(luck) > 1:
        for step in range(_CLAIMS + 1):
            answered(terms.usual * step // _CLAIMS)
    else:
        _largest(lambda coins: answered(coins).accepted > 0, terms.most, guess)
    return tuple(tried[coins] for coins in sorted(tried))


def _largest(accepted: Callable[[int], bool], most: int, guess: int | None) -> int:
    """The largest accepted claim below `most`, -1 if none, where smaller ones are accepted too.

    Looks near `guess` first.
    """
    if accepted(most):
        return most
    low, high = -1, most
    if guess is not None and guess < most:
        step = 1
        if accepted(guess):
            low = guess
            while low + step < high and accepted(low + step):
                low, step = low + step, 2 * step
            high = min(high, low + step)
        else:
            high = guess
            while high - step > low and not accepted(high - step):
                high, step = high - step, 2 * step
            low = max(low, high - step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if accepted(middle) else (low, middle)
    return low


def _played(terms: Terms, policy: Policy, plan: _Plan, seed: int) -> float:
    """What the plan gains in one game against the player itself."""
    rules, rng = terms.rules, Random(seed)
    state = rules.start(Random(0))
    while turn := rules.to_move(state):
        if turn == (terms.other,):
            move = policy.move(state, rng.getrandbits(31))
        elif state.offer is None:
            move = terms.claim(state, plan.coins(state.round))
        elif terms.worth(state) >= plan.later(state.round) - _EXACT:
            move = terms.answer(state, "accept")
        elif terms.counters(state):
            move = terms.claim(state, plan.coins(state.round + 1))
        else:
            move = terms.answer(state, "reject")
        state = rules.step(state, {turn[0]: move})
    return terms.gain(state)

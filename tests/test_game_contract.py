"""The contract that every game keeps, whatever its rules: random play over many seeds."""

import asyncio
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
import yaml

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.moves import plain, read
from catallaxy.agents.wording import Wording
from catallaxy.games.base import IllegalMove
from catallaxy.platform.compose import CONF, composed
from catallaxy.platform.config import build
from catallaxy.platform.episode import Table
from catallaxy.platform.record import Engagement, Episode, EpisodeStatus, TurnKind

GAMES = sorted(path.stem for path in (CONF / "game").glob("*.yaml"))
SEEDS = range(30)
TRIES = 400  # random moves of a seat before the test gives the game up as unplayable at random


@cache
def offered(name: str) -> tuple[Any, Wording]:
    """The rules and the words of a game as its yaml has them."""
    config = composed(["~experiment", f"game={name}", "backend=scripted"])["game"]
    return build(config["rules"], at="rules"), build(config["wording"], at="w", expected=Wording)


def drawn(hint: Any, rng: Random, scale: float) -> Any:
    """A random value of a field's type; numbers up to `scale`, often on whole tenths of it."""
    if get_origin(hint) is Literal:
        return rng.choice(get_args(hint))
    if hint is bool:
        return rng.random() < 0.5
    if hint is int:
        return rng.randint(0, int(scale))
    if hint is float:
        return scale * rng.randint(0, 10) / 10
    if hint is str:
        return rng.choice(["", "hello", "I want half.", "żółć\x00 <b>{}"])
    raise NotImplementedError(f"teach the contract to draw {hint}")


@dataclass(frozen=True)
class Anything:
    """Draws moves at random, also illegal ones: the table reads the objections back."""

    scale: float

    async def act(self, ask: Ask) -> Act:
        rng = Random(ask.seed)
        hints = get_type_hints(ask.move_type)
        return Act(
            ask.move_type(
                **{f.name: drawn(hints[f.name], rng, self.scale) for f in fields(ask.move_type)}
            )
        )


def scale(rules: Any) -> float:
    """The largest number among the rules: random numbers are drawn up to it."""
    values = [getattr(rules, f.name) for f in fields(rules)]
    return max((float(v) for v in values if isinstance(v, (int, float))), default=1.0)


def played(name: str, seed: int, tries: int = TRIES) -> Episode:
    rules, words = offered(name)
    seats = {seat: seat for seat in rules.seats}
    plan = Engagement(0, f"e{seed}", name, "v", rules, seats, seed)
    agents = {seat: Anything(scale(rules)) for seat in rules.seats}
    return asyncio.run(Table(tries=tries).play(plan, words, agents))


@pytest.fixture(scope="module", params=GAMES)
def episodes(request: pytest.FixtureRequest) -> list[Episode]:
    return [played(request.param, seed) for seed in SEEDS]


def test_random_play_ends_and_pays_every_seat(episodes: list[Episode]) -> None:
    for episode in episodes:
        assert episode.status is EpisodeStatus.SETTLED, episode.error
        assert set(episode.payoffs) == set(episode.engagement.rules.seats)
        assert all(isinstance(value, float) for value in episode.payoffs.values())


def test_metrics_are_numbers_under_plain_names_or_names_at_a_seat(episodes: list[Episode]) -> None:
    for episode in episodes:
        for name, value in episode.metrics.items():
            measure, _, seat = name.partition("@")
            assert isinstance(value, float)
            assert measure.isidentifier()
            assert seat in ("", *episode.engagement.rules.seats)


def test_the_same_seed_is_the_same_play(episodes: list[Episode]) -> None:
    for episode in episodes[:5]:
        again = played(episode.engagement.game, episode.engagement.seed)
        assert (again.turns, again.payoffs, again.metrics) == (
            episode.turns,
            episode.payoffs,
            episode.metrics,
        )


def test_seed_and_moves_replay_an_episode_exactly(episodes: list[Episode]) -> None:
    for episode in episodes:
        rules = episode.engagement.rules
        state = rules.start(Random(episode.engagement.seed))
        turns: dict[int, dict[str, Any]] = {}
        for turn in episode.turns:
            if turn.kind is TurnKind.MOVE:
                turns.setdefault(turn.turn, {})[turn.seat] = turn.move
        for moves in turns.values():
            typed = {
                seat: rules.move_type(state, seat)(**dict(move)) for seat, move in moves.items()
            }
            state = rules.step(state, typed)
        assert rules.to_move(state) == ()
        assert rules.payoffs(state) == episode.payoffs
        assert rules.metrics(state) == episode.metrics


def test_states_views_and_moves_are_frozen_values_that_travel(episodes: list[Episode]) -> None:
    for episode in episodes[:5]:
        rules = episode.engagement.rules
        state = rules.start(Random(episode.engagement.seed))
        before = pickle.dumps(state)
        for seat in rules.to_move(state):
            view = rules.view(state, seat)
            assert pickle.loads(pickle.dumps(view)) == view
            for value in (state, view):
                assert not is_dataclass(value) or value.__dataclass_params__.frozen
        assert pickle.dumps(state) == before
        assert pickle.loads(pickle.dumps(rules)) == rules


def test_a_forfeit_at_any_turn_still_pays_every_seat(episodes: list[Episode]) -> None:
    for seed in SEEDS:
        episode = played(episodes[0].engagement.game, seed, tries=1)
        assert episode.status is EpisodeStatus.SETTLED, episode.error
        assert set(episode.payoffs) == set(episode.engagement.rules.seats)


def test_every_move_survives_the_way_through_json(episodes: list[Episode]) -> None:
    for episode in episodes[:10]:
        rules = episode.engagement.rules
        for turn in episode.turns:
            if turn.kind is not TurnKind.MOVE or turn.move is None:
                continue
            state = rules.start(Random(0))
            kinds = {t.__name__: t for t in _move_types(rules, state, episode)}
            kind = kinds[turn.move_type]
            text = json.dumps(dict(turn.move))
            assert plain(read(text, kind).move) == dict(turn.move)


def _move_types(rules: Any, state: Any, episode: Episode) -> set[type[Any]]:
    """The move types that an episode passed through."""
    found: set[type[Any]] = set()
    for turn in episode.turns:
        for seat in rules.to_move(state):
            found.add(rules.move_type(state, seat))
        if turn.kind is TurnKind.MOVE and turn.move is not None:
            state = rules.step(
                state, {turn.seat: rules.move_type(state, turn.seat)(**dict(turn.move))}
            )
    return found


@pytest.mark.parametrize("name", GAMES)
def test_every_move_type_has_words(name: str) -> None:
    rules, words = offered(name)
    state = rules.start(Random(0))
    for seat in rules.to_move(state):
        assert rules.move_type(state, seat).__name__ in words.asks


@pytest.mark.parametrize("name", GAMES)
def test_a_move_out_of_turn_is_illegal(name: str) -> None:
    rules, _ = offered(name)
    state = rules.start(Random(0))
    waiting = [seat for seat in rules.seats if seat not in rules.to_move(state)]
    for seat in waiting:
        mover = rules.to_move(state)[0]
        kind = rules.move_type(state, mover)
        hints = get_type_hints(kind)
        move = kind(**{f.name: drawn(hints[f.name], Random(0), 1.0) for f in fields(kind)})
        with pytest.raises(IllegalMove):
            rules.check(state, seat, move)


@pytest.mark.parametrize("name", GAMES)
def test_every_game_has_its_name_and_a_test(name: str) -> None:
    root = Path(__file__).parents[1]
    config: Mapping[str, Any] = yaml.safe_load((CONF / "game" / f"{name}.yaml").read_text())

    assert config["name"] == name
    assert (root / "tests" / "games" / f"test_{name}.py").exists()

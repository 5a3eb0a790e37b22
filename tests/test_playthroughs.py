"""One recorded game each, readable: a difference is a change of rules.

CATALLAXY_UPDATE_SNAPSHOTS=1 writes them anew, of new games too; review them like code.
"""

import asyncio
import json
import os
from pathlib import Path

import pytest

from catallaxy.platform.compose import CONF, composed
from catallaxy.platform.experiment import experiment
from catallaxy.platform.record import Episode

FOLDER = Path(__file__).parent / "snapshots" / "playthroughs"
UPDATE = bool(os.environ.get("CATALLAXY_UPDATE_SNAPSHOTS"))
GAMES = sorted(
    path.stem for path in ((CONF / "game").glob("*.yaml") if UPDATE else FOLDER.glob("*.txt"))
)


def recorded(name: str) -> Episode:
    """One episode between two scripted language models, some of whose answers are unreadable."""
    config = composed(
        [
            "~experiment",
            f"game={name}",
            "backend=scripted",
            "backend.accept_probability=0.2",
            "backend.error_rate=0.2",
            "seed=3",
            "+agent@agent.x=chat",
            "market.seating=with_self",
        ]
    )
    built = experiment(config)
    (engagement,) = built.design()
    seats = dict.fromkeys(engagement.rules.seats, built.house.registry["x"].agent)
    words = built.session.wordings[name][engagement.wording]
    return asyncio.run(built.session.table.play(engagement, words, seats))


def readable(episode: Episode) -> str:
    lines = [f"rules: {episode.engagement.rules!r}", f"seed: {episode.engagement.seed}", ""]
    for turn in episode.turns:
        move = "-" if turn.move is None else json.dumps(dict(turn.move))
        lines.append(f"{turn.turn:3} {turn.seat:8} {turn.kind.value:10} {turn.move_type:18} {move}")
        if turn.trouble:
            lines.append(f"    {turn.trouble}")
    lines += ["", f"status: {episode.status.value}"]
    lines += [f"payoff {seat}: {value:.6f}" for seat, value in episode.payoffs.items()]
    lines += [f"{name}: {value:.6f}" for name, value in episode.metrics.items()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", GAMES)
def test_the_recorded_game_is_played_the_same(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    found = readable(recorded(name))
    if UPDATE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found)

    assert found == path.read_text()

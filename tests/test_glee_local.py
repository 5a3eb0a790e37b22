"""GLEE's three games played by the real small model: nothing fails, and forfeits are on record."""

from pathlib import Path

import pytest

import catallaxy

pytestmark = pytest.mark.local

SIXTY_GAMES = (
    "experiment=glee",
    "backend=local",
    "~agent.equilibrium",
    "agent.model.max_tokens=40",
    "agent.model.window=20",  # 99 rounds outgrow the context of a small model
    "games.bargaining.rules.offer_form=claim",
    "cluster.in_flight=4",  # as many as the engine has slots, so that each keeps its dialogue
    "market.seating=listed",
    "market.pairs=[[model,fair],[fair,model]]",
    "market.share=null",
    "market.per_seating=10",
)


def test_60_games_with_the_real_model_fail_nowhere_and_count_their_forfeits(tmp_path: Path) -> None:
    with catallaxy.run(*SIXTY_GAMES, runs=tmp_path) as record:
        episodes, turns = record.episodes(), record.turns()

    assert (
        episodes.loc[episodes["status"] != "settled", ["episode", "error"]].to_numpy().tolist()
        == []
    )
    assert len(episodes) == 60
    assert episodes["game"].value_counts().to_dict() == {
        "bargaining": 20,
        "negotiation": 20,
        "persuasion": 20,
    }
    by_model = turns.loc[turns["agent"] == "model"]
    forfeits = by_model.loc[by_model["kind"] == "forfeit", "episode"].nunique()
    print(f"\n{by_model['kind'].value_counts().to_dict()}, {forfeits} games with a forfeit")
    assert (by_model["kind"] == "move").sum() > 400

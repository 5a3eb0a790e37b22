"""The frame that the statistics read: one row per settled episode, players by a telling name."""

from pathlib import Path

import pytest

import catallaxy
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view.frames import episodes_frame, games

pytestmark = pytest.mark.slow

GLEE = ("experiment=glee", "backend=scripted", "market.share=0.01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all three games between a model and two scripted players."""
    runs = tmp_path_factory.mktemp("frames")
    with catallaxy.run(*GLEE, runs=runs) as record:
        return record.folders[0]


def test_the_games_with_settled_episodes_are_named(folder: Path) -> None:
    with Reader.open(folder) as reader:
        assert games(reader) == ["bargaining", "negotiation", "persuasion"]


@pytest.mark.parametrize(
    ("game", "columns"),
    [
        ("bargaining", {"delta_a", "pie", "alice_share"}),
        ("negotiation", {"seller_value", "price_scale", "price"}),
        ("persuasion", {"p", "v", "message_type", "high_sold"}),
    ],
)
def test_a_row_has_rules_words_players_and_measures(
    folder: Path, game: str, columns: set[str]
) -> None:
    shared = {"wording", "variant", "alice", "bob", "efficiency", "self_gain_bob", "payoff_alice"}
    with Reader.open(folder) as reader:
        frame = episodes_frame(reader, game)
        asked = "SELECT count(*) FROM episodes WHERE game = ? AND status = 'settled'"
        [(count,)] = reader.sql(asked, [game]).rows

    assert columns | shared <= set(frame.columns)
    assert (len(frame), frame["episode"].nunique()) == (count, count)
    assert set(frame["alice"]) == {"scripted", "equilibrium", "fair"}


def test_a_seat_has_its_own_measures(folder: Path) -> None:
    with Reader.open(folder) as reader:
        frame = episodes_frame(reader, "bargaining")

    gained = frame["self_gain_alice"] + frame["self_gain_bob"]
    assert gained.to_numpy() == pytest.approx(frame["efficiency"].to_numpy())


def test_a_game_without_episodes_has_an_empty_frame(folder: Path) -> None:
    with Reader.open(folder) as reader:
        assert episodes_frame(reader, "poker").empty


def test_an_agent_that_is_named_like_its_seat_goes_by_its_model_or_kind(tmp_path: Path) -> None:
    few = ("market.factors.delta_a=[0.9]", "market.factors.delta_b=[0.9]", "backend=scripted")
    bob = ("agent@agent.bob=fair_bargainer", "market.factors.pie=[100]")
    with catallaxy.run("experiment=glee_bargaining", *few, *bob, runs=tmp_path) as record:
        [run] = record.folders
    with Reader.open(run) as reader:
        frame = episodes_frame(reader, "bargaining")

    assert set(zip(frame["alice"], frame["bob"], strict=True)) == {("scripted", "FairBargainer")}


def test_agents_that_share_a_model_go_by_their_own_names(tmp_path: Path) -> None:
    more = ("+agent@agent.patient=chat", "agent.patient.persona=You have time.")
    with catallaxy.run(*GLEE, *more, "~agent.fair", runs=tmp_path) as record:
        [run] = record.folders
    with Reader.open(run) as reader:
        frame = episodes_frame(reader, "bargaining")

    assert set(frame["alice"]) == {"model", "patient", "equilibrium"}

"""What a run found, as data frames."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from catallaxy.platform.record import Episode, EpisodeStatus, Turn, TurnKind
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import tables
from catallaxy.platform.view.overview import overview
from tests.platform.sample_run import engagements, sample, write


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with Reader.open(sample(tmp_path_factory.mktemp("runs") / "sample")) as opened:
        yield opened


def row(frame: pd.DataFrame, **wanted: str) -> pd.Series:
    for name, value in wanted.items():
        frame = frame.loc[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_every_ended_episode_is_counted_once(reader: Reader):
    counts = tables.counts(tables.plays(reader))
    assert counts["episodes"].sum() == 144
    assert (counts["settled"] + counts["failed"] + counts["crashed"]).sum() == 144
    assert row(counts, pairing="broken vs fair")["failed"] == 1
    assert row(counts, pairing="fair vs equilibrium")["no_deal"] == 12


def test_a_measure_stands_beside_theory_of_the_same_episodes(reader: Reader):
    found = tables.measures(reader, tables.plays(reader))
    gain = row(found, pairing="equilibrium vs fair", name="self_gain", seat="alice")
    assert gain["mean"] == pytest.approx(gain["predicted"], abs=1e-4)
    assert (gain["n"], gain["predicted_n"], gain["clusters"]) == (12, 12, 6)


def test_means_agree_with_sql(reader: Reader):
    found = tables.measures(reader, tables.plays(reader))
    asked = "SELECT avg(efficiency) FROM episodes JOIN seats USING (episode) WHERE agent = 'talker'"
    mine = found.loc[found["pairing"].str.contains("talker") & (found["name"] == "efficiency")]
    pooled = (mine["mean"] * mine["n"]).sum() / mine["n"].sum()
    assert pooled == pytest.approx(reader.sql(asked).rows[0][0])


def test_preferred_metrics_come_first(reader: Reader):
    found = tables.measures(reader, tables.plays(reader))
    assert tables.headlines(found) == [
        ("self_gain", "alice"),
        ("self_gain", "bob"),
        ("efficiency", ""),
        ("fairness", ""),
        ("agreement", ""),
        ("rounds", ""),
    ]


def test_a_concession_is_seen_in_the_offers_by_round(reader: Reader):
    offers = tables.offers_by_round(reader)
    asked = offers.loc[offers["agent"] == "concession"].set_index("round")["mean"]
    assert asked[1] == pytest.approx(0.9)
    assert asked.is_monotonic_decreasing


def test_a_claim_is_a_share_of_the_pie(tmp_path: Path):
    (plan, *_) = engagements([("equilibrium", "fair")])
    move = Turn(0, 0, "alice", 0, TurnKind.MOVE, "Claim", {"claim": 300.0})
    episode = Episode(plan, 1, EpisodeStatus.SETTLED, (move,), payoffs={"alice": 0.0, "bob": 0.0})
    with Reader.open(write(tmp_path / "run", [plan], [episode])) as reader:
        (offer,) = tables.offers_by_round(reader).to_dict("records")
    assert (offer["agent"], offer["round"], offer["mean"]) == ("equilibrium", 1, 0.3)


def test_agreement_by_round_only_grows_and_ends_at_the_share_of_agreements(reader: Reader):
    plays = tables.plays(reader)
    found = tables.agreement_by_round(reader, plays, most=6)
    whole = found.loc[found["who"] == ""]
    assert whole["share"].is_monotonic_increasing
    assert whole["share"].iloc[-1] == pytest.approx(plays["deal"].mean())


def test_bad_tries_and_model_errors_are_the_agents(reader: Reader):
    found = tables.agents(reader)
    talker, fair = row(found, agent="talker"), row(found, agent="fair")
    assert talker["unreadable"] > 0
    assert talker["model_errors"] > 0
    assert talker["calls"] == talker["tries"]
    assert (fair["unreadable"], fair["calls"]) == (0, 0)


def test_failures_carry_their_reason(reader: Reader):
    (failure,) = tables.failures(reader).to_dict("records")
    assert failure["fault"] == "backend"
    assert "connection refused" in failure["error"]


def test_a_game_with_unknown_metrics_and_many_seats_is_told_by_agent(tmp_path: Path):
    seats = {f"worker_{n}": "saver" if n % 2 else "spender" for n in range(6)}
    planned = engagements([("saver", "spender")])[:3]
    episodes = []
    for number, plan in enumerate(planned):
        world = Episode(
            engagement=type(plan)(number, plan.id, "world", plan.variant, None, seats, 0),
            play=1,
            status=EpisodeStatus.SETTLED,
            turns=(Turn(0, 0, "worker_0", 0, TurnKind.MOVE, "Work", {"hours": 8.0}),),
            payoffs={seat: float(number + n) for n, seat in enumerate(seats)},
            metrics={"welfare": 2.0 + number, **{f"wealth@{seat}": 1.0 for seat in seats}},
        )
        episodes.append(world)
    plans = [episode.engagement for episode in episodes]
    with Reader.open(write(tmp_path / "run", plans, episodes)) as reader:
        plays = tables.plays(reader)
        found = tables.measures(reader, plays)
        assert set(plays["pairing"]) == {"3 × spender, 3 × saver"}
        assert row(found, name="payoff", seat="saver")["mean"] == pytest.approx(4.0)
        assert row(found, name="welfare", seat="")["mean"] == pytest.approx(3.0)
        assert ("payoff", "saver") in tables.headlines(found)
        assert tables.offers_by_round(reader).empty
        assert tables.agreement_by_round(reader, plays, most=6).empty


def test_the_overview_counts_what_was_planned_and_done(reader: Reader):
    stands = overview(reader)
    assert stands is not None
    assert (stands.planned, stands.settled, stands.failed, stands.done) == (144, 143, 1, 144)
    assert stands.models == ("Talker-0.6B",)
    assert stands.games == ("bargaining",)

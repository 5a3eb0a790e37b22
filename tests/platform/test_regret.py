"""Best-response regret, of rows and of whole records."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import catallaxy
from catallaxy.agents.base import Act, Ask
from catallaxy.agents.scripted.bargaining import FairBargainer
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.platform.analysis.regret import (
    COLUMNS,
    MEAN_COLUMNS,
    Met,
    mean_regrets,
    regret_frame,
    regrets,
)
from tests.toys import SMALL

pytestmark = pytest.mark.slow

RULES = Bargaining()
FAIR = FairBargainer()


def views(runs: catallaxy.Runs) -> tuple[pd.DataFrame, ...]:
    """What `regret_frame` asks for."""
    asked = (runs.sql(f"SELECT * FROM {name}") for name in ("variants", "agents"))
    return (runs.seats(), *asked, runs.runs())


@pytest.fixture(scope="module")
def met_a_rule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of a language model, as Alice, and the fair bargainer."""
    folder = tmp_path_factory.mktemp("met_a_rule")
    catallaxy.run(*SMALL, "agent@agent.bob=fair_bargainer", runs=folder / "runs").close()
    return folder


def test_regret_is_the_best_response_less_what_was_earned() -> None:
    found, missed = regrets([Met(RULES, "alice", FAIR, 0.5), Met(RULES, "bob", FAIR, 0.2)])

    assert (found.best, found.regret, found.error) == (0.5, 0.0, 0.0)
    assert missed.regret == pytest.approx(0.3)
    assert found.note == missed.note == ""


@dataclass
class Counting:
    """A fair bargainer that counts how often it is asked."""

    rule: FairBargainer = field(default_factory=FairBargainer)
    asked: int = 0

    async def act(self, ask: Ask) -> Act:
        self.asked += 1
        return await self.rule.act(ask)


def test_an_opponent_is_tried_out_once_per_rules_and_seat() -> None:
    once, often = Counting(), Counting()

    regrets([Met(RULES, "alice", once, 0.1)])
    regrets([Met(RULES, "alice", often, earned / 10) for earned in range(10)])

    assert once.asked == often.asked > 0


def test_where_no_best_response_is_known_there_is_a_reason_and_no_number() -> None:
    (found,) = regrets([Met("rules of chess", "alice", FAIR, 1.0)])

    assert (found.best, found.regret, found.error) == (None, None, None)
    assert "str" in found.note


def test_a_model_that_met_a_rule_has_a_regret_and_the_rule_that_met_a_model_none(
    met_a_rule: Path,
) -> None:
    with catallaxy.open_runs(met_a_rule) as record:
        found = regret_frame(*views(record)).set_index("seat")

    model, rule = found.loc["alice"], found.loc["bob"]
    assert len(model) == len(rule) == 8
    assert list(model["best"]) == pytest.approx([0.5] * 8)
    assert (model["regret"] == model["best"] - model["earned"]).all()
    assert (model["regret"] >= -1e-9).all()
    assert rule["regret"].isna().all()
    assert set(rule["note"]) == {"the opponent's rule is not known"}


def test_a_record_of_all_three_games_has_a_regret_for_every_seat(tmp_path: Path) -> None:
    small = ("experiment=glee", "~agent.model", "backend=scripted", "market.share=0.005")
    with catallaxy.run(*small, runs=tmp_path) as record:
        found = regret_frame(*views(record))
        seats = record.seats()

    table = mean_regrets(found)
    assert tuple(found.columns) == COLUMNS
    assert len(found) == len(seats) > 0
    assert found["regret"].notna().all()
    assert set(table["game"]) == {"bargaining", "negotiation", "persuasion"}
    assert table["n"].sum() == len(found)


def test_the_page_s_python_runs(
    met_a_rule: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs/theory.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    monkeypatch.chdir(met_a_rule)

    exec(code, {})

    assert "bargaining" in capsys.readouterr().out


def frames(**changes: Any) -> dict[str, pd.DataFrame]:
    """One settled episode of bargaining, as the record shows it; `changes` are to its seats."""
    config = {"game": {"name": "bargaining", "rules": {"_target_": _path(Bargaining)}}}
    spec = {"_target_": _path(FairBargainer), "share": 0.6}
    seat = {"run": "r", "episode": "e", "game": "bargaining", "variant": "v", "status": "settled"}
    seats = [
        seat | {"seat": name, "agent": name, "self_gain_paper": 0.4} | changes
        for name in ("alice", "bob")
    ]
    variant = {"run": "r", "variant": "v", "game": "bargaining", "rules": json.dumps(asdict(RULES))}
    agents = [{"run": "r", "agent": name, "spec": json.dumps(spec)} for name in ("alice", "bob")]
    return {
        "seats": pd.DataFrame(seats),
        "variants": pd.DataFrame([variant]),
        "agents": pd.DataFrame(agents),
        "runs": pd.DataFrame([{"run": "r", "config": json.dumps(config)}]),
    }


def _path(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def test_rules_and_opponents_are_built_again_from_the_record() -> None:
    found = regret_frame(**frames())

    assert list(found["opponent"]) == ["bob", "alice"]
    assert list(found["best"]) == pytest.approx([0.4, 0.4])
    assert list(found["regret"]) == pytest.approx([0, 0])


@pytest.mark.parametrize("changes", [{"status": "failed"}, {"self_gain_paper": None}])
def test_what_was_not_settled_or_has_no_gain_is_left_out(changes: dict[str, Any]) -> None:
    found = regret_frame(**frames(**changes))

    assert len(found) == 0
    assert tuple(found.columns) == COLUMNS
    assert tuple(mean_regrets(found).columns) == MEAN_COLUMNS


def test_a_record_that_does_not_say_enough_gives_reasons() -> None:
    silent, foreign, crowded, old = frames(), frames(), frames(), frames()
    silent["runs"]["config"] = '{"game": {"name": "bargaining"}}'
    foreign["agents"]["spec"] = '{"_target_": "my_players.Clever"}'
    third = crowded["seats"].iloc[[0]].assign(seat="carol", agent="carol")
    crowded["seats"] = pd.concat([crowded["seats"], third])
    old["agents"]["spec"] = '{"_target_": "catallaxy.agents.scripted.bargaining.Gone"}'

    for given, reason in (
        (silent, "which rules bargaining has"),
        (foreign, "not known"),
        (crowded, "exactly one opponent"),
        (old, "cannot be imported"),
    ):
        found = regret_frame(**given)
        assert found["regret"].isna().all()
        assert found["note"].str.contains(reason).all()


def test_a_frame_without_gains_is_refused_by_name() -> None:
    given = frames()
    given["seats"] = given["seats"].drop(columns="self_gain_paper")

    with pytest.raises(ValueError, match="no column 'self_gain_paper'"):
        regret_frame(**given)


def test_means_are_by_agent_seat_and_opponent_and_leave_the_unknown_out() -> None:
    rows = [
        ("e1", "v1", "alice", "gpt", 0.1, 0.0),
        ("e2", "v2", "alice", "gpt", 0.3, 0.02),
        ("e3", "v3", "alice", "gpt", None, None),
        ("e4", "v1", "bob", "gpt", 0.5, 0.01),
    ]
    frame = pd.DataFrame(
        rows, columns=["episode", "variant", "seat", "agent", "regret", "error"]
    ).assign(game="bargaining", opponent="fair")

    table = mean_regrets(frame).set_index("seat")

    assert table["n"].to_dict() == {"alice": 2, "bob": 1}
    assert table["regret"].to_dict() == pytest.approx({"alice": 0.2, "bob": 0.5})
    assert table["error"].to_dict() == {"alice": 0.02, "bob": 0.01}

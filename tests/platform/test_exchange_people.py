"""Models by their names, people without theirs."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catallaxy.platform.exchange.glee_import import Wish, games_in, import_glee
from catallaxy.platform.exchange.glee_layout import Config, Player
from catallaxy.platform.exchange.glee_people import agent_of, model_of, player_of
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import AgentRow
from tests.platform.glee_files import BARGAINING_ARGS, PERSON, RIVAL, config, written

DANA = {**PERSON, "public_name": "dana", "player_id": "A1B2C3-worker"}
PERSONAL = {
    "participation_fee": 1.25,
    "qualification_id": "QUAL-77",
    "qualification_base": "BASE-3",
}


def settings(*players: Player, name: str | None = None) -> Config:
    first, second = players if len(players) == 2 else (players[0], players[0])
    return Config("bargaining", (first, second), {}, name)


def dana_s_game(root: Path) -> Path:
    """A person who calls herself dana offers something to a model, which uses her name."""
    args = {**BARGAINING_ARGS, "delta_1": 1, "delta_2": 1, "messages_allowed": True}
    rows = (
        "dana_gain,bob_gain,message,player,round,decision",
        '6000.0,4000.0,"I am dana, hi",Alice,1,None',
        ",,None,Bob,1,reject",
        '4000.0,6000.0,"Dana, DANA! Dana\'s share, danaos",Bob,2,None',
        ",,None,Alice,2,accept",
    )
    folder = written(
        root, "bargaining", config("bargaining", args, (DANA, RIVAL), **PERSONAL), rows
    )
    log = (
        "prompt,response",
        '"Dana offers 6000: {""dana_gain"": 6000}","No, Dana"',
        '"Offer","Dana, DANA!"',
    )
    (folder / "log_player_2.csv").write_text("\r\n".join(log), newline="")
    return folder


def everything(folder: Path) -> str:
    """Every row of every table of a record, as one text."""
    with Reader.open(folder) as reader:
        tables = (
            "runs",
            "agents",
            "variants",
            "engagements",
            "episodes",
            "seats",
            "turns",
            "messages",
        )
        return json.dumps([reader.sql(f"FROM {table}").rows for table in tables], default=str)


@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of that game without what is personal."""
    root = tmp_path_factory.mktemp("dropped")
    dana_s_game(root / "games")
    import_glee(Wish(root / "games"), games_in(root / "games"), root / "run", "run")
    return root / "run"


# Models.


@pytest.mark.parametrize(
    ("type_", "model", "name"),
    [
        ("litellm", "openai/gpt-4o", "gpt-4o"),
        ("litellm", "vllm/Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("litellm", "gpt-4o", "gpt-4o"),
        ("vertexai", "gemini-1.5-pro", "gemini-1.5-pro"),
        ("hf", "meta-llama/Llama-3.1", "meta-llama/Llama-3.1"),
        ("otree", "otree", "human"),
        ("otree_LLM", "otree_LLM", "gemini-1.5-flash"),
        ("terminal", "", "human"),
        ("demo", "", "demo"),
        ("", "", "unknown"),
        ("catallaxy", "fair", ""),
    ],
)
def test_a_model_has_the_name_of_the_paper(type_: str, model: str, name: str) -> None:
    assert model_of(Player(type_, model, "Alice")) == name


def test_an_agent_is_called_like_its_model() -> None:
    player = Player("litellm", "openai/gpt-4o", "Alice", "7")

    agent = agent_of(player, settings(player))

    assert (agent.agent, agent.kind, agent.model) == ("gpt-4o", "imported", "gpt-4o")


def test_what_we_exported_keeps_the_names_of_its_agents() -> None:
    player = Player("litellm", "openai/gpt-4o", "Alice", "haiku")

    assert agent_of(player, settings(player, name="catallaxy pilot")).agent == "haiku"


@pytest.mark.parametrize(
    "agent",
    [
        AgentRow("haiku", "ChatAgent", "openai@haiku", "gpt-4o"),
        AgentRow("haiku", "ChatAgent", "vllm", "Qwen/Qwen3-8B"),
        AgentRow("fair", "FairBargainer"),
        AgentRow("gpt-4o", "imported", "", "gpt-4o", {"type": "litellm", "model_name": "x/gpt-4o"}),
    ],
)
def test_an_agent_comes_back_with_its_name_and_model(agent: AgentRow) -> None:
    player = replace(player_of(agent), public_name="Alice")

    back = agent_of(player, settings(player, name="catallaxy pilot"))

    assert (back.agent, back.model) == (agent.agent, agent.model)


@pytest.mark.parametrize("kind", ["TerminalAgent", "PageAgent"])
def test_a_person_of_ours_leaves_no_name(kind: str) -> None:
    player = player_of(AgentRow("dana", kind))

    assert (player.type, player.model_name, player.player_id) == ("otree", "otree", None)


# People.


def test_names_ids_and_pay_of_people_are_not_on_record(dropped: Path) -> None:
    record = everything(dropped)

    assert "gemini-1.5-flash" in record
    for personal in ("dana ", "dana,", "dana'", "dana!", "worker", "qual-77", "base-3", "1.25"):
        assert personal not in record.lower()


def test_alice_stands_where_the_name_stood(dropped: Path) -> None:
    with Reader.open(dropped) as reader:
        said = reader.sql("SELECT move->>'message' FROM turns WHERE move_type = 'OfferWithMessage'")
        heard = reader.sql("SELECT content FROM transcript WHERE role = 'user' ORDER BY seq")

    assert said.rows == [("I am Alice, hi",), ("Alice, Alice! Alice's share, danaos",)]
    assert heard.rows[0] == ('Alice offers 6000: {"alice_gain": 6000}',)


def test_people_are_one_agent(dropped: Path) -> None:
    with Reader.open(dropped) as reader:
        agents = reader.sql("SELECT agent, kind, model FROM agents ORDER BY agent").rows

    assert agents == [
        ("gemini-1.5-flash", "imported", "gemini-1.5-flash"),
        ("human", "imported", "human"),
    ]


def test_what_is_personal_is_kept_if_asked_for(tmp_path: Path) -> None:
    dana_s_game(tmp_path / "games")
    import_glee(
        Wish(tmp_path / "games", keep_personal=True),
        games_in(tmp_path / "games"),
        tmp_path / "run",
        "run",
    )

    with Reader.open(tmp_path / "run") as reader:
        said = reader.sql("SELECT move->>'message' FROM turns WHERE seq = 0").rows
        ((agent, model, spec),) = reader.sql(
            "SELECT agent, model, CAST(spec AS VARCHAR) FROM agents WHERE agent LIKE 'human%'"
        ).rows

    assert said == [("I am dana, hi",)]
    assert (agent, model) == ("human dana A1B2C3-worker", "human")
    assert json.loads(spec)["qualification_id"] == "QUAL-77"

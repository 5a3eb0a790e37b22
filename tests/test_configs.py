"""Every yaml composes and builds; every experiment runs dry on a scripted model."""

from pathlib import Path

import pytest

import catallaxy
from catallaxy.agents.scripted.bargaining import FairBargainer
from catallaxy.agents.scripted.medley import Medley
from catallaxy.games.glee.bargaining import Bargaining, BargainingState
from catallaxy.games.glee.negotiation import Negotiation, NegotiationState
from catallaxy.platform.compose import CONF, composed, digest, jobs, spelled_out
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.experiment import experiment

EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
GIVEN = {
    "openai": ["backend.model=m"],
    "endpoint": ["backend.model=m", "backend.base_url=http://127.0.0.1:1"],
    "langchain": [
        "backend.class_path=langchain_core.language_models.FakeListChatModel",
        "backend.model=m",
    ],
    "replay": ["backend.run=runs/last"],
}


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


BARE = ["~experiment", "+agent@agent.x=chat", "+agent@agent.y=chat", "backend=scripted"]
BARE += ["market.seating=with_self"]
"""One game and two agents, without a design of its own."""
INSTEAD_OF_PEOPLE = {"play": ["agent@agent.you=random_glee"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_dry(name: str, tmp_path: Path) -> None:
    more = INSTEAD_OF_PEOPLE.get(name, [])
    with catallaxy.run(f"experiment={name}", "backend=scripted", *more, runs=tmp_path) as record:
        episodes = record.episodes()

    assert len(episodes) > 0
    assert set(episodes["status"]) == {"settled"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_how_it_is_run(name: str) -> None:
    package, command = (CONF / "experiment" / f"{name}.yaml").read_text().splitlines()[:2]

    assert package == "# @package _global_"
    assert command.startswith("# catallaxy run")


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, name)
        for group in ("game", "backend", "cluster", "store", "table", "compat/glee")
        for name in names(group)
    ],
)
def test_every_option_of_every_group_builds(group: str, name: str) -> None:
    more = GIVEN.get(name, []) if group == "backend" else []

    built = experiment(composed([*BARE, f"{group}={name}", *more]))

    assert len(built.design()) == 4


@pytest.mark.parametrize("name", names("market"))
def test_every_matchmaker_builds(name: str) -> None:
    assert composed(["~experiment", f"market={name}"])["market"]["_target_"]


@pytest.mark.parametrize("name", names("agent"))
def test_every_agent_builds_at_a_seat(name: str) -> None:
    game = {"negotiator": "negotiation", "persuader": "persuasion"}.get(name.rpartition("_")[2])
    study = f"experiment=glee_{game or 'bargaining'}"

    built = experiment(composed([study, f"agent@agent.bob={name}"]))

    assert set(built.house.registry) == {"alice", "bob"}


def test_a_backend_per_seat_by_name_and_with_changes() -> None:
    config = composed(
        [
            "experiment=glee_bargaining",
            "backend=scripted",
            "agent.alice.backend=openai",
            "agent.bob.backend={use: endpoint, model: mine, base_url: 'http://127.0.0.1:1'}",
        ]
    )

    assert set(config["backends"]) == {"openai", "endpoint@bob"}
    assert config["backends"]["endpoint@bob"]["model"] == "mine"
    assert config["agent"]["bob"]["backend"] == "endpoint@bob"


def test_naming_the_default_backend_keeps_its_overrides() -> None:
    config = composed(
        [
            "experiment=glee_bargaining",
            "backend=scripted",
            "backend.model=special",
            "agent.alice.backend=scripted",
        ]
    )

    assert {spec["model"] for spec in config["backends"].values()} == {"special"}


def test_agents_with_the_same_backend_share_one_gate() -> None:
    built = experiment(composed(["experiment=glee_bargaining", "backend=scripted"]))

    assert len(built.session.gates) == 1
    models = {id(getattr(entry.agent, "model", None)) for entry in built.house.registry.values()}
    assert models == {id(built.session.gates[0])}


def test_a_compat_preset_by_its_short_name_is_the_preset() -> None:
    short = composed(["experiment=glee_bargaining", "compat.glee=official"])
    long = composed(["experiment=glee_bargaining", "compat/glee=official"])

    assert digest(short) == digest(long)
    assert digest(short) != digest(composed(["experiment=glee_bargaining"]))


def test_a_switch_can_be_set_beside_a_preset_by_its_short_name() -> None:
    config = composed(
        ["experiment=glee_bargaining", "compat.glee=official", "compat.glee.reminder_scope=own"]
    )

    compat = config["game"]["rules"]["compat"]
    assert (compat["reminder_scope"], compat["reminder_recipients"]) == ("own", "responder")


def test_a_choice_between_words_may_be_false_without_quotes() -> None:
    built = experiment(
        composed(
            ["experiment=glee_bargaining", "backend=scripted", "compat.glee.http_decision=false"]
        )
    )

    assert built.house.catalogue["bargaining"].rules.compat.http_decision == "false"


TWO_WORDINGS = "+market.factors.wording=[plain,terse]"


@pytest.mark.parametrize(
    ("experiment_", "overrides", "said"),
    [
        (
            "glee_bargaining",
            ["game/wording=terse", TWO_WORDINGS],
            "game/wording: this design varies",
        ),
        ("glee", ["game/wording=terse", TWO_WORDINGS], "game/wording: this design varies"),
        ("glee_bargaining", ["game.wording.terms.objective=x", TWO_WORDINGS], "one of its levels"),
        ("glee", ["+market.factors.pie=[100]"], "market.factors_of.bargaining.pie both vary 'pie'"),
        ("glee", ["market.factors.pie=[100]"], "'pie' is not known. There is none."),
        ("glee", ["game=negotiation"], "there are two games called 'negotiation'"),
        ("glee", ["game/wording=terse", "game/wording=paper"], "game/wording is given twice"),
        ("glee", ["game/wording=terse,paper"], "+market.factors.wording=[NAME,NAME]"),
        (
            "glee",
            ["market.share=null", "market.per_seating={bargaining: 2}"],
            "market.per_seating has no number for 'negotiation'",
        ),
    ],
)
def test_overrides_that_would_do_nothing_are_refused(
    experiment_: str, overrides: list[str], said: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        experiment(composed([f"experiment={experiment_}", "backend=scripted", *overrides]))

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("study", "player", "said"),
    [
        ("glee_persuasion", "fair_bargainer", "FairBargainer does not play persuasion"),
        ("glee_bargaining", "greedy_negotiator", "GreedyNegotiator does not play bargaining"),
        ("glee_negotiation", "random_persuader", "RandomPersuader does not play negotiation"),
    ],
)
def test_a_player_of_another_game_is_refused_before_anything_starts(
    study: str, player: str, said: str
) -> None:
    config = composed([f"experiment={study}", "backend=scripted", f"agent@agent.bob={player}"])

    with pytest.raises(ConfigError, match=f"agent.bob: {said}"):
        experiment(config)


def test_a_medley_plays_the_games_of_its_players() -> None:
    medley = Medley({"bargaining": FairBargainer()})

    assert medley.plays(Bargaining().view(BargainingState(), "alice"))
    assert not medley.plays(Negotiation().view(NegotiationState(), "alice"))


def test_the_words_of_a_game_are_no_choice_in_a_sweep_over_games() -> None:
    swept = spelled_out(["game=bargaining,negotiation", "game/wording=terse"])

    with pytest.raises(ConfigError, match="the games of this sweep differ"):
        for job in jobs(swept):
            composed(job)


def test_wordings_may_be_part_of_a_level_of_several_rules() -> None:
    both = "+market.factors.how=[{wording: terse, max_rounds: 4},{wording: plain, max_rounds: 6}]"

    built = experiment(
        composed(
            [
                "~experiment",
                "backend=scripted",
                "+agent@agent.alice=chat",
                "+agent@agent.bob=chat",
                both,
            ]
        )
    )

    assert {(e.wording, e.rules.max_rounds) for e in built.design()} == {("terse", 4), ("plain", 6)}


def test_a_sweep_has_one_job_per_combination() -> None:
    assert jobs(["seed=1,2", "name=a,b"]) == [
        ["seed=1", "name=a"],
        ["seed=1", "name=b"],
        ["seed=2", "name=a"],
        ["seed=2", "name=b"],
    ]
    assert len(jobs(["seed=range(10)"])) == 10


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("backend=scripte", "Did you mean 'scripted'?"),
        ("experiment=glee_barganing", "Did you mean 'glee_bargaining'?"),
        ("game.rules.delta_c=1", "Did you mean 'delta_b'?"),
        ("agnt.alice.persona=x", "Did you mean 'agent'?"),
        ("agent.alice.temperatur=1", "Did you mean 'temperature'?"),
        ("agent.alice.backend=opena1", "Did you mean 'openai'?"),
        ("agent.alice.backend={use: scripted, modl: x}", "Did you mean 'model'?"),
        ("compat.glee=offical", "Did you mean 'official'?"),
        ("experiment=null", "must be a string or a list"),
        ("seed=[1", "no FIELD=VALUE that can be read"),
        ("seed=x", "seed must be a whole number, not 'x'."),
        ("market.seating=by_set", "Did you mean 'by_seat'?"),
        ("+market.factors.deltaa=[0.5]", "Did you mean 'delta_a'?"),
        ("market.factors.delta_a=[1.5]", "give a number above 0 and up to 1; you gave 1.5."),
        ("market.replicates=0", "replicates must be at least 1"),
        ("game.wording.system='{{ view.price }}'", "does not fit the game"),
        ("game.wording.system='{% if %}'", "wording 'plain'"),
        ("budget.calls=many", "budget.calls must be"),
        ("game.rules.delta_a=0.8", "this design varies 'delta_a' (market.factors.delta_a)"),
        ("game.rules.max_rounds=5", "this design varies 'max_rounds' (market.factors.horizon)"),
        ("market.factors={pie2: [1]}", "+market.factors.NAME=VALUE adds a name"),
        ("market.factors.pie=100", "must be a list of levels, such as [100], not 100."),
        ("market.factors.pie=null", "must be a list of levels, not None."),
        ("market.factors=null", "market.factors must be a mapping, not None."),
        ("+market.factors_of.bargaining=[1]", "must be a mapping"),
        ("games=null", "games must be a mapping"),
        ("+market.factors.max_rounds=[5]", "both vary 'max_rounds'"),
        ("market.factors.wording=[plain]", "A new factor begins with +."),
        ("wording=terse", "Did you mean 'game/wording'?"),
        ("game.wording=terse", "game/wording=NAME chooses them"),
        ("table.tries=0", "tries must be at least 1"),
        ("cluster.in_flight=x", "cluster.in_flight must be"),
    ],
)
def test_a_wrong_override_is_one_sentence_before_anything_starts(override: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        experiment(composed(["experiment=glee_bargaining", "backend=scripted", override]))

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)

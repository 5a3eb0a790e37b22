"""The statistics of GLEE's games on the page: the right numbers, or one line why there are none."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import catallaxy
from catallaxy.platform.analysis.effects import CLASSICAL, ROBUST
from catallaxy.platform.analysis.families import FAMILIES
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.exchange.glee_import import Wish, games_in, import_glee
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.view import figures_effects, statistics
from catallaxy.platform.view.findings_effects import EffectsFound, effects_found, pairs_found
from catallaxy.platform.view.findings_meta import meta_found, signs_found
from catallaxy.platform.view.numbers import chance, fine, points, times
from catallaxy.platform.view.origins import origins
from catallaxy.platform.view.sections import Sections, sections
from catallaxy.platform.view.standings import ranking_found, theory_found
from catallaxy.platform.view.statistics import CannotTell
from catallaxy.platform.view.study import Study
from tests.platform import glee_files, glee_samples
from tests.toys import GRID, SMALL

pytestmark = pytest.mark.slow

FEW = ("market.factors.messages_allowed=[false]", "market.factors.complete_information=[true]")
NAMES = ("concession", "equilibrium", "fair")


def noisy(family: str = "bargaining", size: float = 0.02) -> pd.DataFrame:
    """Episodes of known effects and a little noise."""
    frame = glee_samples.episodes(family)
    rng = np.random.default_rng(0)
    measures = ["fairness", "efficiency", "self_gain_alice", "self_gain_bob"]
    return frame.assign(
        **{name: frame[name] + rng.normal(0, size, len(frame)) for name in measures}
    )


def study(frame: pd.DataFrame, family: str = "bargaining") -> Study:
    return Study(frame, FAMILIES[family])


def effects(frame: pd.DataFrame, family: str = "bargaining") -> EffectsFound:
    asked = study(frame, family)
    return effects_found(asked, asked.effects())


def missing(found: Sections) -> list[str]:
    """What the page cannot say."""
    return [title for titles in found.missing.values() for title in titles]


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which every player meets every other one in every configuration."""
    with catallaxy.run(*GRID, runs=tmp_path_factory.mktemp("grid")) as record:
        return record.folders[0]


@pytest.fixture(scope="module")
def told(grid: Path) -> Sections:
    """Its statistics."""
    with Reader.open(grid) as reader:
        found = sections(reader, "bargaining", "g0")
    assert found is not None
    return found


# Effects.


def test_effects_are_in_percentage_points_beside_the_reference_level() -> None:
    found = dict(effects(noisy()).factors)
    levels = {row.level: row.effects for row in found["delta_a"]}

    assert levels["0.9"] is None
    assert levels["0.8"] is not None
    fairness, efficiency, *_ = levels["0.8"]
    assert fairness.points == pytest.approx(-5, abs=0.5)
    assert efficiency.points == pytest.approx(-2.5, abs=0.5)
    assert fairness.half is not None
    assert 0 < fairness.half < 1


def test_every_number_of_the_table_is_that_of_the_analysis() -> None:
    asked = study(noisy())
    analysis = asked.effects()
    found = effects_found(asked, analysis)

    for place, metric in enumerate(found.measures):
        of_metric = analysis.table["metric"] == metric
        table = analysis.table[of_metric].set_index(["factor", "level"])
        for factor, rows in found.factors:
            for row in rows:
                expected = table.loc[(factor, row.level)]
                assert row.n == expected["n_level"]
                if row.effects is not None:
                    effect = row.effects[place]
                    assert effect.points == pytest.approx(100 * expected["estimate"])
                    half = 50 * (expected["high"] - expected["low"])
                    assert effect.half == pytest.approx(half)
                    assert effect.p == pytest.approx(expected["p_adjusted"])


def test_the_method_names_episodes_clusters_and_correction() -> None:
    robust = effects(noisy()).method
    asked = Study(noisy(), FAMILIES["bargaining"], CLASSICAL)
    classical = effects_found(asked, asked.effects()).method

    assert "on 432 episodes of 48 configurations" in robust
    assert "cluster-robust by configuration" in robust
    assert "after Holm over the 44 effects" in robust
    assert "1.96 standard errors, as in the paper" in classical
    assert "not corrected" in classical


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (
            noisy().query("variant == variant.iloc[0]"),
            "at least 5 configurations; the record has 1",
        ),
        (glee_samples.episodes("bargaining"), "no noise to judge by"),
        (noisy().head(1), "nothing varied"),
    ],
)
def test_without_intervals_there_is_one_sentence_and_no_table(
    frame: pd.DataFrame, why: str
) -> None:
    with pytest.raises(CannotTell, match=why):
        effects(frame)


def test_a_wording_that_no_two_players_share_is_left_out_and_said_so() -> None:
    frame = noisy()
    read = {"o3-mini": "german"}
    apart = frame[(frame["alice"] == "o3-mini") == (frame["bob"] == "o3-mini")]
    apart = apart.assign(wording=apart["alice"].map(read).fillna("plain"))
    shared = frame.assign(wording=np.where(frame.index % 2, "german", "plain"))

    assert any("wording is not a factor" in note for note in effects(apart).notes)
    assert "wording" not in dict(effects(apart).factors)
    assert "wording" in dict(effects(shared).factors)


def test_the_figure_has_every_level_and_its_metric() -> None:
    found = effects(noisy())
    svg = figures_effects.level_effects(found.tables["fairness"], "fairness", "f")

    for text in ("fairness", "delta_a", "0.9 (ref.)", "CI/-/12", "o3-mini"):
        assert f">{text}</text>" in svg


# Pairs.


def test_a_pair_that_never_met_is_a_dash_and_the_others_have_their_number() -> None:
    frame = noisy()
    frame = frame[~((frame["alice"] == "o3-mini") & (frame["bob"] == "o3-mini"))]
    asked = study(frame)
    found = pairs_found(asked, asked.pairs())
    matrix = found.matrices["fairness"]
    svg = figures_effects.pair_map(matrix, "fairness", "p")

    assert len(found.rows) == 8
    assert svg.count(">–</text>") == 1
    for value in matrix.to_numpy().ravel()[:8]:
        assert f">{100 * value:+.1f}</text>" in svg


def test_the_largest_effect_has_the_strongest_shade() -> None:
    matrix = pd.DataFrame([[0.2, 0.0], [-0.2, 0.1]], index=["a", "b"], columns=["a", "b"])
    svg = figures_effects.pair_map(matrix, "fairness", "p")

    for shade in ("var(--high) 100%", "var(--low) 100%", "var(--high) 50%", "var(--low) 0%"):
        assert f"color-mix(in srgb, {shade}, var(--paper))" in svg


def test_maps_of_many_models_have_shades_and_no_numbers() -> None:
    names = [f"m{number:02d}" for number in range(figures_effects.NUMBERED + 1)]
    matrix = pd.DataFrame(0.25, index=names, columns=names)

    assert "+25" not in figures_effects.pair_map(matrix, "fairness", "p")
    assert "+25" in figures_effects.pair_map(matrix.iloc[:3, :3], "fairness", "p")


def test_one_pair_of_players_makes_no_map() -> None:
    frame = noisy().query("alice == 'o3-mini' and bob == 'o3-mini'")
    asked = study(frame)

    with pytest.raises(CannotTell, match="one ordered pair of players only"):
        pairs_found(asked, asked.pairs())
    with pytest.raises(CannotTell, match="nothing to choose"):
        meta_found(asked)


def with_a_stranger(frame: pd.DataFrame) -> pd.DataFrame:
    """The episodes and a single one between two players that meet nobody else."""
    renamed = {"gemini-1.5-flash": "flash"}
    known = frame.assign(alice=frame["alice"].replace(renamed), bob=frame["bob"].replace(renamed))
    return pd.concat([known, frame.head(1).assign(alice="human", bob="gemini-1.5-flash")])


def test_one_game_between_strangers_spoils_no_interval_of_the_others() -> None:
    asked = study(with_a_stranger(noisy()).reset_index(drop=True))
    found = pairs_found(asked, asked.pairs())

    assert len(found.rows) == 9
    assert all(effect.half for row in found.rows for _, effect in row.cells)
    assert "Left out: 1 pair with one configuration only." in found.notes


def test_players_are_compared_with_one_whom_most_others_met() -> None:
    rows = dict(effects(with_a_stranger(noisy()).reset_index(drop=True)).factors)["bob"]
    found = {row.level: row.effects for row in rows}

    assert found["flash"] is None
    assert found["o3-mini"] is not None
    assert found["o3-mini"][0].points == pytest.approx(1, abs=1)
    assert found["gemini-1.5-flash"] is not None
    assert found["gemini-1.5-flash"][0].points is None


# The meta-game and the paper.


def chosen(gains: Sequence[Sequence[tuple[float, float]]]) -> Study:
    """A study in which two models gain this against each other in every configuration."""
    frame = noisy(size=1e-4).query("alice != 'o3-mini' and bob != 'o3-mini'")
    names = sorted(frame["alice"].unique())
    for seat in range(2):
        values = [
            gains[names.index(alice)][names.index(bob)][seat]
            for alice, bob in zip(frame["alice"], frame["bob"], strict=True)
        ]
        column = ("self_gain_alice", "self_gain_bob")[seat]
        noise = frame[column] - glee_samples.episodes("bargaining").loc[frame.index, column]
        frame = frame.assign(**{column: noise + values})
    return study(frame)


def test_a_dilemma_has_one_pure_equilibrium_that_survives() -> None:
    found = meta_found(chosen([[(0.3, 0.3), (0.0, 0.5)], [(0.5, 0.0), (0.1, 0.1)]]))
    marks = [[c and (c.alice_best, c.bob_best) for c in cells] for _, cells in found.rows]

    assert marks == [[(False, False), (False, True)], [(True, False), (True, True)]]
    assert [each.pure for each in found.equilibria] == [True]
    assert found.equilibria[0].alice_gain == pytest.approx(0.1, abs=1e-3)
    assert [each["share"] for each in found.survivors] == [1.0]
    assert found.sentences == ()


def test_matching_pennies_are_mixed_and_said_to_have_no_pure_equilibrium() -> None:
    found = meta_found(chosen([[(0.4, 0.0), (0.0, 0.4)], [(0.0, 0.4), (0.4, 0.0)]]))

    assert [each.pure for each in found.equilibria] == [False]
    assert list(found.equilibria[0].alice.values()) == pytest.approx([0.5, 0.5], abs=0.01)
    assert "No pair of single players is an equilibrium." in found.sentences


def test_no_equilibrium_is_claimed_while_a_pair_is_missing() -> None:
    frame = noisy()
    found = meta_found(study(frame[~((frame["alice"] == "o3-mini") & (frame["bob"] == "o3-mini"))]))

    assert found.equilibria == ()
    assert found.rows[2][1][2] is None
    assert not any(cell and cell.alice_best for _, (*_, cell) in found.rows)
    assert "1 of 9 pairs are missing" in found.sentences[0]


def test_markets_stand_beside_the_paper_s_without_a_reference_level() -> None:
    asked = study(noisy())
    found = signs_found(asked, asked.effects().effects)
    rows = {market: [cell or (np.nan, np.nan) for cell in cells] for market, cells in found.rows}

    assert found.measures == ("efficiency", "fairness")
    assert set(rows) == {"CI/-/inf", "-/MA/inf", "CI/-/12", "-/-/12"}
    for place in range(2):
        for side in range(2):
            assert sum(cells[place][side] for cells in rows.values()) == pytest.approx(0)
    differ = rows["-/MA/inf"][1][0] - rows["CI/-/12"][1][0]
    assert differ == pytest.approx(4.4 + 0.8)
    assert "Alice claude-3-5-sonnet, Bob claude-3-7-sonnet" in found.sentences[-1]


# A run: who played, theory, ranking.


def test_the_design_of_the_grid_is_balanced(told: Sections) -> None:
    design = told.origins.design

    assert (design.episodes, design.configurations, design.seatings) == (144, 16, 9)
    assert design.per_configuration == (9, 9)
    assert {factor.association for factor in design.factors} == {0}


def test_players_are_counted_by_seat_and_kind(told: Sections) -> None:
    found = [(each.name, each.what, each.as_alice, each.as_bob) for each in told.origins.players]

    assert found == [(name, "scripted", 48, 48) for name in NAMES]
    assert told.origins.by == {"scripted": 144}
    assert told.origins.imported == 0


def test_people_and_models_of_imported_games_are_told_apart(tmp_path: Path) -> None:
    root = tmp_path / "games"
    glee_files.bargaining(root)
    models = (glee_files.GPT, glee_files.GROK)
    settings = glee_files.config(
        "bargaining", {**glee_files.BARGAINING_ARGS, "delta_1": 0.9, "delta_2": 0.8}, models
    )
    rows = glee_files.BARGAINING_ROWS
    glee_files.written(root, "bargaining", settings, rows, id_="1a1b2c3d4e5f6a7b")
    import_glee(Wish(root), games_in(root), tmp_path / "run", "imported")
    with Reader.open(tmp_path / "run") as reader:
        found = origins(reader, "bargaining", statistics.episodes(reader, "bargaining"))

    assert (found.settled, found.imported) == (2, 2)
    assert {(each.name, each.what) for each in found.players} == {
        ("human", "imported"),
        ("gemini-1.5-flash", "imported"),
        ("gpt-4o", "imported"),
        ("grok-2-1212", "imported"),
    }


def test_imported_games_that_could_not_be_read_are_no_part_of_the_design(tmp_path: Path) -> None:
    root = tmp_path / "games"
    glee_files.bargaining(root)
    for id_ in ("0000000000000000", "ffffffffffffffff"):  # before and after the one that can
        folder = glee_files.folder_of(root, "bargaining", id_)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{")
    import_glee(Wish(root), games_in(root), tmp_path / "run", "imported")
    with Reader.open(tmp_path / "run") as reader:
        found = origins(reader, "bargaining", statistics.episodes(reader, "bargaining"))

    assert (found.settled, found.design.episodes, found.design.factors) == (1, 1, ())


def test_distance_is_the_mean_of_what_the_record_says(grid: Path) -> None:
    with Reader.open(grid) as reader:
        frame = statistics.episodes(reader, "bargaining")
        found = theory_found(reader, "bargaining", frame)
    (row,) = [each for each in found.rows if (each.agent, each.seat) == ("concession", "bob")]
    own = frame[frame["agent_bob"] == "concession"]

    assert row.gain.value == pytest.approx(own["self_gain_bob"].mean())
    assert row.distance is not None
    assert row.distance.value == pytest.approx(own["distance_to_theory_bob"].mean())
    assert found.settled == found.tried == 144


def test_regret_is_above_zero_and_names_the_opponents(told: Sections) -> None:
    assert told.theory is not None
    regrets = {(each.agent, each.seat): each.regret for each in told.theory.rows}

    assert len(regrets) == 6
    assert all(each is not None and each.value > -0.01 for each in regrets.values())
    assert {each.against for each in told.theory.rows} == {NAMES}


def test_a_page_tries_few_episodes_of_players_that_toss_coins(tmp_path: Path) -> None:
    lucky = ("+agent@agent.luck=random_bargainer", "~agent.concession", "~agent.fair")
    with catallaxy.run(*GRID, *lucky, runs=tmp_path) as record:
        (folder,) = record.folders
    with Reader.open(folder) as reader:
        found = theory_found(reader, "bargaining", statistics.episodes(reader, "bargaining"))

    assert (found.settled, found.tried) == (64, 16 + 8)
    assert found.error > 0


def test_the_ranking_has_everybody_who_had_a_rival(told: Sections) -> None:
    assert told.ranking is not None
    assert {row.player for row in told.ranking.rows} == set(NAMES)
    shares = [row.percentile for row in told.ranking.rows]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(150)


def test_without_rivals_there_is_no_ranking() -> None:
    frame = noisy().query("alice == 'o3-mini' and bob == 'o3-mini'")

    with pytest.raises(CannotTell, match="several players took the same seat"):
        ranking_found(frame)


def test_a_grid_has_every_section(told: Sections) -> None:
    assert missing(told) == []
    assert len(told.effect_figures) == len(told.pair_figures) == 4
    assert told.meta is not None
    assert len(told.meta.rows) == 3


# Little data, other games, other installations.


def test_a_handful_of_episodes_says_in_one_line_each_what_it_cannot_tell(tmp_path: Path) -> None:
    with catallaxy.run(*SMALL, *FEW, runs=tmp_path) as record:
        (folder,) = record.folders
    with Reader.open(folder) as reader:
        found = sections(reader, "bargaining", "g0")

    assert found is not None
    assert {"effects", "pairs", "meta-game", "the paper's signs", "ranking"} <= set(missing(found))
    assert found.effect_figures == found.pair_figures == []
    assert found.theory is not None


def test_a_game_that_is_not_glee_s_has_no_statistics(grid: Path) -> None:
    with Reader.open(grid) as reader:
        assert sections(reader, "public_goods", "g0") is None
        assert sections(reader, "negotiation", "g0") is None
        with pytest.raises(ConfigError, match="not for 'public_goods'"):
            statistics.study(reader, "public_goods")
        with pytest.raises(ConfigError, match="the record has those of: bargaining"):
            statistics.study(reader, "negotiation")


def test_the_rules_decide_about_inference(tmp_path: Path) -> None:
    with catallaxy.run(*SMALL, "compat.glee.inference=classical", runs=tmp_path) as record:
        (classical,) = record.folders
    with Reader.open(classical) as reader:
        assert statistics.study(reader, "bargaining").inference == CLASSICAL


def test_robust_inference_is_the_default(grid: Path) -> None:
    with Reader.open(grid) as reader:
        assert statistics.study(reader, "bargaining").inference == ROBUST


def test_without_statsmodels_the_page_is_written_and_says_what_to_install(tmp_path: Path) -> None:
    with catallaxy.run(*SMALL, runs=tmp_path) as record:
        (folder,) = record.folders
    code = (
        "import sys; sys.modules['statsmodels'] = sys.modules['nashpy'] = None\n"
        "from pathlib import Path\n"
        "from catallaxy.platform.view.report import write_report\n"
        "print(write_report(Path(sys.argv[1]), Path(sys.argv[2])).read_text())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), str(tmp_path / "without.html")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("pip install catallaxy[analysis]") == 1
    assert "Who played, and the design" in done.stdout
    assert "Distance to theory" in done.stdout
    assert "What the market and the players change" not in done.stdout


# Numbers.


def test_points_have_a_sign_and_p_values_few_digits() -> None:
    assert [points(each) for each in (2.34, -0.04, -12.0, None)] == ["+2.3", "0.0", "-12.0", "–"]
    assert [chance(each) for each in (0.00004, 0.0123, 0.5, None)] == [
        "<0.001",
        "0.012",
        "0.50",
        "",
    ]
    assert [fine(each) for each in (0.51649, -0.0001)] == ["0.516", "0.000"]
    assert [times(each) for each in ((1, 1), (4, 4), (1, 2))] == ["once", "4 times", "1 to 2 times"]

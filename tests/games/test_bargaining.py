"""The rules, measures and theory of bargaining."""

import itertools
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catallaxy.agents.moves import read, shape
from catallaxy.games.base import Game, IllegalMove, Predicted, Remark
from catallaxy.games.glee.bargaining import (
    Answer,
    AnswerOrWalkAway,
    Bargaining,
    BargainingState,
    BargainingView,
    Claim,
    Ended,
    Move,
    Offer,
    OfferWithMessage,
    Reminder,
)
from catallaxy.games.glee.bargaining_theory import (
    finite_share,
    proposer_share,
    responder_share,
    rubinstein_share,
)
from catallaxy.games.glee.compat import GleeCompat

CONF = Path(__file__).parents[2] / "conf"
ACCEPT, REJECT = Answer("accept"), Answer("reject")
HALF = Offer(5000, 5000)
DELTAS = (0.8, 0.9, 0.95, 1.0)

RUBINSTEIN = {
    (0.8, 0.8): 0.555556, (0.8, 0.9): 0.357143, (0.8, 0.95): 0.208333, (0.8, 1.0): 0.0,
    (0.9, 0.8): 0.714286, (0.9, 0.9): 0.526316, (0.9, 0.95): 0.344828, (0.9, 1.0): 0.0,
    (0.95, 0.8): 0.833333, (0.95, 0.9): 0.689655, (0.95, 0.95): 0.512821, (0.95, 1.0): 0.0,
    (1.0, 0.8): 1.0, (1.0, 0.9): 1.0, (1.0, 0.95): 1.0,
}  # fmt: skip
LAST_ROUNDS = (1, 2, 3, 4, 10, 12, 99)
FINITE = {
    (0.9, 0.9): (1.0, 0.1, 0.91, 0.181, 0.342801, 0.377669, 0.526331),
    (0.8, 0.8): (1.0, 0.2, 0.84, 0.328, 0.495903, 0.517378, 0.555556),
    (0.9, 0.8): (1.0, 0.2, 0.92, 0.344, 0.576077, 0.614776, 0.714286),
    (0.8, 0.9): (1.0, 0.1, 0.82, 0.172, 0.288039, 0.307388, 0.357143),
    (0.95, 0.95): (1.0, 0.05, 0.9525, 0.095125, 0.205776, 0.235713, 0.516016),
    (0.95, 0.8): (1.0, 0.2, 0.96, 0.352, 0.62204, 0.672750, 0.833334),
    (1.0, 0.8): (1.0, 0.2, 1.0, 0.36, 0.67232, 0.737856, 1.0),
    (0.8, 1.0): (1.0, 0.0, 0.8, 0.0, 0.0, 0.0, 0.000018),
    (1.0, 1.0): (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
}


def play(rules: Bargaining, *moves: Move) -> BargainingState:
    state = rules.start(Random(0))
    for move in moves:
        (seat,) = rules.to_move(state)
        rules.check(state, seat, move)
        state = rules.step(state, {seat: move})
    return state


def agreed(rules: Bargaining, share: float, rounds: int) -> BargainingState:
    """Alice gets `share` in round `rounds`; every earlier offer was rejected."""
    alice = float(Decimal(repr(share)) * int(rules.pie))
    deal = Offer(alice, rules.pie - alice)
    return play(rules, *[HALF, REJECT] * (rounds - 1), deal, ACCEPT)


def failed(rules: Bargaining) -> BargainingState:
    return play(rules, *[HALF, REJECT] * rules.max_rounds)


def view_at(rules: Bargaining, round_: int, seat: str) -> BargainingView:
    return rules.view(play(rules, *[HALF, REJECT] * (round_ - 1)), seat)


def refusal(rules: Bargaining, state: BargainingState, seat: str, move: Move) -> str:
    with pytest.raises(IllegalMove) as caught:
        rules.check(state, seat, move)
    return str(caught.value)


# Turns ------------------------------------------------------------------------------------------


def test_it_is_a_game_with_a_prediction() -> None:
    game: Game[BargainingState, BargainingView, Move] = Bargaining()

    assert game.seats == ("alice", "bob")
    assert isinstance(game, Predicted)


def test_alice_proposes_in_odd_rounds_and_bob_in_even_ones() -> None:
    rules = Bargaining()

    assert rules.to_move(play(rules)) == ("alice",)
    assert rules.to_move(play(rules, HALF)) == ("bob",)
    assert rules.to_move(play(rules, HALF, REJECT)) == ("bob",)
    assert rules.to_move(play(rules, HALF, REJECT, HALF)) == ("alice",)
    assert rules.to_move(play(rules, HALF, REJECT, HALF, REJECT)) == ("alice",)


def test_the_move_that_is_due_follows_from_the_open_offer_and_from_messages() -> None:
    silent, talking = Bargaining(), Bargaining(messages_allowed=True)

    assert silent.move_type(silent.start(Random(0)), "alice") is Offer
    assert talking.move_type(talking.start(Random(0)), "alice") is OfferWithMessage
    assert silent.move_type(play(silent, HALF), "bob") is Answer


def test_an_accepted_offer_ends_the_game() -> None:
    rules = Bargaining()
    state = play(rules, HALF, REJECT, Offer(4000, 6000), ACCEPT)

    assert rules.to_move(state) == ()
    assert state.ended is Ended.AGREEMENT
    assert [p.answer for p in state.history] == ["reject", "accept"]


def test_a_rejection_in_the_last_round_ends_the_game_without_agreement() -> None:
    rules = Bargaining(max_rounds=2)
    state = failed(rules)

    assert (state.round, state.ended) == (2, Ended.NO_AGREEMENT)
    assert rules.payoffs(state) == {"alice": 0, "bob": 0}


def test_who_forfeits_is_on_record_and_nobody_gets_anything() -> None:
    rules = Bargaining()
    state = rules.forfeit(play(rules, HALF), "bob")

    assert (state.ended, state.forfeited_by) == (Ended.FORFEIT, "bob")
    assert rules.to_move(state) == ()
    assert rules.payoffs(state) == {"alice": 0, "bob": 0}
    assert rules.metrics(state)["agreement"] == 0


def test_payoffs_are_dollars_of_round_1() -> None:
    rules = Bargaining(delta_a=0.9, delta_b=0.8)

    assert rules.payoffs(agreed(rules, 0.6, 3)) == pytest.approx({"alice": 4860, "bob": 2560})


def test_a_game_that_is_not_over_has_no_payoffs() -> None:
    rules = Bargaining()
    with pytest.raises(ValueError, match="not over"):
        rules.payoffs(rules.start(Random(0)))


# Legal moves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alice", "bob"),
    [(-1, 10_001), (10_001, -1), (float("nan"), 5000), (float("inf"), 0), (0, float("-inf"))],
)
def test_amounts_outside_the_pie_are_refused_with_what_is_allowed(alice: float, bob: float) -> None:
    rules = Bargaining()

    said = refusal(rules, play(rules), "alice", Offer(alice, bob))

    assert "must be a number from 0 to 10000" in said
    assert "you gave" in said


def test_amounts_that_do_not_add_up_are_refused_with_their_sum() -> None:
    rules = Bargaining()

    said = refusal(rules, play(rules), "alice", Offer(6000, 4000.5))

    assert said == (
        "alice_gain and bob_gain must add up to exactly 10000; 6000 and 4000.5 add up to 10000.5. "
        "With alice_gain 6000, bob_gain must be 4000."
    )


def test_the_sum_is_that_of_decimals_not_of_binary_fractions() -> None:
    rules = Bargaining(pie=0.3)
    assert 0.1 + 0.2 != 0.3

    play(rules, Offer(0.1, 0.2))


def test_a_sum_that_binary_rounding_would_hide_is_refused() -> None:
    rules = Bargaining()
    assert 10_000 + 1e-30 == 10_000

    assert "add up" in refusal(rules, play(rules), "alice", Offer(10_000, 1e-30))


@given(cents=st.integers(0, 1_000_000), pie=st.sampled_from([100, 10_000, 1_000_000]))
def test_every_division_in_whole_cents_is_legal(cents: int, pie: int) -> None:
    alice = min(Decimal(cents) / 100, Decimal(pie))
    rules = Bargaining(pie=pie)

    rules.check(rules.start(Random(0)), "alice", Offer(float(alice), float(pie - alice)))


@given(
    alice=st.floats(allow_nan=True, allow_infinity=True), bob=st.floats(), pie=st.floats(0.01, 1e9)
)
def test_check_never_fails_otherwise_than_with_a_reason(
    alice: float, bob: float, pie: float
) -> None:
    for bounds in ("checked", "none"):
        rules = Bargaining(pie=pie, compat=GleeCompat(bargaining_bounds=bounds))
        try:
            rules.check(rules.start(Random(0)), "alice", Offer(alice, bob))
        except IllegalMove as refused:
            assert len(str(refused)) < 300


def test_a_claim_leaves_the_other_the_rest_of_the_pie_exactly() -> None:
    rules = Bargaining(pie=100.1, offer_form="claim")

    state = play(rules, Claim(33.3), REJECT, Claim(0.1), ACCEPT)

    assert [(p.alice_gain, p.bob_gain) for p in state.history] == [(33.3, 66.8), (100, 0.1)]
    said = refusal(rules, play(rules), "alice", Claim(100.2))
    assert said == "claim must be a number from 0 to 100.1; you gave 100.2."


def test_a_message_over_the_limit_is_refused() -> None:
    rules = Bargaining(messages_allowed=True, max_message_chars=5)

    rules.check(play(rules), "alice", OfferWithMessage(0, 10_000, "abcde"))
    said = refusal(rules, play(rules), "alice", OfferWithMessage(0, 10_000, "abcdef"))

    assert said == "A message has at most 5 characters; yours has 6."


def test_moves_out_of_turn_of_another_kind_or_unknown_words_are_refused() -> None:
    rules = Bargaining()

    assert refusal(rules, play(rules), "bob", HALF) == "It is not your turn."
    assert "Offer is due" in refusal(rules, play(rules), "alice", ACCEPT)
    assert "Answer is due" in refusal(rules, play(rules, HALF), "bob", HALF)
    maybe = Answer("maybe")  # ty: ignore[invalid-argument-type]  what a bad player says
    assert "accept or reject" in refusal(rules, play(rules, HALF), "bob", maybe)


def test_every_refusal_keeps_its_template_and_its_facts_apart() -> None:
    rules = Bargaining(messages_allowed=True, max_message_chars=5)
    start, opened = play(rules), play(rules, OfferWithMessage(5000, 5000, ""))
    refused: list[tuple[BargainingState, str, Move]] = [
        (start, "bob", OfferWithMessage(5000, 5000, "")),
        (start, "alice", ACCEPT),
        (start, "alice", OfferWithMessage(-1, 10_001, "")),
        (start, "alice", OfferWithMessage(1, 1, "")),
        (start, "alice", OfferWithMessage(5000, 5000, "abcdef")),
        (opened, "bob", Answer("maybe")),  # ty: ignore[invalid-argument-type]  a bad player
    ]
    for state, seat, move in refused:
        with pytest.raises(IllegalMove) as caught:
            rules.check(state, seat, move)
        (said,) = caught.value.args
        assert isinstance(said, Remark)
        assert said == said.template.format(**said.facts)


# Parameters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pie", 0), ("pie", float("nan")), ("pie", float("inf")), ("delta_a", 0), ("delta_b", 1.01),
        ("delta_a", float("nan")), ("max_rounds", 0), ("horizon", "known"),
        ("max_message_chars", -1),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: .*{value!r}\.$"):
        replace(Bargaining(), **{name: value})


def test_the_paper_s_grid_has_384_games() -> None:
    grid = {
        Bargaining(m, a, b, t, horizon, complete, talk)
        for m in (100, 10_000, 1_000_000)
        for a, b in itertools.product(DELTAS, DELTAS)
        for t, horizon in ((12, "stated"), (99, "hidden"))
        for complete in (True, False)
        for talk in (True, False)
    }

    assert len(grid) == 384


def test_the_yaml_names_every_field_and_agrees_with_the_dataclass() -> None:
    rules = yaml.safe_load((CONF / "game/bargaining.yaml").read_text())["rules"]

    assert rules.pop("_target_") == "catallaxy.games.glee.bargaining.Bargaining"
    assert rules.pop("compat") == "${compat.glee}"
    assert {*rules, "compat"} == {f.name for f in fields(Bargaining)}
    assert Bargaining(**rules) == Bargaining()


COMPETITION = {"quality_feedback", "outside_option", "bargaining_walk_away", "counteroffer"}


@pytest.mark.parametrize(
    ("preset", "changes"),
    [
        ("corrected", set()),
        ("official", {f.name for f in fields(GleeCompat)} - COMPETITION),
        ("competition", COMPETITION),
    ],
)
def test_a_preset_names_every_switch_and_changes_its_own(preset: str, changes: set[str]) -> None:
    switches = yaml.safe_load((CONF / f"compat/glee/{preset}.yaml").read_text())

    assert switches.pop("_target_") == "catallaxy.games.glee.compat.GleeCompat"
    assert set(switches) == {f.name for f in fields(GleeCompat)}
    assert {k for k, v in switches.items() if getattr(GleeCompat(), k) != v} == changes


@pytest.mark.parametrize(
    ("rounds", "horizon", "kind"),
    [(1, "stated", "single"), (12, "stated", "stated"), (99, "hidden", "hidden")],
)
def test_the_kind_of_horizon_says_what_the_players_know(
    rounds: int, horizon: str, kind: str
) -> None:
    rules = replace(Bargaining(), max_rounds=rounds, horizon=horizon)

    assert rules.horizon_kind == kind
    assert view_at(rules, 1, "bob").rounds_told == (None if kind == "hidden" else rounds)


# Measures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "rounds", "delta_a", "delta_b", "alice", "bob", "efficiency", "fairness"),
    [
        (0.5, 1, 0.9, 0.9, 0.5, 0.5, 1.0, 1.0),
        (0.9, 1, 1.0, 0.8, 0.9, 0.1, 1.0, 0.36),
        (0.5, 2, 1.0, 0.9, 0.5, 0.45, 0.95, 1.0),
        (0.6, 4, 0.95, 0.8, 0.514425, 0.2048, 0.719225, 0.96),
        (1.0, 3, 0.9, 0.8, 0.81, 0.0, 0.81, 0.0),
        (0.0, 2, 0.9, 0.8, 0.0, 0.8, 0.8, 0.0),
    ],
)
def test_the_measures_of_an_agreement_are_the_paper_s_under_both_conventions(
    share: float,
    rounds: int,
    delta_a: float,
    delta_b: float,
    alice: float,
    bob: float,
    efficiency: float,
    fairness: float,
) -> None:
    rules = Bargaining(delta_a=delta_a, delta_b=delta_b)

    found = rules.metrics(agreed(rules, share, rounds))

    for variant in ("", "_paper", "_official_code"):
        assert found[f"self_gain{variant}@alice"] == pytest.approx(alice, abs=5e-7)
        assert found[f"self_gain{variant}@bob"] == pytest.approx(bob, abs=5e-7)
        assert found[f"efficiency{variant}"] == pytest.approx(efficiency, abs=5e-7)
        assert found[f"fairness{variant}"] == pytest.approx(fairness, abs=5e-7)
    assert (found["agreement"], found["rounds"]) == (1, rounds)
    assert found["alice_share"] == pytest.approx(share)


def test_no_agreement_gains_nobody_anything_and_is_fair() -> None:
    rules = Bargaining(delta_b=0.95, max_rounds=12)

    found = rules.metrics(failed(rules))

    assert (found["self_gain@alice"], found["self_gain@bob"]) == (0, 0)
    assert (found["efficiency"], found["fairness"], found["agreement"]) == (0, 1, 0)
    assert "alice_share" not in found


@pytest.mark.parametrize(
    "compat",
    [GleeCompat(bargaining_no_deal="official_code"), GleeCompat(metrics="official_code")],
)
def test_the_official_code_gives_bob_the_pie_where_there_is_no_agreement(
    compat: GleeCompat,
) -> None:
    rules = Bargaining(delta_b=0.95, max_rounds=12, compat=compat)

    found = rules.metrics(failed(rules))

    assert found["self_gain@alice"] == 0
    assert found["self_gain@bob"] == pytest.approx(0.5688, abs=5e-7)
    assert found["efficiency"] == pytest.approx(0.5688, abs=5e-7)
    assert found["fairness"] == 0


def test_both_conventions_are_recorded_whichever_is_in_force() -> None:
    end = failed(Bargaining(delta_b=0.95, max_rounds=12))
    corrected = Bargaining(delta_b=0.95, max_rounds=12)
    official = replace(corrected, compat=GleeCompat(metrics="official_code"))

    for rules in (corrected, official):
        found = rules.metrics(end)
        assert found["efficiency_paper"] == 0
        assert found["fairness_paper"] == 1
        assert found["self_gain_official_code@bob"] == pytest.approx(0.5688, abs=5e-7)
        assert found["fairness_official_code"] == 0
        assert rules.payoffs(end) == {"alice": 0, "bob": 0}


@given(share=st.integers(0, 100), rounds=st.integers(1, 9))
def test_without_losses_every_agreement_is_efficient(share: int, rounds: int) -> None:
    rules = Bargaining(delta_a=1, delta_b=1)

    found = rules.metrics(agreed(rules, share / 100, rounds))

    assert found["efficiency"] == pytest.approx(1)


@given(
    share=st.integers(0, 100),
    rounds=st.integers(1, 9),
    delta_a=st.sampled_from(DELTAS),
    delta_b=st.sampled_from(DELTAS),
)
def test_efficiency_is_the_sum_of_gains_and_fairness_is_symmetric(
    share: int, rounds: int, delta_a: float, delta_b: float
) -> None:
    rules = Bargaining(delta_a=delta_a, delta_b=delta_b)

    found = rules.metrics(agreed(rules, share / 100, rounds))
    other = rules.metrics(agreed(rules, (100 - share) / 100, rounds))

    gains = found["self_gain@alice"] + found["self_gain@bob"]
    assert found["efficiency"] == pytest.approx(gains)
    assert found["fairness"] == pytest.approx(other["fairness"])
    paid = rules.payoffs(agreed(rules, share / 100, rounds))
    assert sum(paid.values()) == pytest.approx(gains * rules.pie)


# Theory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deltas", "share"), RUBINSTEIN.items())
def test_without_a_known_end_the_opener_keeps_rubinstein_s_share(
    deltas: tuple[float, float], share: float
) -> None:
    rules = Bargaining(delta_a=deltas[0], delta_b=deltas[1])

    assert rubinstein_share(*deltas) == pytest.approx(share, abs=5e-7)
    assert rules.prediction()["alice_share"] == pytest.approx(share, abs=5e-7)
    assert rules.prediction()["self_gain@bob"] == pytest.approx(1 - share, abs=5e-7)


@pytest.mark.parametrize(
    ("deltas", "share"),
    [
        ((0.9, 0.9), 0.473684),
        ((0.9, 0.8), 0.642857),
        ((0.8, 0.9), 0.285714),
        ((0.95, 0.95), 0.487179),
    ],
)
def test_if_bob_opens_alice_gets_her_delta_times_her_opening_share(
    deltas: tuple[float, float], share: float
) -> None:
    delta_a, delta_b = deltas

    assert responder_share(delta_b, delta_a, None) == pytest.approx(share, abs=5e-7)
    opening = proposer_share(delta_a, delta_b, None)
    assert opening is not None
    assert opening * delta_a == pytest.approx(share, abs=5e-7)


@given(delta_a=st.sampled_from(DELTAS), delta_b=st.sampled_from(DELTAS))
def test_swapping_roles_and_deltas_mirrors_the_shares(delta_a: float, delta_b: float) -> None:
    left = None if delta_a == delta_b == 1 else proposer_share(delta_a, delta_b, None)
    if left is not None:
        least = responder_share(delta_a, delta_b, None)
        assert least is not None
        assert left + least == pytest.approx(1)
        assert responder_share(delta_b, delta_a, None) == pytest.approx(delta_a * left)


def test_without_losses_and_without_an_end_no_division_is_predicted() -> None:
    rules = Bargaining(delta_a=1, delta_b=1)

    assert rubinstein_share(1, 1) is None
    assert rules.prediction() == {"efficiency": 1, "agreement": 1, "rounds": 1}
    assert "distance_to_theory@alice" not in rules.metrics(agreed(rules, 0.5, 1))


@pytest.mark.parametrize(
    ("deltas", "last_round", "share"),
    [
        (deltas, last, share)
        for deltas, shares in FINITE.items()
        for last, share in zip(LAST_ROUNDS, shares, strict=True)
    ],
)
def test_with_a_known_end_backward_induction_gives_the_opener_s_share(
    deltas: tuple[float, float], last_round: int, share: float
) -> None:
    rules = Bargaining(
        delta_a=deltas[0], delta_b=deltas[1], max_rounds=last_round, horizon="stated"
    )

    assert finite_share(*deltas, last_round) == pytest.approx(share, abs=5e-7)
    assert rules.prediction()["alice_share"] == pytest.approx(share, abs=5e-7)


@given(delta_a=st.floats(0.01, 1), delta_b=st.floats(0.01, 1), left=st.integers(2, 40))
def test_a_responder_is_indifferent_between_accepting_and_the_next_round(
    delta_a: float, delta_b: float, left: int
) -> None:
    least = responder_share(delta_a, delta_b, left)
    following = proposer_share(delta_b, delta_a, left - 1)

    assert least is not None
    assert following is not None
    assert least == pytest.approx(delta_b * following, abs=1e-12)


def test_a_game_of_no_rounds_has_no_theory() -> None:
    with pytest.raises(ValueError, match="at least 1 round"):
        finite_share(0.9, 0.9, 0)


def test_the_predicted_outcome_is_at_distance_zero() -> None:
    rules = Bargaining(max_rounds=1, horizon="stated")

    found = rules.metrics(agreed(rules, 1.0, 1))

    assert found["distance_to_theory@alice"] == pytest.approx(0)
    assert found["distance_to_theory@bob"] == pytest.approx(0)
    assert set(rules.prediction()) <= set(found)


# What a seat sees -------------------------------------------------------------------------------


def test_a_view_has_the_offers_messages_and_answers_so_far() -> None:
    rules = Bargaining(messages_allowed=True)
    state = play(
        rules, OfferWithMessage(6000, 4000, "hello"), REJECT, OfferWithMessage(1, 9999, "")
    )

    seen = rules.view(state, "alice")

    (first,) = seen.history
    assert (first.proposer, first.alice_gain, first.message, first.answer) == (
        "alice", 6000, "hello", "reject",
    )  # fmt: skip
    assert seen.offer is not None
    assert (seen.offer.proposer, seen.offer.bob_gain, seen.offer.answer) == ("bob", 9999, None)
    assert (seen.seat, seen.other, seen.role, seen.round) == ("alice", "bob", "responder", 2)


def test_under_complete_information_both_losses_are_seen() -> None:
    seen = view_at(Bargaining(delta_a=0.9, delta_b=0.8), 1, "bob")

    assert (seen.loss, seen.other_loss) == (20, 10)
    assert (seen.alice_loss, seen.bob_loss) == (10, 20)


def test_under_incomplete_information_only_the_own_loss_is_seen() -> None:
    seen = view_at(Bargaining(delta_a=0.9, delta_b=0.8, complete_information=False), 1, "bob")

    assert (seen.delta, seen.loss) == (0.8, 20)
    assert (seen.other_delta, seen.other_loss, seen.alice_loss) == (None, None, None)


def test_nobody_is_reminded_in_round_1_or_where_the_update_is_off() -> None:
    assert view_at(Bargaining(), 1, "bob").reminder is None
    assert view_at(Bargaining(show_inflation_update=False), 3, "bob").reminder is None
    assert view_at(Bargaining(delta_a=1, delta_b=1), 3, "bob").reminder is None


def test_from_round_2_both_are_reminded_of_what_was_lost() -> None:
    rules = Bargaining(delta_a=0.9, delta_b=0.8)

    assert view_at(rules, 3, "alice").reminder == Reminder(19, 36)
    assert view_at(rules, 3, "bob").reminder == Reminder(36, 19)


# Compat switches --------------------------------------------------------------------------------


def test_the_reminder_tells_only_the_own_loss_under_incomplete_information() -> None:
    rules = Bargaining(delta_a=0.9, delta_b=0.8, complete_information=False)

    assert view_at(rules, 3, "bob").reminder == Reminder(36, None)


def test_compat_reminder_scope_tells_both_losses_under_incomplete_information() -> None:
    compat = GleeCompat(reminder_scope="both_losses")
    rules = Bargaining(delta_a=0.9, delta_b=0.8, complete_information=False, compat=compat)

    assert view_at(rules, 3, "bob").reminder == Reminder(36, 19)


def test_compat_reminder_recipients_leaves_the_proposer_out() -> None:
    rules = Bargaining(compat=GleeCompat(reminder_recipients="responder"))

    assert view_at(rules, 3, "alice").reminder is None
    assert view_at(rules, 3, "bob").reminder is not None


def test_inflation_is_always_mentioned_under_incomplete_information() -> None:
    rules = Bargaining(delta_a=1, delta_b=1, complete_information=False)

    assert view_at(rules, 1, "alice").inflation_shown
    assert not view_at(replace(rules, complete_information=True), 1, "alice").inflation_shown


def test_compat_inflation_paragraph_mentions_it_only_if_somebody_loses() -> None:
    compat = GleeCompat(inflation_paragraph="official")
    rules = Bargaining(delta_a=1, delta_b=1, complete_information=False, compat=compat)

    assert not view_at(rules, 1, "alice").inflation_shown
    assert view_at(replace(rules, delta_b=0.9), 1, "alice").inflation_shown


def test_the_horizon_is_told_where_the_game_states_it() -> None:
    assert Bargaining(max_rounds=12).rounds_told is None
    assert Bargaining(max_rounds=99, horizon="stated").rounds_told == 99


@pytest.mark.parametrize("rounds", [1, 12, 20, 21, 99])
def test_compat_horizon_text_tells_up_to_20_rounds_whatever_the_horizon(rounds: int) -> None:
    told = rounds if rounds <= 20 else None
    compat = GleeCompat(horizon_text="official")

    assert Bargaining(max_rounds=rounds, compat=compat).rounds_told == told
    stated = Bargaining(max_rounds=rounds, horizon="stated", compat=compat)
    assert stated.rounds_told == told


def test_compat_bargaining_bounds_lets_any_amounts_pass_whose_float_sum_is_the_pie() -> None:
    rules = Bargaining(compat=GleeCompat(bargaining_bounds="none"))

    state = play(rules, Offer(-5000, 15_000), ACCEPT)

    assert rules.payoffs(state) == {"alice": -5000, "bob": 15_000}
    assert "add up" in refusal(rules, play(rules), "alice", Offer(float("nan"), 1))
    binary = replace(rules, pie=0.3)
    assert "add up" in refusal(binary, play(binary), "alice", Offer(0.1, 0.2))


# Walking away, as in GLEE's competition -----------------------------------------------------------

OPEN = Bargaining(delta_a=0.9, delta_b=0.8, compat=GleeCompat(bargaining_walk_away=True))
LEAVE = AnswerOrWalkAway("walk_away")


def test_only_under_compat_bargaining_walk_away_may_who_answers_walk_away() -> None:
    closed = Bargaining()

    assert OPEN.move_type(play(OPEN, HALF), "bob") is AnswerOrWalkAway
    assert OPEN.move_type(play(OPEN), "alice") is Offer
    assert OPEN.view(play(OPEN), "bob").walk_away_allowed
    assert not closed.view(play(closed), "bob").walk_away_allowed
    assert "Answer is due" in refusal(closed, play(closed, HALF), "bob", LEAVE)


def test_walking_away_ends_the_game_with_nothing_for_both() -> None:
    state = play(OPEN, HALF, AnswerOrWalkAway("reject"), HALF, LEAVE)

    assert (state.ended, state.round) == (Ended.WALKED_AWAY, 2)
    assert OPEN.to_move(state) == ()
    assert OPEN.payoffs(state) == {"alice": 0, "bob": 0}
    assert [p.answer for p in state.history] == ["reject", "walk_away"]


def test_walking_away_is_measured_as_no_agreement() -> None:
    found = OPEN.metrics(play(OPEN, HALF, AnswerOrWalkAway("reject"), HALF, LEAVE))

    assert (found["agreement"], found["rounds"]) == (0, 2)
    assert (found["efficiency"], found["fairness"]) == (0, 1)
    assert found["self_gain_official_code@bob"] == pytest.approx(0.8)
    assert "alice_share" not in found


def test_accepting_and_rejecting_stay_what_they_are_where_one_may_walk_away() -> None:
    state = play(OPEN, HALF, AnswerOrWalkAway("reject"), HALF, AnswerOrWalkAway("accept"))

    assert state.ended is Ended.AGREEMENT
    assert OPEN.payoffs(state) == pytest.approx({"alice": 4500, "bob": 4000})
    maybe = AnswerOrWalkAway("maybe")  # ty: ignore[invalid-argument-type]  what a bad player says
    said = refusal(OPEN, play(OPEN, HALF), "bob", maybe)
    assert said == "Say accept, reject or walk_away; you said 'maybe'."


@pytest.mark.parametrize("word", ["walk_away", "walkaway", "Walk away"])
def test_walking_away_is_read_as_the_competition_and_as_people_write_it(word: str) -> None:
    assert read(f'{{"decision": "{word}"}}', AnswerOrWalkAway).move == LEAVE
    assert shape(AnswerOrWalkAway) == '{"decision": "accept" or "reject" or "walk_away"}'

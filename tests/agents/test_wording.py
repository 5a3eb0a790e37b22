"""Words as data: what a template may do, and what it may not."""

import pickle
from dataclasses import replace
from random import Random

import pytest

from catallaxy.agents.base import Ask
from catallaxy.agents.chat import CallKey
from catallaxy.agents.wording import Wording, money, number
from catallaxy.games.base import IllegalMove, Remark
from catallaxy.games.glee.bargaining import Bargaining, Offer


def ask(wording: Wording) -> Ask:
    rules = Bargaining()
    view = rules.view(rules.start(Random(0)), "alice")
    return Ask("alice", view, Offer, (), wording, 1, CallKey("e", "alice", 0, 0))


def wording(text: str) -> Wording:
    return Wording(name="test", system=text, asks={"Offer": "go"})


@pytest.mark.parametrize(
    "text",
    [
        "{{ view.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ '{0.__class__}'.format(view) }}",
        "{{ view | attr('__class__') }}",
        "{{ names | map(attribute='__class__') | list }}",
    ],
)
def test_a_template_that_reaches_for_more_than_the_view_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wording 'test'"):
        wording(text)


def test_a_computed_name_cannot_reach_for_more_than_the_view_either() -> None:
    sly = wording("{{ view['__cla' ~ 'ss__'] }}")

    with pytest.raises(ValueError, match="no name that a wording may use"):
        sly.messages(ask(sly), persona="", scratchpad=False)


def test_a_broken_template_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="wording 'test'"):
        wording("{% if view %}")


def test_a_text_that_asks_for_what_the_view_lacks_is_an_error_not_an_empty_word() -> None:
    vague = wording("{{ view.price }}")

    with pytest.raises(ValueError, match="does not fit the game"):
        vague.messages(ask(vague), persona="", scratchpad=False)


def test_a_move_without_a_text_of_its_own_is_named() -> None:
    mute = Wording(name="mute", system="", asks={})

    with pytest.raises(ValueError, match="'mute' has no text under asks for 'Offer'"):
        mute.messages(ask(mute), persona="", scratchpad=False)


def test_what_players_say_is_never_a_template() -> None:
    plain = Wording(
        name="p", system="", asks={"Offer": "{{ view.seat }}"}, objection="{{ objection }}"
    )
    asked = ask(plain)
    asked = Ask(*(getattr(asked, f) for f in asked.__slots__[:7]), objection="{{ 7 * 7 }}")

    (said,) = plain.messages(asked, persona="", scratchpad=False)

    assert said.content == "{{ 7 * 7 }}"


def test_a_wording_travels_pickled() -> None:
    here = wording("hello {{ view.pie | money }}")

    there = pickle.loads(pickle.dumps(here))

    assert there == here
    assert there.messages(ask(there), persona="", scratchpad=False)[0].content == "hello $10,000"


def test_amounts_are_written_as_people_write_them() -> None:
    assert [money(a) for a in (10_000, 33.5, 0.005, 1e6)] == [
        "$10,000",
        "$33.50",
        "$0.01",
        "$1,000,000",
    ]
    assert [number(a) for a in (5.0, 0.25, 12.5)] == ["5", "0.25", "12.5"]


SUM = "The two amounts must add up to {pie:.15g}, not {total:.15g}."


def refused(phrases: dict[str, str], objection: str) -> str:
    words = Wording(
        name="test", system="s", asks={}, objection="Nein! {{ objection }}", phrases=phrases
    )
    (message,) = words.messages(
        replace(ask(words), objection=objection), persona="", scratchpad=False
    )
    return message.content


def test_an_objection_is_read_back_in_the_language_of_the_wording() -> None:
    german = {SUM: "Die Beträge müssen zusammen {pie:.15g} ergeben, nicht {total:.15g}."}

    said = refused(german, Remark(SUM, pie=100.0, total=90.5))

    assert said == "Nein! Die Beträge müssen zusammen 100 ergeben, nicht 90.5."


def test_an_objection_without_a_translation_stays_english() -> None:
    assert refused({}, Remark("At most {n} coins.", n=3)) == "Nein! At most 3 coins."
    assert refused({"x": "y"}, "A plain {sentence}.") == "Nein! A plain {sentence}."


def test_the_parts_of_an_objection_are_translated_one_by_one() -> None:
    both = Remark("{a}; {b}.", a=Remark("no {n}", n=1), b=Remark("no {n}", n=2))

    assert refused({"no {n}": "kein {n}"}, both) == "Nein! kein 1; kein 2."


def test_a_remark_is_the_sentence_itself_and_travels_with_its_facts() -> None:
    remark = Remark("At most {n} coins.", n=3)
    arrived = pickle.loads(pickle.dumps(IllegalMove("At most {n} coins.", n=3)))

    assert remark == "At most 3 coins."
    assert pickle.loads(pickle.dumps(remark)).facts == {"n": 3}
    assert (str(arrived), arrived.args[0].template) == (remark, remark.template)

"""A person at the web page, as far as it needs no browser: what is shown and asked, and when."""

import asyncio
from dataclasses import replace

from catallaxy.agents.base import Act, Ask
from catallaxy.agents.scripted.bargaining import FairBargainer
from catallaxy.games.glee.bargaining import OfferWithMessage
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.games.glee.persuasion_moves import Recommendation
from catallaxy.platform.record import TurnKind
from tests.agents.people import (
    FAIR,
    RULES,
    YOU,
    Person,
    ask_of,
    asking,
    person,
    played,
    with_person,
    words_of,
)

HOSTILE = '<img src=x onerror="alert(1)">\u202e\x00</script>'
OFFER = OfferWithMessage(60, 40, HOSTILE)


# One game.


def test_a_person_plays_a_game_to_its_end() -> None:
    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": YOU, "bob": FairBargainer()}))
        first = await you.reply(alice_gain="70", bob_gain="30", message="x")
        second = await you.reply(decision="accept")
        over = await you.until(lambda seen: seen["endings"])
        episode = await game

        assert first["game"]["rules"].startswith("Alice and Bob are to divide $100")
        assert first["game"]["briefing"] == "You are Alice. The other player is Bob."
        assert [e["kind"] for e in second["game"]["log"]] == ["told", "answer", "told"]
        assert second["game"]["log"][1]["fields"][0] == ["Alice gain", "70"]
        assert "Bob rejected your offer." in second["game"]["log"][-1]["text"]
        assert over["endings"][0]["earned"] == "You earned $45."
        assert over["endings"][0]["outcome"] == "Agreement"
        assert over["game"]["question"] is None
        assert episode.payoffs == {"alice": 45, "bob": 45}

    with_person(scene)


def test_what_was_shown_and_answered_is_the_recorded_dialogue() -> None:
    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": YOU, "bob": FairBargainer()}))
        seen = await you.reply(**FAIR)
        (turn, _) = (await game).turns

        assert [message.role for message in turn.messages] == ["system", "user", "assistant"]
        assert turn.messages[0].content == seen["game"]["rules"]
        assert turn.messages[1].content.endswith(seen["game"]["log"][-1]["text"])
        assert turn.messages[2].content == '{"alice_gain":50,"bob_gain":50,"message":"fair"}'

    with_person(scene)


def test_a_refused_move_is_objected_to_and_what_was_typed_stands_in_the_form() -> None:
    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": YOU, "bob": FairBargainer()}))
        await you.reply(alice_gain="70", bob_gain="70", message="x")
        again = await you.reply(**FAIR)
        episode = await game

        objection = again["game"]["log"][-1]
        assert objection["kind"] == "refused"
        assert "must add up to exactly 100" in objection["text"]
        assert again["game"]["question"]["filled"]["alice_gain"] == "70"
        kinds = [turn.kind for turn in episode.turns if turn.seat == "alice"]
        assert kinds == [TurnKind.ILLEGAL, TurnKind.MOVE]

    with_person(scene)


def test_a_reloaded_page_shows_the_same() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of())
        before = await you.asked()
        you.version = ""
        after = await you.asked()
        task.cancel()

        assert after == before

    with_person(scene)


def test_an_answer_counts_once() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of())
        question = (await you.asked())["game"]["question"]["id"]
        statuses = await asyncio.gather(*(you.answer(question, FAIR) for _ in range(2)))
        await task

        assert sorted(statuses) == [204, 409]
        assert await you.answer(question, FAIR) == 409

    with_person(scene)


def test_a_new_buyer_sees_nothing_of_the_last_one_s() -> None:
    rules = Persuasion(buyer="myopic", total_rounds=2)
    words = words_of("persuasion")

    class Recommends:
        async def act(self, ask: Ask) -> Act:
            return Act(Recommendation("yes"))

    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": Recommends(), "bob": YOU}, rules, words))
        await you.reply(decision="yes")
        second = await you.reply(decision="no")
        await game

        assert [entry["kind"] for entry in second["game"]["log"]] == ["told"]
        assert second["game"]["briefing"].startswith("You are the buyer of this round")

    with_person(scene)


def test_hostile_text_is_text_and_what_acts_unseen_is_escaped() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of(RULES, OFFER))
        _, raw = await you.send("GET", "/state")
        said = raw["game"]["log"][-1]["text"]
        task.cancel()

        assert r'<img src=x onerror="alert(1)">\u202e\x00</script>' in said

    with_person(scene)


def test_an_answer_to_an_offer_is_a_choice_between_two_words() -> None:
    async def scene(you: Person) -> None:
        task = asking(YOU, ask_of(RULES, OFFER))
        (field,) = (await you.asked())["game"]["question"]["fields"]
        task.cancel()

        assert (field["kind"], field["label"]) == ("choice", "Decision")
        assert [option["value"] for option in field["options"]] == ["accept", "reject"]

    with_person(scene)


# Time.


def test_no_answer_in_time_counts_as_a_bad_try_and_then_the_game_s_forfeit() -> None:
    hasty = replace(YOU, timeout_s=0.1)

    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": hasty, "bob": FairBargainer()}))
        first = await you.asked()
        over = await you.until(lambda seen: seen["endings"])
        episode = await game

        assert 0 < first["game"]["question"]["seconds_left"] <= 0.1
        assert [turn.kind for turn in episode.turns] == [TurnKind.UNREADABLE] * 3 + [
            TurnKind.FORFEIT
        ]
        assert "within 0.1 seconds" in over["game"]["log"][-1]["text"]
        assert over["endings"][0]["outcome"] == "Forfeit"

    with_person(scene)


def test_the_clock_does_not_run_before_somebody_has_opened_the_page() -> None:
    async def scene(you: Person) -> None:
        task = asking(replace(YOU, timeout_s=0.2), ask_of())
        await asyncio.sleep(0.5)
        assert not task.done()
        await you.reply(**FAIR)

        assert (await task).move == OfferWithMessage(50, 50, "fair")

    with_person(scene)


def test_the_clock_of_a_game_runs_from_when_it_is_shown() -> None:
    hasty = replace(YOU, timeout_s=0.3)

    async def scene(you: Person) -> None:
        first = asking(YOU, ask_of(episode="first"))
        await you.asked()
        second = asking(hasty, ask_of(episode="second"))
        await asyncio.sleep(0.6)
        assert not second.done()
        await you.send("POST", "/turn", json={})
        assert (await second).trouble == "You did not answer within 0.3 seconds."
        first.cancel()

    with_person(scene)


# Several games, several people.


def test_one_game_is_shown_until_it_is_over_then_the_oldest_that_waits() -> None:
    async def scene(you: Person) -> None:
        agents = {"alice": YOU, "bob": FairBargainer()}
        games = [asyncio.create_task(played(agents, episode=name)) for name in "abc"]
        await you.until(lambda seen: seen["waiting"] == 2)
        await you.send("POST", "/answer", json={"question": "a.1.alice.0.0", "fields": FAIR})
        over = await you.until(lambda seen: seen["endings"])
        await you.send("POST", "/turn", json={})
        following = await you.until(lambda seen: not seen["endings"])
        for game in games[1:]:
            game.cancel()

        assert (over["game"]["number"], over["waiting"]) == (1, 2)
        assert (following["game"]["number"], following["waiting"]) == (2, 1)
        assert following["game"]["question"]["id"] == "b.1.alice.0.0"

    with_person(scene)


def test_a_person_can_turn_from_a_game_that_keeps_him_waiting() -> None:
    class Never:
        async def act(self, ask: Ask) -> Act:
            await asyncio.Event().wait()
            raise AssertionError

    async def scene(you: Person) -> None:
        stuck = asyncio.create_task(played({"alice": YOU, "bob": Never()}, episode="stuck"))
        await you.reply(**FAIR)
        other = asking(YOU, ask_of(episode="other"))
        waiting = await you.until(lambda seen: seen["waiting"] == 1)
        await you.send("POST", "/turn", json={})
        there = await you.asked()
        stuck.cancel()
        other.cancel()

        assert waiting["game"]["number"] == 1
        assert (there["game"]["number"], there["waiting"]) == (2, 0)

    with_person(scene)


def test_two_people_have_pages_of_their_own_on_one_server() -> None:
    ann, ben = replace(YOU, name="ann"), replace(YOU, name="ben")

    async def scene() -> None:
        async with person(ann) as alice, person(ben) as bob:
            game = asyncio.create_task(played({"alice": ann, "bob": ben}))
            await alice.reply(**FAIR)
            seen = await bob.reply(decision="accept")
            status, _ = await bob.send("GET", "/state", token=alice.token)
            over = (each.until(lambda seen: seen["endings"]) for each in (alice, bob))
            await asyncio.gather(*over)
            assert (await game).payoffs == {"alice": 50, "bob": 50}

        assert alice.address.partition("/play")[0] == bob.address.partition("/play")[0]
        assert "You are Bob." in seen["game"]["briefing"]
        assert status == 403

    asyncio.run(scene())


def test_two_seats_of_one_name_share_a_page() -> None:
    async def scene(you: Person) -> None:
        game = asyncio.create_task(played({"alice": YOU, "bob": YOU}))
        first = await you.reply(**FAIR)
        second = await you.reply(decision="accept")
        over = await you.until(lambda seen: len(seen["endings"]) == 2)
        await game

        assert (first["game"]["who"], first["shared"]) == ("Alice", False)
        assert (second["game"]["who"], second["shared"]) == ("Bob", True)
        assert {each["who"] for each in over["endings"]} == {"Alice", "Bob"}

    with_person(scene)

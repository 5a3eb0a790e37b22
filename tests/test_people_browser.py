"""People at the web page, in a real browser, against the real command: whole games, to the end."""

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from catallaxy.platform.store.reader import Reader
from tests.chromium import Browser, Tab, chromium

pytestmark = pytest.mark.browser

PATIENCE_S = 60
GONE = "Failed to load resource: net::ERR_CONNECTION_REFUSED"  # the run is over, and its server


@dataclass
class Play:
    """A run of `experiment=play` that goes on, and a browser at its page."""

    browser: Browser
    tab: Tab
    folder: Path
    process: asyncio.subprocess.Process
    address: str

    async def answer(self, **typed: str) -> None:
        """Fill in the form that is shown, and send it when it may be sent."""
        await asyncio.sleep(0.4)  # the page takes a quicker click for a slip
        question = await self.question()
        for name, text in typed.items():
            await self.tab.type(f"#field-{name}", text)
        await self.tab.click("#form .primary")
        await self.taken(question)

    async def taken(self, question: str) -> None:
        """Wait until the page asks something else, or nothing."""
        await self.tab.until(
            f"document.querySelector('#form').dataset.id !== {question!r}"
            " || document.querySelector('#turn').offsetParent === null"
        )

    async def choose(self, value: str) -> None:
        """Press the button of that answer."""
        await self.tab.until(f"document.querySelector('#form button[value={value}]')")
        await asyncio.sleep(0.4)
        question = await self.question()
        await self.tab.click(f"#form button[value={value}]")
        await self.taken(question)

    async def question(self) -> str:
        await self.tab.until("!document.querySelector('#turn').hidden")
        return await self.tab.evaluate("document.querySelector('#form').dataset.id")

    async def ended(self) -> str:
        """What the page says when the game is over."""
        await self.tab.until("!document.querySelector('#over').hidden")
        return await self.tab.evaluate("document.querySelector('#over').innerText")

    async def finished(self) -> Path:
        """The folder of the run, when it has finished well and the page has nothing to say."""
        await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        assert self.process.returncode == 0
        await self.tab.until("document.querySelector('#banner').innerText.includes('is over')")
        assert set(self.browser.complaints) <= {GONE}
        (store,) = self.folder.glob("runs/*/*/store.duckdb")
        return store.parent


@contextlib.asynccontextmanager
async def playing(folder: Path, *overrides: str) -> AsyncGenerator[Play]:
    """`catallaxy run experiment=play` in that folder, or its `resume`, opened in a browser."""
    launch = ("run", "experiment=play", "agent.you.port=0", *overrides)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "catallaxy.platform.launch"),
        *(("resume", "last") if overrides == ("resume",) else launch),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = await asyncio.wait_for(printed_address(process), PATIENCE_S)
        async with chromium(folder / "profile") as browser:
            tab = await browser.tab()
            await tab.open(address)
            yield Play(browser, tab, folder, process, address)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def printed_address(process: asyncio.subprocess.Process) -> str:
    """The address that the run tells the person to open."""
    assert process.stderr is not None
    said = []
    async for line in process.stderr:
        said.append(line.decode())
        if found := re.search(r"open (http://\S+)", said[-1]):
            return found[1]
    raise AssertionError("".join(said))


def in_a_browser(
    scene: Callable[[Play], Coroutine[Any, Any, None]], folder: Path, *overrides: str
) -> None:
    async def run() -> None:
        async with playing(folder, *overrides) as play:
            await scene(play)

    asyncio.run(run())


def turns_of(run: Path, seat: str) -> list[tuple[str, str | None]]:
    """The recorded tries of a seat: kind and move, as JSON."""
    query = f"SELECT kind, CAST(move AS VARCHAR) FROM turns WHERE seat = '{seat}' ORDER BY seq"
    with Reader.open(run) as reader:
        return reader.sql(query).rows


def payoff_of(run: Path, seat: str) -> float:
    with Reader.open(run) as reader:
        return reader.sql(f"SELECT payoff FROM seats WHERE seat = '{seat}'").rows[0][0]


# A game of each family, to its end.


def test_bargaining_with_a_refused_move_a_rejection_and_an_agreement(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        await play.answer(alice_gain="6,000", bob_gain="6000", message="half each?")
        refusal = await play.tab.evaluate("document.querySelector('#told .refused').innerText")
        assert "must add up to exactly 10000" in refusal
        assert "4 tries left" in refusal
        filled = await play.tab.evaluate("document.querySelector('#field-alice_gain').value")
        assert filled == "6,000"

        await play.answer(bob_gain="4000", message="<b>for you</b>")
        assert "Bob rejected your offer." in await play.tab.text()
        await play.choose("accept")
        assert "You earned $4,500." in await play.ended()

        run = await play.finished()
        assert turns_of(run, "alice") == [
            ("illegal", '{"alice_gain":6000.0,"bob_gain":6000.0,"message":"half each?"}'),
            ("move", '{"alice_gain":6000.0,"bob_gain":4000.0,"message":"<b>for you</b>"}'),
            ("move", '{"decision":"accept"}'),
        ]
        assert payoff_of(run, "alice") == 4500

    in_a_browser(scene, tmp_path, "game.rules.messages_allowed=true")


def test_negotiation_as_the_buyer_who_makes_a_counteroffer(tmp_path: Path) -> None:
    rules = ["seller_value=0.8", "buyer_value=1.2", "max_rounds=10"]

    async def scene(play: Play) -> None:
        await play.question()
        assert await play.tab.evaluate("document.querySelector('#who').innerText") == "You are Bob"
        labels = await play.tab.evaluate(
            "[...document.querySelectorAll('#form button')].map(b => b.innerText)"
        )
        assert labels == ["Accept", "Reject", "Buy from John"]
        await play.choose("reject")
        await play.answer(product_price="$10,000")
        assert "You earned $2,000." in await play.ended()

        run = await play.finished()
        moves = [move for _, move in turns_of(run, "bob")]
        assert moves == ['{"decision":"reject"}', '{"product_price":10000.0}']
        assert payoff_of(run, "bob") == 2000

    in_a_browser(
        scene,
        tmp_path,
        "game=negotiation",
        "market.pairs=[[rival,you]]",
        *(f"game.rules.{rule}" for rule in rules),
    )


def test_persuasion_as_a_seller_who_writes_by_keyboard_alone(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        for number in range(1, 4):
            await play.tab.until(
                f"document.querySelector('#told').innerText.includes('Round {number}.')"
            )
            question = await play.question()
            await asyncio.sleep(0.4)
            while not await play.tab.evaluate("document.activeElement.tagName === 'TEXTAREA'"):
                await play.tab.press("Tab")
            await play.tab.call("Input.insertText", text=f"Number {number} is fine.")
            await play.tab.press("Tab")
            await play.tab.press("Enter")
            await play.taken(question)
        assert "You earned" in await play.ended()

        run = await play.finished()
        moves = [move for _, move in turns_of(run, "alice")]
        assert moves == [f'{{"message":"Number {number} is fine."}}' for number in range(1, 4)]

    rules = ("game.rules.total_rounds=3", "game.rules.message_type=text")
    in_a_browser(scene, tmp_path, "game=persuasion", *rules)


# What else may happen at a page.

HOSTILE = "<img src=x onerror=document.title=1><script>document.title=2</script>" + "W" * 300
OFFERS = '{"alice_gain": 60, "bob_gain": 40, "message": "%s"}'
AGAINST_A_MODEL = (
    "agent@agent.rival=chat",
    "backend=scripted",
    f"backend.replies=['{OFFERS % HOSTILE}']",
    "game.rules.pie=100",
    "game.rules.messages_allowed=true",
    "market.pairs=[[rival,you]]",
)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1200, "dark")])
def test_what_a_model_writes_is_text_and_fits_the_window(
    tmp_path: Path, width: int, scheme: str
) -> None:
    async def scene(play: Play) -> None:
        await play.tab.resize(width, 700, touch=width < 500)
        await play.tab.scheme(scheme)
        await play.tab.until("document.querySelector('#told').innerText.includes('onerror')")
        assert HOSTILE in await play.tab.evaluate("document.querySelector('#told').innerText")
        assert (
            await play.tab.evaluate("document.querySelectorAll('main img, main script').length")
            == 0
        )
        assert await play.tab.evaluate("document.title") == "● Your turn · Catallaxy"
        assert await play.tab.evaluate("document.documentElement.scrollWidth") <= width
        paper = await play.tab.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        assert paper == {"light": "rgb(253, 253, 251)", "dark": "rgb(20, 23, 26)"}[scheme]
        loaded = await play.tab.evaluate(
            "performance.getEntriesByType('resource').map(e => e.name)"
        )
        assert all(name.startswith(play.address.partition("/play")[0]) for name in loaded)

        await play.choose("accept")
        assert "You earned $40." in await play.ended()
        await play.finished()

    in_a_browser(scene, tmp_path, *AGAINST_A_MODEL)


def test_a_reload_keeps_what_was_typed_and_two_tabs_answer_once(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        question = await play.question()
        await play.tab.type("#field-alice_gain", "50")
        await play.tab.reload()
        await play.tab.until("document.querySelector('#field-alice_gain').value === '50'")

        other = await play.browser.tab()
        await other.open(play.address)
        await other.until("document.querySelector('#field-bob_gain')")
        await play.answer(bob_gain="50")
        await other.until(
            f"document.querySelector('#form').dataset.id !== {question!r}"
            " || document.querySelector('#turn').hidden"
        )
        await play.ended()
        assert len(turns_of(await play.finished(), "alice")) == 1

    in_a_browser(scene, tmp_path, "game.rules.pie=100")


def test_what_is_no_number_is_said_at_the_field_and_costs_no_try(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        await play.question()
        await asyncio.sleep(0.4)
        await play.tab.type("#field-alice_gain", "half")
        await play.tab.type("#field-bob_gain", "50")
        await play.tab.press("Enter")
        await play.tab.until("document.querySelector('[aria-invalid]')")
        assert "Write a number" in await play.tab.text()
        assert await play.tab.evaluate("document.activeElement.id") == "field-alice_gain"
        await play.answer(alice_gain="50")
        await play.ended()
        assert [kind for kind, _ in turns_of(await play.finished(), "alice")] == ["move"]

    in_a_browser(scene, tmp_path, "game.rules.pie=100")


def test_the_next_game_comes_when_the_person_asks_for_it(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        await play.answer(alice_gain="50", bob_gain="50")
        await play.ended()
        await play.tab.until("!document.querySelector('#others').hidden")
        await play.tab.click("#next")
        await play.tab.until("document.querySelector('#number').innerText.includes('2')")
        await play.answer(alice_gain="40", bob_gain="60")
        assert "You earned $40." in await play.ended()
        assert len(turns_of(await play.finished(), "alice")) == 2

    in_a_browser(scene, tmp_path, "game.rules.pie=100", "market.replicates=2")


def test_two_people_who_share_a_page_do_not_see_each_other_s_side(tmp_path: Path) -> None:
    shared = ("agent@agent.rival=page", "agent.rival.port=0", "game.rules.pie=100")

    async def scene(play: Play) -> None:
        await play.answer(alice_gain="70", bob_gain="30")
        await play.tab.until("!document.querySelector('#cover').hidden")
        assert "You are Bob." not in await play.tab.text()
        assert "You are Alice." not in await play.tab.text()
        await play.tab.click("#uncover")
        await play.choose("accept")
        over = await play.ended()
        assert "Alice: You earned $70." in over
        assert "Bob: You earned $30." in over
        await play.finished()

    in_a_browser(scene, tmp_path, *shared)


def test_the_clock_runs_out_and_the_game_is_forfeited(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        await play.question()
        await play.tab.until("document.querySelector('#clock').innerText.startsWith('0:0')")
        assert "Forfeit" in await play.ended()
        assert "You did not answer within 3 seconds." in await play.tab.text()
        kinds = [kind for kind, _ in turns_of(await play.finished(), "alice")]
        assert kinds == ["unreadable", "unreadable", "forfeit"]

    in_a_browser(scene, tmp_path, "agent.you.timeout_s=3", "table.tries=2")


def test_a_stopped_run_says_so_and_its_game_begins_anew_when_it_is_resumed(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        await play.answer(alice_gain="70", bob_gain="30")
        await play.question()
        play.process.send_signal(signal.SIGINT)
        await asyncio.wait_for(play.process.wait(), PATIENCE_S)
        await play.tab.until("document.querySelector('#banner').innerText.includes('begins anew')")
        assert play.process.returncode == 130
        assert set(play.browser.complaints) <= {GONE}

    in_a_browser(scene, tmp_path, "game.rules.pie=100")

    async def resumed(play: Play) -> None:
        await play.answer(alice_gain="50", bob_gain="50")
        await play.ended()
        assert len(turns_of(await play.finished(), "alice")) == 1

    in_a_browser(resumed, tmp_path, "resume")


def test_an_address_without_its_token_shows_nothing(tmp_path: Path) -> None:
    async def scene(play: Play) -> None:
        stranger = await play.browser.tab()
        await stranger.open(play.address.partition("#")[0])
        await stranger.until(
            "document.querySelector('#banner').innerText.includes('not open to you')"
        )
        assert "Alice" not in await stranger.text()
        play.browser.complaints.clear()  # Chromium logs the refusal
        await play.answer(alice_gain="50", bob_gain="50")
        await play.ended()
        await play.finished()

    in_a_browser(scene, tmp_path, "game.rules.pie=100")

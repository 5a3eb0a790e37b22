"""A headless Chromium that tests drive as a person would: clicks and keys.

Speaks Chromium's DevTools protocol over a web socket. Knows no page of ours.
"""

import asyncio
import contextlib
import json
import re
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]
PATIENCE_S = 30.0

_KEYS = {"Enter": ("Enter", 13, "\r"), "Tab": ("Tab", 9, ""), " ": ("Space", 32, " ")}


class Browser:
    """A running Chromium; `complaints` is what its pages wrote to the console as errors."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def tab(self, width: int = 900, height: int = 900) -> "Tab":
        """A new window with an empty page, sharing nothing but the profile with the others."""
        made = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        tab = Tab(self, attached["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            await tab.call(f"{domain}.enable")
        await tab.resize(width, height)
        return tab

    async def call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """The answer to one command. Raises RuntimeError if Chromium refuses it."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": given}
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(command | ({"sessionId": session} if session else {}))
        found = await asyncio.wait_for(answer, PATIENCE_S)
        if "error" in found:
            raise RuntimeError(f"{method}: {found['error']['message']}")
        return found["result"]

    async def listen(self) -> None:
        """Hand answers to those who wait for them, until the browser is closed."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self._note(said["method"], said["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        match method:
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                thrown = details.get("exception", {}).get("description", "")
                self.complaints.append(f"{details['text']} {thrown}")
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] == "error":
                self.complaints.append(str([a.get("value") for a in told["args"]]))


class Tab:
    """One page."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self._session = session

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        """The answer to one command about this page."""
        return await self.browser.call(method, self._session, **given)

    async def resize(self, width: int, height: int, *, touch: bool = False) -> None:
        """Make the window that large, in CSS pixels; `touch` makes it a phone's."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )

    async def scheme(self, name: str) -> None:
        """Prefer `dark` or `light`."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def open(self, address: str) -> None:
        """Go to `address`; returns when the page is there."""
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def reload(self) -> None:
        """Load the page anew."""
        await self.evaluate("window.__old = true")
        await self.call("Page.reload")
        await self.until("!window.__old && document.readyState === 'complete'")

    async def evaluate(self, code: str) -> Any:
        """The value of an expression in the page. Raises RuntimeError if it throws."""
        found = await self.call(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    async def until(self, code: str) -> None:
        """Wait until the expression is true."""
        until = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < until:
            with contextlib.suppress(RuntimeError):  # the page may be between two documents
                if await self.evaluate(f"Boolean({code})"):
                    return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not true within {PATIENCE_S} s: {code}\n{await self.text()}")

    async def text(self) -> str:
        """What a person reads on the page."""
        return await self.evaluate("document.body.innerText")

    async def click(self, selector: str) -> None:
        """Click on the middle of the element, with the mouse."""
        x, y = await self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1
            )

    async def type(self, selector: str, text: str) -> None:
        """Replace what stands in the field by `text`."""
        await self.click(selector)
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        if text:
            await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Press and release a key."""
        code, number, text = _KEYS[key]
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                windowsVirtualKeyCode=number,
                **({"text": text} if text and kind == "keyDown" else {}),
            )


@contextlib.asynccontextmanager
async def chromium(profile: Path) -> AsyncGenerator[Browser]:
    """A headless Chromium with an empty profile in that folder."""
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={profile}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = await asyncio.wait_for(_address(process), PATIENCE_S)
        drain = asyncio.create_task(_drained(process))
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(address, max_msg_size=0) as socket,
        ):
            browser = Browser(socket)
            listening = asyncio.create_task(browser.listen())
            yield browser
            with contextlib.suppress(RuntimeError, asyncio.TimeoutError):
                await browser.call("Browser.close")
            await listening
        await drain
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.search(rb"DevTools listening on (ws://\S+)", line):
            return found[1].decode()
    raise RuntimeError("Chromium did not start")


async def _drained(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async for _ in process.stderr:
        pass

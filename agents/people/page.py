"""The local web server at which people play: one per process and address. Knows no game.

A page gets what its person may know for the token in its address (behind `#`, where no server and
no log sees it) and sends answers with it; there are no cookies, so no other site can act for it.
"""

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import sys
from collections.abc import AsyncGenerator
from functools import lru_cache
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from catallaxy.agents.people.chair import Chair

_HERE = Path(__file__).parent
_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
_POLL_S = 20.0  # how long a page is left waiting for news
_LARGEST_ANSWER = 256 * 1024  # bytes
_ANYWHERE = ("0.0.0.0", "::")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class AddressTaken(Exception):
    """The address of the page is taken by another program."""


class Page:
    """The server. It starts when the first person is asked; it ends with its event loop at last."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._chairs: dict[str, Chair] = {}
        self._starting = asyncio.Lock()
        self._serving: asyncio.Task[None] | None = None

    async def chair(self, name: str) -> Chair:
        """The place of the person of that name, whose address is printed when it is made.

        Raises AddressTaken if the server cannot start.
        """
        async with self._starting:
            if self._serving is None or self._serving.done():
                await self._start()
            if name not in self._chairs:
                self._chairs[name] = Chair(name)
                at = self.address(self._chairs[name])
                sys.stderr.write(f"To play as {name!r}, open {at}\n")
                sys.stderr.flush()
        return self._chairs[name]

    def known(self, name: str) -> Chair | None:
        """The place of the person of that name, if they were asked anything."""
        return self._chairs.get(name)

    async def try_address(self) -> None:
        """Raises AddressTaken if the server could not start."""
        if self._serving is None and self._port:
            try:
                async with _running(web.Application(), self._host, self._port):
                    pass
            except OSError as error:
                raise self._taken(error) from error

    async def close(self) -> None:
        """Stop serving, when the pages that are there have fetched how their games ended."""
        serving, self._serving = self._serving, None
        if serving is None:
            return
        await asyncio.gather(*(chair.farewell() for chair in self._chairs.values()))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    def address(self, chair: Chair) -> str:
        """Where a person opens the page; it holds the token."""
        host = socket.gethostname() if self._host in _ANYWHERE else self._host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._port}/play/{chair.name}#{chair.token}"

    async def _start(self) -> None:
        started = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(started))
        await started

    async def _serve(self, started: asyncio.Future[None]) -> None:
        """Serve until the loop ends: it then cancels this task, and the socket is closed."""
        try:
            async with _running(self._application(), self._host, self._port) as port:
                self._port = port
                started.set_result(None)
                await asyncio.Event().wait()
        except OSError as error:
            if not started.done():
                started.set_exception(self._taken(error))

    def _taken(self, error: OSError) -> AddressTaken:
        return AddressTaken(f"people cannot play at {self._host}:{self._port} ({error.strerror})")

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=_LARGEST_ANSWER)
        app.router.add_get("/play/{name}", self._page)
        app.router.add_get("/play/{name}/state", self._state)
        app.router.add_post("/play/{name}/answer", self._answer)
        app.router.add_post("/play/{name}/turn", self._turn)
        app.router.add_get("/static/{file}", _static)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nothing for a page of another site, nor under a name that is not ours (rebinding)."""
        try:
            if not self._is_ours(request.host):
                raise web.HTTPMisdirectedRequest(text="This server is not known by that name.\n")
            origin = request.headers.get("Origin")
            if origin is not None and origin != f"http://{request.host}":
                raise web.HTTPForbidden(text="Other sites have no business here.\n")
            response = await handler(request)
        except web.HTTPException as refusal:
            refusal.headers.update(_HEADERS)
            raise
        response.headers.update(_HEADERS)
        return response

    def _is_ours(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        if port != str(self._port):
            return False
        if name in ("localhost", self._host):
            return True
        if self._host in _ANYWHERE and name == socket.gethostname():
            return True
        with contextlib.suppress(ValueError):  # no site can make an address its name
            return bool(ipaddress.ip_address(name.strip("[]")))
        return False

    def _chair_at(self, request: web.Request) -> Chair:
        chair = self._chairs.get(request.match_info["name"])
        if chair is None:
            raise web.HTTPNotFound(text="Nobody of that name plays here.\n")
        return chair

    def _opened(self, request: web.Request) -> Chair:
        """The chair, for who has its token."""
        chair = self._chair_at(request)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode("utf-8", "replace"), chair.token.encode()):
            raise web.HTTPForbidden(text="Open the address that the run has printed.\n")
        return chair

    async def _page(self, request: web.Request) -> web.Response:
        self._chair_at(request)
        return _file("page.html", "text/html")

    async def _state(self, request: web.Request) -> web.Response:
        chair = self._opened(request)
        after = request.query.get("after", "")
        known = int(after) if after.isdecimal() else -1
        seen = await chair.state(known, _POLL_S)
        return web.Response(body=orjson.dumps(seen), content_type="application/json")

    async def _answer(self, request: web.Request) -> web.Response:
        chair = self._opened(request)
        question, typed = _answer_in(await request.read())
        if not chair.submit(question, typed):
            raise web.HTTPConflict(text="That question is not open any more.\n")
        return web.Response(status=204)

    async def _turn(self, request: web.Request) -> web.Response:
        self._opened(request).turn()
        return web.Response(status=204)


def _answer_in(body: bytes) -> tuple[str, dict[str, str]]:
    """The question and the fields of `{"question": ..., "fields": {...}}`."""
    try:
        given = orjson.loads(body)
        question, fields = given["question"], given["fields"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise web.HTTPBadRequest(text="An answer has a question and fields.\n") from error
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise web.HTTPBadRequest(text="Every field of an answer is a text.\n")
    return str(question), fields


async def _static(request: web.Request) -> web.Response:
    name = request.match_info["file"]
    if name not in _FILES:
        raise web.HTTPNotFound
    return _file(name, _FILES[name])


def _file(name: str, kind: str) -> web.Response:
    body = (_HERE / name).read_bytes()
    return web.Response(body=body, content_type=kind, charset="utf-8")


@contextlib.asynccontextmanager
async def _running(app: web.Application, host: str, port: int) -> AsyncGenerator[int]:
    """Serve `app`; yields the port. Raises OSError if the address cannot be had."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@lru_cache(maxsize=64)
def page_of(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Page:
    """The server at that address, for all who are asked on `loop`."""
    return Page(host, port)

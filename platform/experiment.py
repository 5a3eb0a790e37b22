"""From a resolved configuration to a finished run. Knows no command line."""

import asyncio
import contextlib
import logging
import platform as machine
import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from os import cpu_count
from pathlib import Path
from random import Random
from typing import Any

from catallaxy.agents.base import Ask, Connected, Specialist
from catallaxy.agents.chat import BackendFailed, CallKey
from catallaxy.agents.wording import Wording
from catallaxy.platform.analysis.balance import Balance, Cell, balance
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.backends.replay import Replay
from catallaxy.platform.compose import digest
from catallaxy.platform.config import build
from catallaxy.platform.episode import Table
from catallaxy.platform.errors import ConfigError, NotReady
from catallaxy.platform.host import Cluster, Hosting, Recording, Session
from catallaxy.platform.market.house import (
    Entry,
    House,
    Matchmaker,
    Offered,
    Standings,
    plain_rules,
)
from catallaxy.platform.market.marketplace import (
    Budget,
    Marketplace,
    Progress,
    RunStatus,
)
from catallaxy.platform.record import Engagement
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import AgentRow, Run

log = logging.getLogger(__name__)

Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Experiment:
    """Finished objects: everything that a run needs, built and checked before anything starts."""

    config: Mapping[str, Any]
    name: str
    seed: int
    house: House
    matchmaker: Matchmaker
    cluster: Cluster
    session: Session
    budget: Budget
    recording: Recording
    check: bool

    def design(self) -> list[Engagement]:
        """The engagements that are known before the first episode."""
        return list(self._opening)

    def balance(self) -> list[Balance]:
        """How evenly the design gives out configurations, seatings and levels, per game."""
        levels: dict[str, dict[str, Any]] = {}
        for each in self._opening:
            if each.variant not in levels:
                rules = {
                    k: v for k, v in plain_rules(each.rules).items() if not isinstance(v, dict)
                }
                levels[each.variant] = {**rules, "wording": each.wording}
        return balance(
            Cell(e.game, e.variant, levels[e.variant], " vs ".join(e.seats.values()))
            for e in self._opening
        )

    @cached_property
    def _opening(self) -> tuple[Engagement, ...]:
        return tuple(self.matchmaker.next(self.house, Standings()))


@dataclass(frozen=True, slots=True)
class Result:
    """How a launch ended, and where the record is."""

    folder: Path
    status: RunStatus
    progress: Progress


def experiment(config: Mapping[str, Any]) -> Experiment:
    """Build and check every part. Raises ConfigError with one sentence; nothing was started."""
    gates = {
        name: Gate(name, build(spec, at=f"backend {name!r}"))
        for name, spec in config["backends"].items()
    }
    entries = {str(name): _entry(str(name), spec, gates) for name, spec in config["agent"].items()}
    if not entries:
        raise ConfigError("agent: there are no agents; add one with +agent@agent.NAME=chat")
    catalogue = _catalogue(config)
    agents = {name: entry.agent for name, entry in entries.items()}
    used = {entry.backend for entry in entries.values() if entry.backend}
    built = Experiment(
        config=config,
        name=str(config["name"]),
        seed=_whole(config["seed"], "seed"),
        house=House(entries, catalogue, _whole(config["seed"], "seed")),
        matchmaker=build(config["market"], at="market"),
        cluster=build(config["cluster"], at="cluster"),
        session=Session(
            agents=agents,
            wordings={name: offered.wordings for name, offered in catalogue.items()},
            gates=tuple(gates[name] for name in sorted(used)),
            table=build(config["table"], at="table", expected=Table),
        ),
        budget=build(config["budget"], at="budget", expected=Budget),
        recording=build(config["store"], at="store", expected=Recording),
        check=bool(config["check"]),
    )
    _rehearse(built)
    _check_seats(built)
    return built


def _whole(value: Any, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"{at} must be a whole number, not {value!r}.")
    return value


def _entry(name: str, spec: Any, gates: Mapping[str, Gate]) -> Entry:
    if not isinstance(spec, Mapping):
        raise ConfigError(f"agent.{name} must be a mapping with _target_, not {spec!r}")
    fields = dict(spec)
    backend = fields.pop("backend", None)
    gate = gates[backend] if backend else None
    if gate is not None:
        fields["model"] = gate
    agent = build(fields, at=f"agent.{name}")
    return Entry(
        name=name,
        agent=agent,
        kind=type(agent).__name__,
        backend=backend,
        model=gate.backend.model if gate else None,
        spec=spec,
    )


def _catalogue(config: Mapping[str, Any]) -> dict[str, Offered]:
    """The games of the run: `game`, and all of `games`."""
    specs = {f"games.{name}": spec for name, spec in config["games"].items()}
    if config.get("game") is not None:
        specs = {"game": config["game"], **specs}
    found: dict[str, Offered] = {}
    for at, spec in specs.items():
        offered = _offered(spec, at)
        if offered.name in found:
            raise ConfigError(
                f"{at}.name: there are two games called {offered.name!r}: `game` is played beside "
                "those in `games`, and ~games.NAME ~market.factors_of.NAME take one of these out."
            )
        found[offered.name] = offered
    if not found:
        raise ConfigError("game: there is no game; give one with game=NAME.")
    return found


def _offered(spec: Any, at: str) -> Offered:
    for key in ("name", "rules", "wording"):
        if not isinstance(spec, Mapping) or key not in spec:
            raise ConfigError(f"{at}.{key} is missing")
    if isinstance(spec["wording"], str):
        raise ConfigError(f"{at}.wording holds the words; game/wording=NAME chooses them by name.")
    main = build(spec["wording"], at=f"{at}.wording", expected=Wording)
    others = {
        name: build(words, at=f"{at}.wordings.{name}", expected=Wording)
        for name, words in (spec.get("wordings") or {}).items()
    }
    return Offered(
        name=str(spec["name"]),
        rules=build(spec["rules"], at=f"{at}.rules"),
        wordings={main.name: main, **others},
        wording=main.name,
    )


def _rehearse(built: Experiment) -> None:
    """Word the first ask of every variant, so that words that do not fit stop before a run."""
    design = built.design()
    if not design:
        raise ConfigError("market: the design has no engagements")
    thinking = any(getattr(agent, "scratchpad", False) for agent in built.session.agents.values())
    for engagement in {e.variant: e for e in design}.values():
        words = built.session.wordings[engagement.game][engagement.wording]
        game = engagement.rules
        state = game.start(Random(engagement.seed))
        for seat in game.to_move(state)[:1]:
            ask = Ask(
                seat=seat,
                view=game.view(state, seat),
                move_type=game.move_type(state, seat),
                dialogue=(),
                wording=words,
                seed=0,
                call=CallKey(engagement.id, seat, 0, 0),
            )
            try:
                words.messages(ask, persona="", scratchpad=thinking)
            except ValueError as error:
                raise ConfigError(f"game.wording: {error}") from error


def _check_seats(built: Experiment) -> None:
    """Who knows some games only sits at these."""
    sat = {(e.game, name): e for e in built.design() for name in e.seats.values()}
    for (game, name), engagement in sat.items():
        entry, rules = built.house.registry[name], engagement.rules
        view = rules.view(rules.start(Random(engagement.seed)), rules.seats[0])
        if isinstance(entry.agent, Specialist) and not entry.agent.plays(view):
            raise ConfigError(
                f"agent.{name}: {entry.kind} does not play {game}; seat another one with "
                f"agent@agent.{name}=NAME."
            )


async def conduct(
    built: Experiment, folder: Path, watch: Watch, *, run: str | None = None
) -> Result:
    """Play a run to its end, its budget, or until it is interrupted; then close the record.

    A folder that holds an earlier launch of the same run is gone on with: what is settled stays;
    `run` is then its id.

    Raises NotReady before the first episode when a model cannot be asked, StoreError when the
    record cannot be written.
    """
    if any(isinstance(gate.backend, Replay) for gate in built.session.gates):
        built = replace(built, session=await asyncio.to_thread(_with_recordings, built.session))
    if built.check:
        await _check(built.session.gates)
        await _check_agents(built.house)
    hosting = await built.cluster.open(built.session, folder, built.recording)
    status = RunStatus.FAILED
    try:
        market = await _opened(built, hosting, run or run_id(folder), watch)
        with _interruptible(market.stop):
            status = await market.run()
        watch(market.progress)
    finally:
        await hosting.close(status.value)
    return Result(folder, status, market.progress)


async def _opened(built: Experiment, hosting: Hosting, run: str, watch: Watch) -> Marketplace:
    past = await hosting.record.begin(_run_row(built, run), _agent_rows(built))
    return Marketplace(
        house=built.house,
        matchmaker=built.matchmaker,
        hosting=hosting,
        budget=built.budget,
        stop=asyncio.Event(),
        watch=watch,
        past=past,
        opening=built.design(),
    )


def _run_row(built: Experiment, run: str) -> Run:
    packages = ("ray", "openai", "langchain-core", "pydantic", "duckdb", "hydra-core", "aiohttp")
    return Run(
        id=run,
        name=built.name,
        seed=built.seed,
        config=built.config,
        config_hash=digest(built.config),
        version=version("catallaxy"),
        git_sha=_git_sha(),
        packages={name: version(name) for name in packages},
        host={"python": machine.python_version(), "system": machine.system(), "cpus": cpu_count()},
        started=time.time(),
    )


def run_id(folder: Path) -> str:
    """A run's name in SQL: the end of its folder, such as `2026-11-22/16-40-01_quickstart`."""
    parts = folder.resolve().parts
    below = parts.index("runs") + 1 if "runs" in parts else -2
    return "/".join(parts[below:])


def fresh_folder(runs: Path, name: str) -> Path:
    """A new run folder that nobody else has: <runs>/<date>/<time>_<name>."""
    now = datetime.now().astimezone()
    safe = re.sub(r"[^\w.-]+", "-", name)
    stem = runs / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{safe}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    for extra in range(1000):
        folder = stem if not extra else stem.with_name(f"{stem.name}-{extra}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise ConfigError(f"there are too many runs named {stem}")


def reopened(folder: Path) -> tuple[dict[str, Any], str]:
    """The configuration and the id of a run that was launched before.

    Raises ConfigError if the configuration is not the one that it was launched with, or if nothing
    was launched there: a run of imported games has nothing to resume.
    """
    with Reader.open(folder) as reader:
        [(run, recorded)] = reader.sql("SELECT run, config_hash FROM runs").rows
        config = reader.config()
    if digest(config) != recorded:
        raise ConfigError(f"{folder}: its configuration was changed; it can no longer be resumed")
    if "imported" in config:
        raise ConfigError(f"{folder} was imported, not played; there is nothing to resume.")
    return config, run


def _git_sha() -> str:
    """The commit of this code, `+` if it was changed since; empty outside a checkout."""
    here = Path(__file__).resolve().parent
    asked = ["git", "-C", str(here), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _agent_rows(built: Experiment) -> list[AgentRow]:
    return [
        AgentRow(entry.name, entry.kind, entry.backend or "", entry.model or "", entry.spec)
        for entry in built.house.registry.values()
    ]


async def _check(gates: Sequence[Gate]) -> None:
    """Every model answers one question, or NotReady says why not."""
    try:
        for gate in gates:
            await gate.check()
    finally:
        for gate in gates:
            await gate.close()


async def _check_agents(house: House) -> None:
    """Every agent outside this process can be reached, or NotReady says why not."""
    for entry in house.registry.values():
        if isinstance(entry.agent, Connected):
            try:
                await entry.agent.check()
            except BackendFailed as error:
                raise NotReady(f"agent.{entry.name}: {error}") from error
            finally:
                await entry.agent.close()


def _with_recordings(session: Session) -> Session:
    """Give every replaying backend the calls of the run that it replays."""
    recordings = {}
    for gate in session.gates:
        if isinstance(gate.backend, Replay):
            with Reader.open(Path(gate.backend.run)) as reader:
                recordings[gate.name] = tuple(reader.recorded_calls())
    return replace(session, recordings=recordings)


@contextlib.contextmanager
def _interruptible(stop: asyncio.Event) -> Generator[None]:
    """The first Ctrl-C (or SIGTERM) stops cleanly, the second one at once."""
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ask)
    except (ValueError, RuntimeError, NotImplementedError):  # a notebook's or another thread's loop
        yield
        return
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

"""Runs as the command line would launch them, from here: bargaining at any size, timed."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catallaxy.agents.base import Agent
from catallaxy.agents.chat_agent import ChatAgent
from catallaxy.platform.backends.gate import Gate
from catallaxy.platform.compose import composed
from catallaxy.platform.experiment import Experiment, conduct, experiment
from catallaxy.platform.host import Plan
from catallaxy.platform.market.marketplace import Progress, RunStatus

SCRIPTED = ("experiment=glee_bargaining", "backend=scripted")
ONE_VARIANT = (
    "experiment=glee_bargaining",
    "market.factors.delta_a=[0.9]",
    "market.factors.delta_b=[0.9]",
    "market.factors.pie=[10000]",
    "market.factors.horizon=[{max_rounds:99,horizon:hidden}]",
    "market.factors.complete_information=[true]",
    "market.factors.messages_allowed=[false]",
)


@dataclass(frozen=True, slots=True)
class Played:
    """A run that ended: where, what it counted, and when the last episode was durable."""

    folder: Path
    progress: Progress
    durable: float  # on the monotonic clock

    @property
    def turns(self) -> int:
        """Tries that were played."""
        return self.progress.turns


def built(*overrides: str) -> Experiment:
    """A checked experiment, unstarted. One is for one run."""
    return experiment(composed(overrides))


def played(folder: Path, *overrides: str) -> Played:
    """A whole run through the platform. Raises RuntimeError if an episode was not settled."""
    return asyncio.run(playing(folder, built(*overrides)))


async def playing(folder: Path, made: Experiment) -> Played:
    """`played`, on a running loop."""
    last = [0.0, 0]

    def watch(progress: Progress) -> None:
        if progress.done > last[1]:
            last[:] = [time.monotonic(), progress.done]

    result = await conduct(made, folder, watch)
    progress = result.progress
    if result.status is not RunStatus.FINISHED or progress.settled != progress.planned:
        raise RuntimeError(f"{folder}: {result.status}, {progress.last_error}")
    return Played(folder, progress, last[0])


def through(made: Experiment, gate: Gate) -> Experiment:
    """The same experiment, its chat agents asking through `gate`."""
    agents: dict[str, Agent] = {
        name: replace(agent, model=gate) if isinstance(agent, ChatAgent) else agent
        for name, agent in made.session.agents.items()
    }
    return replace(made, session=replace(made.session, agents=agents, gates=(gate,)))


def plans(made: Experiment) -> list[Plan]:
    """The design of a run, ready for a host."""
    return [Plan(engagement) for engagement in made.design()]


@contextmanager
def scratch() -> Generator[Path]:
    """A folder on the disk that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="catallaxy-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_folder() -> Generator[Path]:
    """A folder for one run."""
    with scratch() as folder:
        yield folder / "run"


def local_ray(cpus: int) -> None:
    """A Ray of our own, whatever else runs on this machine."""
    import ray

    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=200 * 1024**2,
        logging_level=logging.ERROR,
        log_to_driver=False,
    )

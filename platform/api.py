"""The public interface: run experiments and open their records, from Python or a notebook."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from catallaxy.platform.compose import composed
from catallaxy.platform.errors import CatallaxyError
from catallaxy.platform.experiment import (
    Experiment,
    Result,
    conduct,
    experiment,
    fresh_folder,
    reopened,
)
from catallaxy.platform.market.marketplace import Progress
from catallaxy.platform.store.reader import Reader, find_run

if TYPE_CHECKING:
    import pandas

Watch = Callable[[Progress], None]

__all__ = ["CatallaxyError", "Progress", "Runs", "open_runs", "resume", "run"]


class Runs:
    """The record of one run or of several, as data frames. Use `with`, or `close` it.

    Every frame has the column `run` first; docs/store.md describes the columns. An episode is known
    by (run, episode): two runs of one design share the ids of their episodes.
    """

    def __init__(self, *paths: Path | str) -> None:
        self._reader = Reader.open(*paths)

    def sql(self, query: str) -> "pandas.DataFrame":
        """The answer to a reading query over the views. Raises CatallaxyError with one sentence."""
        return self._reader.sql(query).df()

    @property
    def folders(self) -> tuple[Path, ...]:
        """The run folders that are open."""
        return tuple(run.folder for run in self._reader.runs)

    def runs(self) -> "pandas.DataFrame":
        """One row per run: status, times (UTC), seed, configuration, versions."""
        return self.sql("SELECT * FROM runs")

    def episodes(self) -> "pandas.DataFrame":
        """One row per episode: status, rules and episode-level metrics as columns."""
        return self.sql("SELECT * FROM episodes ORDER BY run, ordinal")

    def seats(self) -> "pandas.DataFrame":
        """One row per episode and seat: agent, payoff (unit of the game), seat-level metrics."""
        return self.sql("SELECT * FROM seats ORDER BY run, ordinal, place")

    def turns(self) -> "pandas.DataFrame":
        """One row per try: kind, move, objection."""
        return self.sql("SELECT * FROM turns ORDER BY run, episode, seq")

    def calls(self) -> "pandas.DataFrame":
        """One row per request to a model: tokens, latency (seconds), cost (US dollars), error."""
        return self.sql("SELECT * FROM calls ORDER BY run, episode, turn, tried, play, attempt")

    def metrics(self) -> "pandas.DataFrame":
        """The long form: run, episode, seat (empty for the whole episode), name, value."""
        return self.sql("SELECT * FROM metrics ORDER BY run, episode, seat, name")

    def predictions(self) -> "pandas.DataFrame":
        """What theory expects: run, variant, seat, name, value."""
        return self.sql("SELECT * FROM predictions ORDER BY run, variant, seat, name")

    def transcript(self, episode: str, run: str | None = None) -> "pandas.DataFrame":
        """Everything that was said in one episode, in reading order.

        Runs of one design share the ids of their episodes: name the run where several are open.
        """
        asked = [episode, run or self._only_run(episode)]
        query = "SELECT * FROM transcript WHERE episode = ? AND run = ?"
        return self._reader.sql(query, asked).df()

    def _only_run(self, episode: str) -> str:
        query = "SELECT DISTINCT run FROM episodes WHERE episode = ? ORDER BY run"
        runs = [run for (run,) in self._reader.sql(query, [episode]).rows]
        if len(runs) != 1:
            found = f"is in {len(runs)} runs ({', '.join(runs[:5])})" if runs else "is in no run"
            raise CatallaxyError(f"episode {episode!r} {found}; name its id and its run")
        return runs[0]

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()

    def __enter__(self) -> "Runs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def run(*overrides: str, runs: Path | str = "runs", watch: Watch | None = None) -> Runs:
    """Play an experiment and open its record.

    `overrides` are those of the command line: `run("experiment=glee_bargaining",
    "backend=scripted", "seed=7")`. `watch` is called with the progress about twice a second.
    Raises CatallaxyError with one sentence; bad input raises before anything starts.
    """
    built = experiment(composed(overrides))
    result = _played(built, fresh_folder(Path(runs), built.name), watch, None)
    return Runs(result.folder)


def resume(path: Path | str, *, runs: Path | str = "runs", watch: Watch | None = None) -> Runs:
    """Play what a stopped or killed run has left, and open its record."""
    folder = find_run(path, runs)
    config, name = reopened(folder)
    return Runs(_played(experiment(config), folder, watch, name).folder)


def open_runs(*paths: Path | str) -> Runs:
    """Open run folders, or folders of runs (default: `runs`), also while they go on."""
    return Runs(*(paths or ("runs",)))


def _played(built: Experiment, folder: Path, watch: Watch | None, name: str | None) -> Result:
    """Conduct the run; in a thread of its own where a loop already runs, as in a notebook."""

    held: dict[str, Any] = {}

    async def conducted() -> Result:
        held["loop"], held["task"] = asyncio.get_running_loop(), asyncio.current_task()
        return await conduct(built, folder, watch or _unwatched, run=name)

    def play() -> Result:
        return asyncio.run(conducted())

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return play()
    box: list[Any] = []

    def keep() -> None:
        try:
            box.append(play())
        except BaseException as error:  # noqa: BLE001  raised again below, in the caller's thread
            box.append(error)

    thread = threading.Thread(target=keep, name="catallaxy")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:  # the interrupted cell must not leave a run behind that spends money
        if "loop" in held:
            held["loop"].call_soon_threadsafe(held["task"].cancel)
        thread.join()
        raise
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


def _unwatched(_: Progress) -> None:
    """Nobody watches."""

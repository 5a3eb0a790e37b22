"""The public interface: run experiments and open their records, from Python or a notebook."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
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

    from catallaxy.platform.analysis.effects import Correction, Method
    from catallaxy.platform.analysis.metagame import MetaGame
    from catallaxy.platform.analysis.published import SignComparison

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

    def frame(self, game: str) -> "pandas.DataFrame":
        """One row per settled episode of `game`: what every statistic here is computed from.

        The columns of `episodes()`, `wording`, and for every seat of the game `<seat>` (the model,
        or the agent's name), `agent_<seat>` and its measures, such as `self_gain_<seat>`. Raises
        CatallaxyError without such episodes.
        """
        return _statistics().episodes(self._reader, game)

    def effects(
        self,
        game: str,
        metric: str | None = None,
        *,
        reference: Mapping[str, object] | None = None,
        method: "Method | None" = None,
        correction: "Correction | None" = None,
    ) -> "pandas.DataFrame":
        """GLEE's regressions: what every level of every factor changes, for one metric or for all.

        A row per metric and level: `metric`, `factor`, `level`, `reference` (whether it is the
        reference level), `n_level` (episodes), `estimate`, `se`, `freedom`, `low`, `high` (95 %),
        `p`, `p_adjusted` (over all metrics), in the unit of the metric, NaN where the record cannot
        tell. `attrs` has `notes`, `n` and `dropped` (episodes). `reference` sets reference levels
        by factor, `method` is `clustered`, `bootstrap` or `classical` (the paper's); where it is
        None the rules decide (`compat.inference`). The default `correction` is `holm`, of the
        classical method `none`. Raises CatallaxyError if nothing can be estimated, or without
        `catallaxy[analysis]`.
        """
        study = _statistics().study(self._reader, game)
        return study.effects_frame(metric, reference or {}, study.judged(method, correction))

    def pairs(self, game: str, metric: str) -> "pandas.DataFrame":
        """What every ordered pair of players adds to the mean of `metric`, as in GLEE's maps.

        A row per pair that met: `alice`, `bob`, `n`, `mean` (raw), then as in `effects()`.
        `pivot(index="alice", columns="bob", values="estimate")` makes the map. `attrs` has `mean`
        (of all episodes) and `notes`.
        """
        return _statistics().study(self._reader, game).pairs_frame(metric)

    def metagame(self, game: str) -> "MetaGame":
        """The game of picking a player for either seat, its equilibria, and how sure they are.

        `alice_gains` and `bob_gains` are frames (Alice's players down, Bob's across); `survival` is
        a frame with the share of resamples in which a pair is a pure equilibrium.
        """
        return _statistics().study(self._reader, game).metagame()

    def compare_with_paper(self, game: str) -> "dict[str, SignComparison]":
        """The differences between markets beside those of GLEE's table 5, by metric.

        `pairs` of each is a frame with a row per pair of markets.
        """
        return _statistics().study(self._reader, game).compared()

    def percentiles(self, game: str) -> "pandas.DataFrame":
        """Players by their mean percentile within configuration and seat, best first.

        Columns `agent`, `n` (gains that count), `percentile` (in [0, 1]), `low`, `high` (95 %);
        empty where nobody had a rival. `attrs["alone"]` counts gains that did not count for want of
        one.
        """
        found = _statistics().ranking(self.frame(game))
        found.table.attrs["alone"] = found.alone
        return found.table

    def regret(self) -> "pandas.DataFrame":
        """The mean best-response regret of every agent at every seat against every scripted agent.

        Columns `game`, `agent`, `seat`, `opponent`, `regret` (unit of `self_gain`), `half` (of the
        95 % interval, clustered by configuration), `n`, `clusters`, `error` (standard error of the
        best response's value, for opponents that toss coins). Takes about 10 ms per
        configuration and opponent, 100 in persuasion or where the opponent tosses coins.
        """
        return _statistics().mean_regret(self._reader)

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


def _statistics() -> ModuleType:
    from catallaxy.platform.view import statistics  # noqa: PLC0415 - pandas, only when asked

    return statistics


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

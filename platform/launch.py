"""The command line. Everything heavy is imported by the command that needs it."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from catallaxy.platform.errors import CatallaxyError, ConfigError

RUNS = Path("runs")
BAD_INPUT = 2
INTERRUPTED = 130

_ASKS_HYDRA = ("--help", "-h", "--hydra-help", "--cfg", "-c", "--info", "-i", "--version")


def main() -> None:
    """The entry point of the `catallaxy` command."""
    try:
        code = command(sys.argv[1:])
    except CatallaxyError as error:
        code = complain(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:  # `catallaxy sql ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def complain(error: CatallaxyError) -> int:
    """One clear line on stderr; the exit code: 2 for bad input, 1 for what the world did."""
    sys.stderr.write(f"catallaxy: {' '.join(str(error).split())}\n")
    return BAD_INPUT if isinstance(error, ConfigError) else 1


def command(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    if arguments and arguments[0] == "run":
        return run(list(arguments[1:]))
    options = _parser().parse_args(arguments)
    return options.do(options)


def run(arguments: list[str]) -> int:
    """`catallaxy run`: check every job of the launch, then let Hydra start them."""
    if any(argument in _ASKS_HYDRA for argument in arguments):
        return _with_hydra(arguments)
    from catallaxy.platform import compose  # noqa: PLC0415
    from catallaxy.platform.experiment import experiment  # noqa: PLC0415

    sweep = bool({"-m", "--multirun"} & set(arguments))
    overrides = [a for a in arguments if not a.startswith("-")]
    name = ""
    for job in compose.jobs(overrides) if sweep else [overrides]:
        ours = [o for o in job if not o.lstrip("+~").startswith("hydra.")]
        config = compose.composed(ours)
        experiment(config)
        name = str(config["name"])
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    if not any(o.startswith(f"{key}=") for o in overrides):
        arguments = [*arguments, f"{key}={_fresh_folder(name)}"]
    return _with_hydra(arguments)


def _fresh_folder(name: str) -> Path:
    """A run folder that nobody else has: runs/<date>/<time>_<name>."""
    now = datetime.now().astimezone()
    safe = re.sub(r"[^\w.-]+", "-", name)
    stem = RUNS / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}_{safe}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    for extra in range(1000):
        folder = stem if not extra else stem.with_name(f"{stem.name}-{extra}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise ConfigError(f"there are too many runs named {stem}")


def _with_hydra(arguments: list[str]) -> int:
    import hydra  # noqa: PLC0415
    from hydra.core.hydra_config import HydraConfig  # noqa: PLC0415
    from omegaconf import DictConfig  # noqa: PLC0415

    from catallaxy.platform import compose  # noqa: PLC0415

    codes: list[int] = []

    @hydra.main(
        version_base=compose.VERSION_BASE, config_path=str(compose.CONF), config_name="config"
    )
    def job(config: DictConfig) -> None:
        told = HydraConfig.get()
        plain = compose.resolved(config, told.runtime.choices)
        try:
            codes.append(_play(plain, Path(told.runtime.output_dir)))
        except CatallaxyError as error:
            codes.append(complain(error))

    sys.argv = ["catallaxy run", *arguments]
    job()
    return max(codes, default=0)


def _play(config: dict[str, Any], folder: Path, run: str | None = None) -> int:
    import asyncio  # noqa: PLC0415

    from catallaxy.platform.view.summary import print_summary  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from catallaxy.platform.experiment import conduct, experiment  # noqa: PLC0415
    from catallaxy.platform.view.progress import Watcher  # noqa: PLC0415

    console = Console(stderr=True)
    built = experiment(config)
    console.print(f"{built.name}: {_at(folder)}", highlight=False, soft_wrap=True)
    watcher = Watcher(console)
    try:
        result = asyncio.run(conduct(built, folder, watcher, run=run))
    finally:
        watcher.close()
    return print_summary(result, Console())


def _at(folder: Path) -> str:
    """The folder as the user would type it."""
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def _resume(options: argparse.Namespace) -> int:
    import orjson  # noqa: PLC0415
    from catallaxy.platform.store.reader import Reader, find_run  # noqa: PLC0415

    from catallaxy.platform.compose import digest  # noqa: PLC0415

    folder = find_run(options.run, RUNS)
    with Reader.open(folder) as reader:
        (launched,) = reader.sql("select run, config, config_hash from runs").rows
    name, text, recorded = launched
    config = orjson.loads(text)
    if digest(config) != recorded:
        raise ConfigError(f"{folder}: its configuration was changed; it can no longer be resumed")
    return _play(config, folder, name)


def _sql(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import Reader  # noqa: PLC0415

    with Reader.open(*(options.runs or [RUNS])) as reader:
        reader.sql(options.query).write(options.format, options.output)
    return 0


def _ls(options: argparse.Namespace) -> int:
    from catallaxy.platform.view.listing import print_runs  # noqa: PLC0415

    return print_runs(Path(options.folder))


def _show(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import find_run  # noqa: PLC0415
    from catallaxy.platform.view.dialogue import print_dialogue  # noqa: PLC0415

    return print_dialogue(find_run(options.run, RUNS), options.episode, private=options.private)


def _report(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import find_run  # noqa: PLC0415
    from catallaxy.platform.view.report import write_report  # noqa: PLC0415

    path = write_report(find_run(options.run, RUNS), options.output)
    sys.stdout.write(f"{path}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="catallaxy", description="Language-model agents play economic games, on the record."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    start = commands.add_parser(
        "run", help="launch a run or a sweep (catallaxy run --help)", add_help=False
    )
    start.set_defaults(do=lambda _: run([]))

    resume = commands.add_parser("resume", help="play what a stopped or killed run has left")
    resume.add_argument("run", help="a run folder, or the end of its name; `last` is the newest")
    resume.set_defaults(do=_resume)

    ask = commands.add_parser(
        "sql", help="ask one run, several, or all of runs/, also while they go on"
    )
    ask.add_argument("query", help='e.g. "select game, avg(efficiency) from episodes group by 1"')
    ask.add_argument("runs", nargs="*", type=Path, help="run folders (default: all of runs/)")
    ask.add_argument("--format", choices=["table", "csv", "json", "parquet"], default="table")
    ask.add_argument("--output", type=Path, help="a file (needed for parquet)")
    ask.set_defaults(do=_sql)

    ls = commands.add_parser("ls", help="list the runs")
    ls.add_argument("folder", nargs="?", default=str(RUNS))
    ls.set_defaults(do=_ls)

    show = commands.add_parser("show", help="print one dialogue")
    show.add_argument("run", help="a run folder, or the end of its name; `last` is the newest")
    show.add_argument("episode", nargs="?", help="an episode's id or ordinal (default: a list)")
    show.add_argument("--private", action="store_true", help="also prompts and private reasoning")
    show.set_defaults(do=_show)

    report = commands.add_parser("report", help="write one self-contained HTML page about a run")
    report.add_argument("run", help="a run folder, or the end of its name; `last` is the newest")
    report.add_argument("--output", type=Path, help="default: report.html in the run folder")
    report.set_defaults(do=_report)
    return parser


if __name__ == "__main__":
    main()

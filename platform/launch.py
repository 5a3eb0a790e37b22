"""The command line. Everything heavy is imported by the command that needs it."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
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
    parser, asking = _parser()
    if arguments and arguments[0] == "sql":  # its options may stand among the run folders
        options = asking.parse_intermixed_args(arguments[1:])
    else:
        options = parser.parse_args(arguments)
    return options.do(options)


def run(arguments: list[str]) -> int:
    """`catallaxy run`: check every job of the launch, then let Hydra start them."""
    if any(argument in _ASKS_HYDRA for argument in arguments):
        return _with_hydra(arguments)
    from catallaxy.platform import compose
    from catallaxy.platform.experiment import experiment, fresh_folder

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
        arguments = [*arguments, f"{key}={fresh_folder(RUNS, name)}"]
    return _with_hydra(arguments)


def _with_hydra(arguments: list[str]) -> int:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import DictConfig

    from catallaxy.platform import compose

    codes: list[int] = []

    @hydra.main(
        version_base=compose.VERSION_BASE, config_path=str(compose.CONF), config_name="config"
    )
    def job(config: DictConfig) -> None:
        if INTERRUPTED in codes:
            return  # Ctrl-C stops the sweep, not only the run that it hits
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
    import asyncio

    from rich.console import Console

    from catallaxy.platform.experiment import conduct, experiment
    from catallaxy.platform.view.progress import Watcher

    console = Console(stderr=True)
    built = experiment(config)
    console.print(f"{built.name}: {_at(folder)}", highlight=False, soft_wrap=True)
    watcher = Watcher(console)
    try:
        result = asyncio.run(conduct(built, folder, watcher, run=run))
    finally:
        watcher.close()
    from catallaxy.platform.view.summary import print_summary  # pandas: not before the first turn

    return print_summary(result, Console())


def _at(folder: Path) -> str:
    """The folder as the user would type it."""
    try:
        return str(folder.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(folder)


def _resume(options: argparse.Namespace) -> int:
    from catallaxy.platform.experiment import reopened
    from catallaxy.platform.store.reader import find_run

    folder = find_run(options.run, RUNS)
    config, run = reopened(folder)
    return _play(config, folder, run)


def _sql(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import Reader

    with Reader.open(*(options.runs or [RUNS])) as reader:
        reader.sql(options.query).write(options.format, options.output)
    return 0


def _ls(options: argparse.Namespace) -> int:
    from catallaxy.platform.view.listing import print_runs

    return print_runs(Path(options.folder))


def _show(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import find_run
    from catallaxy.platform.view.dialogue import print_dialogue

    return print_dialogue(find_run(options.run, RUNS), options.episode, private=options.private)


def _report(options: argparse.Namespace) -> int:
    from catallaxy.platform.store.reader import find_run
    from catallaxy.platform.view.report import write_report

    path = write_report(find_run(options.run, RUNS), options.output)
    sys.stdout.write(f"{path}\n")
    return 0


def _parser() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(
        prog="catallaxy", description="Language-model agents play economic games, on the record."
    )
    parser.add_argument("--version", action="version", version=version("catallaxy"))
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
    return parser, ask


if __name__ == "__main__":
    main()

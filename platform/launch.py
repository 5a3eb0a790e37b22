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
    parser, mixed = _parser()
    if arguments and arguments[0] in mixed:  # options may stand among the run folders, say
        options = mixed[arguments[0]].parse_intermixed_args(arguments[1:])
    else:
        options = parser.parse_args(arguments)
    return options.do(options)


def run(arguments: list[str]) -> int:
    """`catallaxy run`: check every job of the launch, then let Hydra start them."""
    from catallaxy.platform import compose

    arguments = compose.spelled_out(arguments)
    if any(argument in _ASKS_HYDRA for argument in arguments):
        return _with_hydra(arguments)
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
    from catallaxy.platform.market.fraction import Fraction
    from catallaxy.platform.view.progress import Watcher

    console = Console(stderr=True)
    built = experiment(config)
    console.print(f"{built.name}: {_at(folder)}", highlight=False, soft_wrap=True)
    if isinstance(built.matchmaker, Fraction):
        for line in built.balance():
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    taken = any(getattr(a, "takes_terminal", False) for a in built.session.agents.values())
    watcher = Watcher(console, silent=taken)
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


def _import_glee(options: argparse.Namespace) -> int:
    from rich.console import Console

    from catallaxy.platform.exchange.glee_import import Wish, games_in, import_glee
    from catallaxy.platform.exchange.glee_summary import print_imported, watching
    from catallaxy.platform.experiment import run_id

    wish = Wish(options.folder, options.compat, options.keep_personal)
    found = games_in(wish.folder)  # nothing is begun for a folder without games
    run = _run_for(options.to)
    with watching(Console(stderr=True)) as watch:
        imported = import_glee(wish, found, run, run_id(run), watch)
    return print_imported(imported, Path(_at(run)), Console())


def _run_for(asked: str) -> Path:
    """The run that is meant by its folder or the last part of its name, or a new one."""
    from catallaxy.platform.experiment import fresh_folder
    from catallaxy.platform.store.reader import find_run, find_runs

    if not asked.strip():
        raise ConfigError("--to: give a run, or the name of a new one.")
    path = Path(asked)
    if asked == "last" or (path / "store.duckdb").exists():
        return find_run(asked, RUNS)
    if path.name == asked:
        named = [run for run in find_runs(RUNS) if run.name.partition("_")[2] == asked]
        return named[-1] if named else fresh_folder(RUNS, asked)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} is no run, and not an empty folder for a new one either.")
    return path


def _export_glee(options: argparse.Namespace) -> int:
    from rich.console import Console

    from catallaxy.platform.exchange.glee_export import export_glee
    from catallaxy.platform.exchange.glee_summary import print_exported
    from catallaxy.platform.store.reader import find_run

    exported = export_glee(find_run(options.run, RUNS), options.folder)
    return print_exported(exported, options.folder, Console())


def _add_exchange(commands: Any) -> None:
    bring = commands.add_parser("import", help="bring published games into a run's record")
    glee = bring.add_subparsers(required=True, metavar="LAYOUT").add_parser(
        "glee", help="GLEE's data layout: play every game again, move by move"
    )
    glee.add_argument("folder", type=Path, help="the root of the games, or any folder below it")
    glee.add_argument("--to", required=True, metavar="RUN", help="a run, or the name of a new one")
    glee.add_argument(
        "--compat",
        choices=["official", "corrected"],
        default="official",
        help="what is legal: what GLEE's code allowed, or our rules (default: official)",
    )
    glee.add_argument(
        "--keep-personal", action="store_true", help="keep the names and ids of people"
    )
    glee.set_defaults(do=_import_glee)

    give = commands.add_parser("export", help="write a run's games in another project's layout")
    glee = give.add_subparsers(required=True, metavar="LAYOUT").add_parser(
        "glee", help="GLEE's data layout: one folder a game"
    )
    glee.add_argument("run", help="a run folder, or the end of its name; `last` is the newest")
    glee.add_argument("folder", type=Path, help="where the families' folders are written")
    glee.set_defaults(do=_export_glee)


def _serve_player(options: argparse.Namespace) -> int:
    import asyncio
    import logging

    from catallaxy.platform.player_server import player, serve

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("catallaxy").setLevel(logging.INFO)
    served = player(options.overrides, api_key_env=options.api_key_env)

    def ready(address: str) -> None:
        open_ = not served.key and options.host not in ("127.0.0.1", "::1", "localhost")
        asked = "anybody who reaches it may ask (--api-key-env NAME asks for a key)"
        sys.stderr.write(
            f"{served.gate.backend.model} plays at {address}; Ctrl-C stops it"
            f"{'; ' + asked if open_ else ''}\n"
        )
        sys.stderr.flush()

    serving = serve(
        served, host=options.host, port=options.port, ready=ready, check=not options.no_check
    )
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:  # the way to end it
        return 0
    return 0


def _add_serving(commands: Any) -> argparse.ArgumentParser:
    serve = commands.add_parser(
        "serve-player", help="let a model play in other programs, in GLEE's HTTP protocol"
    )
    serve.add_argument(
        "overrides",
        nargs="*",
        metavar="FIELD=VALUE",
        help="backend=NAME, backend.FIELD=VALUE, temperature, top_p, max_tokens, constrain",
    )
    serve.add_argument("--host", default="127.0.0.1", help="default: this machine only")
    serve.add_argument("--port", type=int, default=8770, help="default: 8770; 0 is any free one")
    serve.add_argument(
        "--api-key-env",
        metavar="NAME",
        help="the environment variable with the key that a question must bring as X-API-Key",
    )
    serve.add_argument(
        "--no-check", action="store_true", help="do not ask the model anything first"
    )
    serve.set_defaults(do=_serve_player)
    return serve


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of all commands, and those whose arguments and options may be mixed."""
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
    _add_exchange(commands)
    serving = _add_serving(commands)
    return parser, {"sql": ask, "serve-player": serving}


if __name__ == "__main__":
    main()

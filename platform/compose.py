"""From names and overrides to one plain, resolved configuration. Hydra, and nothing else.

Below this module nobody sees a DictConfig.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from catallaxy.platform.config import known
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.factors import WORDING, check_factors, check_overrides, settings

CONF = Path(__file__).resolve().parents[1] / "conf"
VERSION_BASE = "1.3"

Plain = dict[str, Any]


def composed(overrides: Sequence[str]) -> Plain:
    """The resolved configuration of one run. Raises ConfigError with one sentence."""
    overrides = spelled_out(overrides)
    with _hydra(overrides):
        config = compose("config", overrides=list(overrides), return_hydra_config=True)
        plain = resolved(config, config.hydra.runtime.choices)
    check_overrides(plain, overrides)
    return plain


def jobs(overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of every job of a sweep (`-m`), in Hydra's order."""
    with _hydra(overrides):
        return _jobs(overrides)


def _jobs(overrides: Sequence[str]) -> list[list[str]]:
    from hydra._internal.core_plugins.basic_sweeper import (
        BasicSweeper,
    )
    from hydra.core.override_parser.overrides_parser import (
        OverridesParser,
    )

    parsed = OverridesParser.create().parse_overrides(list(overrides))
    batches = BasicSweeper.split_arguments(parsed, None)
    return [list(job) for batch in batches for job in batch]


_WORDING = "game/wording"
_COMPAT = re.compile(r"compat\.(\w+)=([A-Za-z][\w,]*)")


def spelled_out(overrides: Sequence[str]) -> list[str]:
    """The overrides with two short forms in Hydra's terms.

    `compat.FAMILY=NAME` is the group `compat/FAMILY`, so that single switches can be set as well.
    `game/wording=NAME` is for every game of the run: a game's wordings are a group of its own,
    `game/wording/<game>`, at the game's place.
    """
    overrides = [_COMPAT.sub(r"compat/\1=\2", o) if _COMPAT.fullmatch(o) else o for o in overrides]
    short = [o for o in overrides if o.partition("=")[0] == _WORDING]
    if not short:
        return overrides
    if len(short) > 1:
        raise ConfigError(f"{_WORDING} is given twice: {', '.join(short)}.")
    name = short[0].partition("=")[2]
    others = [o for o in overrides if o not in short]
    first = [o for o in others if not o.startswith("-") and not o.startswith("hydra.")]
    with _hydra(first):
        choices = compose(
            "config", overrides=_jobs(first)[0], return_hydra_config=True
        ).hydra.runtime.choices
    groups = [str(key) for key in choices if str(key).startswith(f"{_WORDING}/")]
    if not groups:
        raise ConfigError(f"{short[0]}: the game of this run has one wording only.")
    if len(groups) > 1 and not name.isidentifier():  # Hydra would combine every game's with every
        raise ConfigError(
            f"{short[0]}: a run of several games has one wording, or several as a factor: "
            "+market.factors.wording=[NAME,NAME]."
        )
    return [*others, *(f"{group}={name}" for group in groups)]


def resolved(config: DictConfig, choices: Mapping[str, Any]) -> Plain:
    """Named parts loaded, interpolations resolved, Hydra's own part removed."""
    config = config.copy()
    OmegaConf.set_struct(config, False)
    config.pop("hydra", None)
    check_factors(config)
    _name_compat(config)
    _name_wordings(config, choices)
    _name_backends(config, str(choices.get("backend")))
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise ConfigError(_one_line(error)) from error
    if not isinstance(plain, dict):
        raise ConfigError("the configuration is not a mapping")
    return {str(key): value for key, value in plain.items()}


def digest(config: Mapping[str, Any]) -> str:
    """The configuration's hash: what resume compares."""
    canonical = orjson.dumps(config, option=orjson.OPT_SORT_KEYS)
    return blake2b(canonical, digest_size=8).hexdigest()


def _name_compat(config: DictConfig) -> None:
    """`compat.glee=official` means the preset of that name."""
    for family, value in list(config.get("compat", {}).items()):
        if isinstance(value, str):
            config.compat[family] = _named(f"compat/{family}", value, at=f"compat.{family}")


def _name_wordings(config: DictConfig, choices: Mapping[str, Any]) -> None:
    """Games whose words the design varies (a factor `wording`) get all of them, by name."""
    for group in [str(key) for key in choices if str(key).startswith(f"{_WORDING}/")]:
        name, _, place = group.removeprefix(f"{_WORDING}/").partition("@")
        at = place.removesuffix(".wording") or f"game.{name}"
        game = OmegaConf.select(config, at)
        if game is None:
            continue
        varied = settings(config.market, str(game.name))
        levels = dict.fromkeys(str(each.value) for each in varied if each.rule == WORDING)
        game.wordings = {level: _wording(name, level, game) for level in levels}


def _wording(group: str, level: str, game: DictConfig) -> Any:
    if level == game.wording.name:
        return game.wording
    folder = CONF / _WORDING / group
    known(level, [path.stem for path in folder.glob("*.yaml")], at="market.factors.wording")
    return OmegaConf.select(compose(f"{_WORDING}/{group}/{level}"), f"game.wording.{group}")


def _name_backends(config: DictConfig, default: str) -> None:
    """Every agent's `backend` becomes a name in `backends`, which holds the configurations."""
    backends: dict[str, Any] = {}
    for name, agent in config.agent.items():
        if not isinstance(agent, DictConfig) or "backend" not in agent:
            continue
        wish, at = agent.backend, f"agent.{name}.backend"
        if isinstance(wish, DictConfig):
            use = str(wish.get("use", "default"))
            base = config.backend if use in ("default", default) else _named("backend", use, at=at)
            changes = {key: value for key, value in wish.items() if key != "use"}
            label = f"{default if use == 'default' else use}@{name}"
            backends[label] = _changed(base, changes, at)
        elif wish in (None, "default", default):
            label = default
            backends[label] = config.backend
        else:
            label = str(wish)
            backends[label] = _named("backend", label, at=at)
        agent.backend = label
    config.pop("backend")
    config.backends = backends


def _changed(base: DictConfig, changes: Mapping[Any, Any], at: str) -> Any:
    merged = base.copy()
    for key, value in changes.items():
        known(str(key), [str(k) for k in base], at=f"{at}.{key}")
        OmegaConf.update(merged, str(key), value, merge=True)
    return merged


def _named(group: str, name: str, *, at: str) -> Any:
    known(name, [path.stem for path in (CONF / group).glob("*.yaml")], at=at)
    return OmegaConf.load(CONF / group / f"{name}.yaml")


@contextmanager
def _hydra(overrides: Sequence[str]) -> Generator[None]:
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(CONF), version_base=VERSION_BASE):
            yield
    except OverrideParseException as error:
        why = _one_line(error).partition(" See http")[0]
        said = f"{error.override!r} is no FIELD=VALUE that can be read: {why}."
        raise ConfigError(said) from error
    except (HydraException, OmegaConfBaseException, ValueError) as error:  # ValueError: GROUP=null
        raise ConfigError(_explained(error, overrides)) from error


_UNKNOWN_KEY = re.compile(r"Could not (?:override|append to config|set) '?([\w.@/\[\]]+)'?")
_NO_OPTION = re.compile(r"Could not find '([^']+)'")


def _explained(error: Exception, overrides: Sequence[str]) -> str:
    """What Hydra says, in one line, with the nearest valid name."""
    text = f"{error} {error.__cause__ or ''}"
    if match := _NO_OPTION.search(text):
        group, _, option = match.group(1).rpartition("/")
        return _unknown(option, _options(group), f"{group}={option}" if group else option)
    if match := _UNKNOWN_KEY.search(text):
        if match.group(1).startswith(f"{_WORDING}/") and "@" in match.group(1):
            return f"{_WORDING}: the games of this sweep differ; sweep over words of one game."
        return _unknown_field(match.group(1), overrides)
    return _one_line(error)


def _options(group: str) -> list[str]:
    folder = CONF / group
    return sorted(path.stem for path in folder.glob("*.yaml")) if folder.is_dir() else []


def _groups() -> list[str]:
    """The groups of options, without the wordings' own: `game/wording` stands for these."""
    found = {path.parent.relative_to(CONF).as_posix() for path in CONF.glob("*/**/*.yaml")}
    return [group for group in found if not group.startswith(f"{_WORDING}/")]


def _unknown(name: str, options: Sequence[str], asked: str) -> str:
    try:
        known(name, options, at=asked)
    except ConfigError as error:
        return str(error)
    return f"{asked}: {name!r} cannot be set here."


def _unknown_field(path: str, overrides: Sequence[str]) -> str:
    """The sentence for an override of a field that does not exist."""
    groups = [o for o in overrides if "." not in o.partition("=")[0].partition("@")[0]]
    with initialize_config_dir(str(CONF), version_base=VERSION_BASE):
        node: Any = compose("config", overrides=[o for o in groups if _composes(o)])
    at, names = "", path.split(".")
    for name in names:
        options = [str(key) for key in node if str(key) != "_target_"]
        at = f"{at}.{name}" if at else name
        if name not in options:
            more = _groups() if node is None or at == name else []
            said = _unknown(name, sorted({*options, *more}), at)
            return f"{said} A new factor begins with +." if at == f"market.factors.{name}" else said
        node = node[name]
        if not isinstance(node, DictConfig):
            return f"{path}: {at} is a value, it has no fields."
    return f"{path} is a mapping: +{path}.NAME=VALUE adds a name, ~{path}.NAME removes one."


def _composes(override: str) -> bool:
    try:
        compose("config", overrides=[override])
    except (HydraException, OmegaConfBaseException):
        return False
    return True


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())

"""The factors of a design as they stand in a configuration. Knows no Hydra, no market, no game."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from catallaxy.platform.errors import ConfigError

WORDING = "wording"
"""The factor whose levels are names of wordings, not values of a rule."""


class Setting(NamedTuple):
    """One level of one factor, for one rule; `factor` is its place in the configuration."""

    factor: str
    rule: str
    value: Any


def check_factors(config: Mapping[str, Any]) -> None:
    """Raise ConfigError unless every factor of the design is a list of levels."""
    _mapping(config.get("games", {}), "games")
    market = _mapping(config.get("market"), "market")
    tables = {"market.factors": market.get("factors", {})}
    for game, of_game in _mapping(market.get("factors_of", {}), "market.factors_of").items():
        tables[f"market.factors_of.{game}"] = of_game
    for at, factors in tables.items():
        for name, levels in _mapping(factors, at).items():
            if not isinstance(levels, Sequence) or isinstance(levels, str):
                such = "" if levels is None else f", such as [{levels}]"
                said = f"{at}.{name} must be a list of levels{such}, not {levels!r}."
                raise ConfigError(said)


def _mapping(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{at} must be a mapping, not {value!r}.")
    return value


def settings(market: Mapping[str, Any], game: str) -> Iterator[Setting]:
    """Everything that the design sets in the game of that name."""
    of_game = market.get("factors_of", {}).get(game, {})
    tables = {"market.factors": market.get("factors", {}), f"market.factors_of.{game}": of_game}
    for at, factors in tables.items():
        for factor, levels in factors.items():
            for level in levels:
                changes = level if isinstance(level, Mapping) else {factor: level}
                for rule, value in changes.items():
                    yield Setting(f"{at}.{factor}", str(rule), value)


def check_overrides(config: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Raise ConfigError if an override sets what the design varies: the design would win."""
    varied = _varied(config)
    words = [place for place in varied if place.endswith(f".{WORDING}")]
    for override in overrides:
        path = override.lstrip("+~").partition("=")[0]
        group, _, place = path.rpartition("@")  # an option of a group is put at its place
        if any(place == each or place.startswith(f"{each}.") for each in words):
            factor = varied[words[0]]
            raise ConfigError(
                f"{group.rpartition('/')[0] or place}: this design varies the words ({factor}), so "
                "this would count for one of its levels at most; make a wording of your own one of "
                f"them, or take the factor out with ~{factor}."
            )
        if place in varied:
            rule, factor = place.rpartition(".")[2], varied[place]
            raise ConfigError(
                f"{path}: this design varies {rule!r} ({factor}); set {factor}=[...] instead, "
                f"or take the factor out with ~{factor}."
            )


def _varied(config: Mapping[str, Any]) -> dict[str, str]:
    """The places of the rules and words that the design varies, and by which factor.

    Raises ConfigError if two factors vary the same.
    """
    games = {"game": config.get("game"), **{f"games.{n}": g for n, g in config["games"].items()}}
    found: dict[str, str] = {}
    for at, game in games.items():
        if not isinstance(game, Mapping):
            continue
        for factor, rule, _ in settings(config["market"], str(game.get("name"))):
            place = f"{at}.{WORDING}" if rule == WORDING else f"{at}.rules.{rule}"
            if found.setdefault(place, factor) != factor:
                raise ConfigError(
                    f"{found[place]} and {factor} both vary {rule!r}; take one out with ~{factor}."
                )
    return found

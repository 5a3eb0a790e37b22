"""On which terms GLEE's games are read as ours. Knows no file, no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from catallaxy.games.base import Seat
from catallaxy.games.glee.compat import GleeCompat
from catallaxy.platform.config import build
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.exchange.disagreements import Disagrees, Kind
from catallaxy.platform.exchange.glee_layout import Config, Row

Compat: TypeAlias = Literal["official", "corrected"]

TOLD_UP_TO = 20
"""GLEE tells its players the number of rounds up to so many, and calls more infinite."""
ANY_LENGTH = 2**31 - 1
"""GLEE never limits a message."""

_OFFICIAL = GleeCompat(
    reminder_scope="both_losses",
    reminder_recipients="responder",
    inflation_paragraph="official",
    horizon_text="official",
    bargaining_bounds="none",
    negotiation_validation="official",
    myopic_stats="code",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The compat switches of the rules, and how long a message may be. Measures are the paper's."""

    compat: GleeCompat
    max_message_chars: int

    @staticmethod
    def of(compat: Compat) -> "Terms":
        """`official`: the rules by which GLEE's code played; `corrected`: ours."""
        if compat == "official":
            return Terms(_OFFICIAL, ANY_LENGTH)
        return Terms(GleeCompat(), 2000)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The parameters of a game under GLEE's names, and those that go without saying."""

    given: Mapping[str, Any]
    known: Mapping[str, str]
    usual: Mapping[str, Any]

    def fields(self) -> dict[str, Any]:
        """The fields of our rules by our names (`known`: ours to GLEE's). Raises Disagrees."""
        missing = sorted({*self.known.values()} - {*self.given, *self.usual})
        if missing:
            raise Disagrees(Kind.BAD_PARAMETERS, f"game_args lacks {', '.join(missing)}")
        everything = {**self.usual, **self.given}
        return {ours: _plain(everything[theirs]) for ours, theirs in self.known.items()}

    def unknown(self) -> list[str]:
        """Parameters that no rule of ours knows."""
        return sorted({*self.given} - {*self.known.values()})


def _plain(value: Any) -> Any:
    """A whole number is one however it is written: 12.0 rounds are 12."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def built(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    """The rules with these fields. Raises Disagrees with the sentence of the configuration."""
    target = f"{kind.__module__}.{kind.__qualname__}"
    try:
        return build({"_target_": target, **fields}, at="game_args")
    except ConfigError as error:
        raise Disagrees(Kind.BAD_PARAMETERS, str(error)) from error


class Family(Protocol):
    """How one of our games is written in GLEE's layout.

    `columns` of `game.csv`; `none_in` names those in which empty cells hold the word None.
    """

    game: ClassVar[str]
    kind: ClassVar[type[Any]]
    columns: ClassVar[tuple[str, ...]]
    none_in: ClassVar[tuple[str, ...]]

    def arguments(self, config: Config) -> Arguments:
        """The parameters that `config.json` gives."""
        ...

    def rules(self, config: Config, terms: Terms) -> Any:
        """Our rules with those parameters. Raises Disagrees."""
        ...

    def game_args(self, rules: Any) -> dict[str, Any]:
        """The parameters of `rules` under GLEE's names."""
        ...

    def removed(self, rows: Sequence[Row], *, people: bool) -> str | None:
        """Why GLEE's analysis removes a game with these rows; None where it keeps it."""
        ...

    def opening(self, rules: Any, rows: Sequence[Row]) -> Any:
        """The state at the start, with nature's draws as the rows have them. Raises Disagrees."""
        ...

    def drawn(self, rules: Any, state: Any, row: Row) -> Mapping[str, Any]:
        """What a row of nature's says, checked against `state`. Raises Disagrees."""
        ...

    def move(self, rules: Any, state: Any, seat: Seat, row: Row) -> Any:
        """The move of `seat` in a row. Raises Disagrees."""
        ...

    def rows(self, rules: Any, before: Any, seat: Seat, move: Any) -> tuple[Row, ...]:
        """The rows of one move in the state `before` it, nature's first. Raises NoPlace."""
        ...

    def fits(self, rules: Any) -> None:
        """Raise NoPlace if GLEE's layout cannot hold games by these rules."""
        ...


def with_horizon(kind: type[Any], arguments: Arguments, terms: Terms) -> Any:
    """Rules whose number of rounds is told as GLEE tells it: up to 20. Raises Disagrees."""
    fields = arguments.fields()
    rounds = fields["max_rounds"]
    told = isinstance(rounds, int) and rounds <= TOLD_UP_TO
    return built(
        kind,
        {
            **fields,
            "horizon": "stated" if told else "hidden",
            "max_message_chars": terms.max_message_chars,
            "compat": terms.compat,
        },
    )

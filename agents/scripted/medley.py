"""One scripted player for several games: for each game the player who knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catallaxy.agents.base import Act, Agent, Ask, Specialist


@dataclass(frozen=True, slots=True)
class Medley:
    """Hands every ask on to the player of that game.

    `players` are by the name of the module of the game's rules, such as `bargaining`.
    """

    players: Mapping[str, Agent]

    def plays(self, view: Any) -> bool:
        """Whether one of its players knows the game of this view."""
        player = self.players.get(_game(view))
        if player is None:
            return False
        return player.plays(view) if isinstance(player, Specialist) else True

    async def act(self, ask: Ask) -> Act:
        """What the player of this game does. Raises LookupError if there is none."""
        game = _game(ask.view)
        if game not in self.players:
            raise LookupError(f"this player knows {', '.join(self.players)}, not {game}")
        return await self.players[game].act(ask)


def _game(view: Any) -> str:
    return type(view).__module__.rpartition(".")[2]

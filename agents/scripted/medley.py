"""One scripted player for several games: for each game the player who knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from catallaxy.agents.base import Act, Agent, Ask


@dataclass(frozen=True, slots=True)
class Medley:
    """Hands every ask on to the player of that game.

    `players` are by the name of the module of the game's rules, such as `bargaining`.
    """

    players: Mapping[str, Agent]

    async def act(self, ask: Ask) -> Act:
        """What the player of this game does. Raises LookupError if there is none."""
        game = type(ask.view).__module__.rpartition(".")[2]
        if game not in self.players:
            raise LookupError(f"this player knows {', '.join(self.players)}, not {game}")
        return await self.players[game].act(ask)

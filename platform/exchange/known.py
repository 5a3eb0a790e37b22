"""What the record of a run has already, and the place of what is imported into it."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from catallaxy.games.base import Seat
from catallaxy.platform.errors import ConfigError
from catallaxy.platform.exchange.glee_people import KIND
from catallaxy.platform.store.folders import STORE
from catallaxy.platform.store.reader import Reader
from catallaxy.platform.store.rows import AgentRow

IMPORTED = "imported"
"""The part of a run's configuration that says that it was imported and never played here."""


@dataclass(slots=True)
class Known:
    """What the record has already; `status` is None where there is none.

    `episodes` have ended, `planned` has the ordinal and the number of the repetition of those that
    were only planned, by an import that was cut off; `contents` tells games of one id apart.
    """

    status: str | None = None
    episodes: set[str] = field(default_factory=set)
    planned: dict[str, tuple[int, int]] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    replicates: Counter[tuple[str, ...]] = field(default_factory=Counter)
    ordinal: int = 0
    contents: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(folder: Path) -> "Known":
        """Raises ConfigError for a run that is not finished, StoreError for an unreadable one."""
        if not (folder / STORE).exists():
            return Known()
        with Reader.open(folder) as reader:
            if reader.live:
                raise ConfigError(f"{folder} goes on; import into it when it has ended.")
            begun = reader.sql("SELECT status, config FROM runs").rows
            if not begun:
                return Known()
            [(status, config)] = begun
            if status != "finished" and IMPORTED not in json.loads(config):
                raise ConfigError(f"{folder} is {status}; resume it before you import into it.")
            planned = reader.sql(
                "SELECT ordinal, episode, variant, replicate, map_values(seats) FROM engagements"
            ).rows
            ended = {episode for (episode,) in reader.sql("SELECT episode FROM episodes").rows}
            kinds = dict(reader.sql("SELECT agent, kind FROM agents").rows)
        return Known(
            status="finished",
            episodes=ended,
            planned={episode: (ordinal, again) for ordinal, episode, _, again, _ in planned},
            agents=kinds,
            replicates=Counter((variant, *agents) for *_, variant, _, agents in planned),
            ordinal=max((ordinal for ordinal, *_ in planned), default=-1) + 1,
        )

    def seated(self, agents: Mapping[Seat, AgentRow]) -> dict[Seat, AgentRow]:
        """The agents by names that are nobody else's in this run."""
        return {seat: self._named(agent) for seat, agent in agents.items()}

    def _named(self, agent: AgentRow) -> AgentRow:
        name = agent.agent
        while self.agents.setdefault(name, KIND) != KIND:
            name = f"{name} (imported)"
        return agent if name == agent.agent else replace(agent, agent=name)

    def place(self, episode: str, variant: str, seats: Mapping[Seat, str]) -> tuple[int, int]:
        """The ordinal, after the run's own design, and the number of the repetition of its cell."""
        if episode not in self.planned:
            cell = (variant, *seats.values())
            self.planned[episode] = self.ordinal, self.replicates[cell]
            self.replicates[cell] += 1
            self.ordinal += 1
        return self.planned[episode]

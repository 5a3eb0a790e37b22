"""Who plays in GLEE's files: the models by their names, and people without theirs.

Knows no rules and no database.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catallaxy.platform.exchange.glee_layout import (
    NAMES,
    Config,
    GleeGame,
    Player,
    Row,
    Said,
    gain_of,
)
from catallaxy.platform.store.rows import AgentRow

KIND = "imported"
HUMAN = "human"
OURS = "catallaxy"
"""The type of a player without a model, and how the experiments begin that we have exported."""

_MODEL, _PERSON, _PERSONS_RIVAL = "litellm", "otree", "otree_LLM"
_PEOPLE = frozenset({_PERSON, "terminal"})
_MAYBE_PEOPLE = _PEOPLE | {"http"}
_RIVAL_MODEL = "gemini-1.5-flash"


def is_person(player: Player) -> bool:
    """Whether a human being played, as GLEE's files say it."""
    return not _PEOPLE.isdisjoint((player.type, player.model_name))


def model_of(player: Player) -> str:
    """The name of a player's model: without LiteLLM's provider, `human` for people.

    Empty for players of ours that have no model.
    """
    if is_person(player):
        return HUMAN
    if _PERSONS_RIVAL in (player.type, player.model_name):
        return _RIVAL_MODEL
    if player.type == OURS:
        return ""
    if player.type == _MODEL:
        return player.model_name.partition("/")[2] or player.model_name or "unknown"
    return player.model_name or player.type or "unknown"


def agent_of(player: Player, config: Config, *, keep_personal: bool = False) -> AgentRow:
    """The agent under which a player's games are recorded.

    One for each model; what we have exported ourselves keeps the names of its agents. With
    `keep_personal` people are told apart as far as the file tells them apart.
    """
    model = model_of(player)
    name = model or player.model_name or "unknown"
    spec: dict[str, Any] = {"type": player.type, "model_name": player.model_name}
    ours = (config.experiment_name or "").startswith(OURS)
    if is_person(player):
        if keep_personal:
            known = {"public_name": player.public_name, "player_id": player.player_id}
            spec |= {**known, **config.personal}
            name = " ".join(
                [HUMAN, *(each for each in known.values() if each not in (None, *NAMES))]
            )
    elif ours and player.player_id:
        name = player.player_id
    return AgentRow(name, KIND, "", model, spec)


def player_of(agent: AgentRow) -> Player:
    """The player as GLEE's files describe it; the inverse of `agent_of` but for persons."""
    if agent.kind == KIND:
        player = Player(str(agent.spec.get("type", "")), str(agent.spec.get("model_name", "")), "")
        return player if is_person(player) else replace(player, player_id=agent.agent)
    if agent.kind in ("TerminalAgent", "PageAgent"):
        return Player(_PERSON, _PERSON, "")
    if agent.model:
        provider = agent.backend.partition("@")[0].replace("/", "-") or OURS
        return Player(_MODEL, f"{provider}/{agent.model}", "", agent.agent)
    return Player(OURS, agent.agent, "", agent.agent)


def without_names(game: GleeGame) -> GleeGame:
    """The game with Alice and Bob in place of the names that people gave themselves."""
    names = {
        player.public_name: name
        for player, name in zip(game.config.players, NAMES, strict=True)
        if player.public_name not in NAMES
        and not _MAYBE_PEOPLE.isdisjoint((player.type, player.model_name))
    }
    if not names:
        return game
    return replace(
        game,
        rows=tuple(_row_without(row, names) for row in game.rows),
        logs=(_log_without(game.logs[0], names), _log_without(game.logs[1], names)),
    )


def _row_without(row: Row, names: Mapping[str, str]) -> Row:
    if "message" not in row.cells:
        return row
    return replace(row, cells={**row.cells, "message": _without(row.cells["message"], names)})


def _log_without(log: tuple[Said, ...] | None, names: Mapping[str, str]) -> tuple[Said, ...] | None:
    if log is None:
        return None
    return tuple(Said(_without(s.prompt, names), _without(s.response, names)) for s in log)


def _without(text: str, names: Mapping[str, str]) -> str:
    """`text` without `names`: as typed, capitalized, in capitals, as keys like `dana_gain`."""
    for name, ours in names.items():
        text = re.sub(rf"(?<!\w){re.escape(gain_of(name))}(?!\w)", gain_of(ours), text)
        for part in dict.fromkeys((name, name.split()[0])):
            for written in sorted({part, part.title(), part.upper()}):
                text = re.sub(rf"(?<!\w){re.escape(written)}(?!\w)", ours, text)
    return text

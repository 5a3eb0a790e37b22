"""Small games in GLEE's layout, made by us: one of each family, and ways to change them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BARGAINING_ARGS = {
    "money_to_divide": 10000,
    "max_rounds": 12,
    "complete_information": True,
    "messages_allowed": False,
}
NEGOTIATION_ARGS = {
    "seller_value": 1,
    "buyer_value": 1.2,
    "product_price_order": 10000,
    "max_rounds": 30,
    "messages_allowed": False,
    "complete_information": True,
}
PERSUASION_ARGS = {
    "p": 0.333333333,
    "v": 4,
    "c": 0,
    "product_price": 10000,
    "is_seller_know_cv": True,
    "seller_message_type": "binary",
    "is_myopic": False,
    "total_rounds": 2,
    "is_buyer_know_p": True,
    "allow_buyer_message": False,
}
PERSON = {"type": "otree", "public_name": "Alice", "model_name": "otree"}
RIVAL = {"type": "otree_LLM", "public_name": "Bob", "model_name": "otree_LLM"}
GPT = {"type": "litellm", "public_name": "Alice", "model_name": "openai/gpt-4o"}
GROK = {"type": "litellm", "public_name": "Bob", "model_name": "xai/grok-2-1212"}

BARGAINING_ROWS = (
    "alice_gain,bob_gain,message,player,round,decision",
    "6000.0,4000.0,None,Alice,1,None",
    ",,None,Bob,1,reject",
    "4500.0,5500.0,None,Bob,2,None",
    ",,None,Alice,2,accept",
)
NEGOTIATION_ROWS = (
    "message,product_price,player,round,decision",
    ",11500.0,Alice,1,",
    ",,Bob,1,RejectOffer",
    ",10500.0,Bob,2,",
    ",,Alice,2,AcceptOffer",
)
PERSUASION_ROWS = (
    "round_quality,product_worth,player,round,message,decision",
    "high-quality,40000.0,Nature,1,,",
    ",,Alice,1,,yes",
    ",,Bob,1,,yes",
    "low-quality,0,Nature,2,,",
    ",,Alice,2,,yes",
    ",,Bob,2,,no",
)


def config(
    game: str,
    args: Mapping[str, Any],
    players: Sequence[Mapping[str, Any]] = (PERSON, RIVAL),
    **more: Any,
) -> dict[str, Any]:
    """A `config.json`, as a mapping; what is not `type` of a player are its arguments."""
    found: dict[str, Any] = {"name": "a game", "game_type": game, "game_args": dict(args)}
    for number, player in enumerate(players, 1):
        found[f"player_{number}_type"] = player["type"]
        found[f"player_{number}_args"] = {k: v for k, v in player.items() if k != "type"}
    return found | more


def folder_of(root: Path, game: str, id_: str) -> Path:
    """Where a game lies."""
    return root / game / id_[0] / id_[1] / id_[2] / id_


def written(
    root: Path,
    game: str,
    settings: Mapping[str, Any],
    rows: Sequence[str],
    *,
    id_: str = "0a1b2c3d4e5f6a7b",
    end: str = "\r\n",
) -> Path:
    """A game's folder with these lines in its `game.csv`."""
    folder = folder_of(root, game, id_)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "game.csv").write_text(end.join((*rows, "")), encoding="utf-8", newline="")
    return folder


def bargaining(root: Path, rows: Sequence[str] = BARGAINING_ROWS, **changed: Any) -> Path:
    """A game of bargaining; `changed` are parameters. Alice gets 4,500 in round 2."""
    args = {**BARGAINING_ARGS, "delta_1": 0.9, "delta_2": 0.8, **changed}
    return written(root, "bargaining", config("bargaining", args), rows)


def negotiation(root: Path, rows: Sequence[str] = NEGOTIATION_ROWS, **changed: Any) -> Path:
    """A game of negotiation; `changed` are parameters. It is sold at 10,500."""
    args = {**NEGOTIATION_ARGS, **changed}
    return written(root, "negotiation", config("negotiation", args), rows)


def persuasion(root: Path, rows: Sequence[str] = PERSUASION_ROWS, **changed: Any) -> Path:
    """A game of persuasion; `changed` are parameters. Bob buys the first product only."""
    args = {**PERSUASION_ARGS, **changed}
    return written(root, "persuasion", config("persuasion", args), rows)


def with_row(rows: Sequence[str], number: int, line: str) -> tuple[str, ...]:
    """The lines with another one at `number`, counted from 1 below the header."""
    return (*rows[:number], line, *rows[number + 1 :])

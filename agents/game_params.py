"""What GLEE's HTTP protocol calls `game_params`: what a player may know, as JSON-ready values.

GLEE's names for what GLEE has (Shapira et al. 2024, arXiv 2410.05254, and its code); the rest of
what is told is under names of ours. All of it comes from the view and the wording: what a seat may
not know cannot get in, and what it is not told is left out.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import singledispatch
from math import isfinite
from typing import Any

from catallaxy.agents.base import Ask
from catallaxy.agents.moves import schema
from catallaxy.games.glee.bargaining import BargainingView
from catallaxy.games.glee.negotiation import NegotiationView
from catallaxy.games.glee.persuasion import PersuasionView


def game_params(ask: Ask) -> dict[str, Any]:
    """The parameters of the game as the asked seat knows them, under GLEE's names, and beside them:

    `rules`, the text that tells them; `view`, everything that the seat may know now; and
    `answer_schema`, the JSON schema that the answer must keep to.
    """
    told = {name: value for name, value in glee_parameters(ask.view).items() if value is not None}
    return {
        **jsonable(told),
        "rules": rules_told(ask),
        "view": jsonable(ask.view),
        "answer_schema": schema(ask.move_type),
    }


@singledispatch
def glee_parameters(view: Any) -> dict[str, Any]:
    """The parameters in a view under GLEE's names, None where untold; none of other games."""
    return {}


@glee_parameters.register
def _of_bargaining(view: BargainingView) -> dict[str, Any]:
    first = view.seat == "alice"
    return {
        "money_to_divide": view.pie,
        "max_rounds": view.rounds_told,
        "complete_information": view.complete_information,
        "messages_allowed": view.messages_allowed,
        "delta_1": view.delta if first else view.other_delta,
        "delta_2": view.other_delta if first else view.delta,
    }


@glee_parameters.register
def _of_negotiation(view: NegotiationView) -> dict[str, Any]:
    return {
        "seller_value": _per(view.seller_value, view.price_scale),
        "buyer_value": _per(view.buyer_value, view.price_scale),
        "product_price_order": view.price_scale,
        "max_rounds": view.rounds_known,
        "complete_information": view.complete_information,
        "messages_allowed": view.messages_allowed,
    }


@glee_parameters.register
def _of_persuasion(view: PersuasionView) -> dict[str, Any]:
    return {
        "p": view.p,
        "v": _per(view.high_worth, view.price),
        "c": _per(view.low_worth, view.price),
        "product_price": view.price,
        "total_rounds": view.rounds_told,
        "is_seller_know_cv": view.seller_knows_values,
        "is_buyer_know_p": view.buyer_knows_p,
        "seller_message_type": view.message_type,
        "is_myopic": view.buyer == "myopic",
        "allow_buyer_message": view.buyer_may_write,
    }


def _per(amount: float | None, unit: float) -> float | None:
    return None if amount is None else amount / unit


def rules_told(ask: Ask) -> str:
    """What the wording tells once, before anything is asked: the rules and the private briefing."""
    begun = replace(ask, dialogue=(), objection=None)
    opening = ask.wording.messages(begun, persona="", scratchpad=False)
    again = replace(begun, dialogue=opening)
    (question,) = ask.wording.messages(again, persona="", scratchpad=False)
    told = "\n\n".join(message.content for message in opening)
    return told.removesuffix(question.content).rstrip()


def jsonable(value: Any) -> Any:
    """`value` as JSON has it: dataclasses as mappings, fractions as numbers, no NaN."""
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return jsonable(value.value)
        case str():
            return str(value)
        case float() | Fraction():
            return float(value) if isfinite(value) else None
        case Mapping():
            return {str(name): jsonable(item) for name, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: jsonable(getattr(value, each.name)) for each in fields(value)}
    return str(value)

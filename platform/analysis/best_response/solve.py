"""The best response to a player whose rule is known, whatever the game. One line per game."""

from collections.abc import Callable, Mapping
from typing import Any

from catallaxy.agents.base import Agent
from catallaxy.games.base import Seat
from catallaxy.games.glee.bargaining import Bargaining
from catallaxy.games.glee.negotiation import Negotiation
from catallaxy.games.glee.persuasion import Persuasion
from catallaxy.platform.analysis.best_response.asking import BestResponse, NoBestResponse
from catallaxy.platform.analysis.best_response.bargaining import bargained
from catallaxy.platform.analysis.best_response.negotiation import negotiated
from catallaxy.platform.analysis.best_response.persuasion import persuaded

_SOLVERS: Mapping[type[Any], Callable[[Any, Seat, Agent], BestResponse]] = {
    Bargaining: bargained,
    Negotiation: negotiated,
    Persuasion: persuaded,
}


def best_response(rules: Any, seat: Seat, opponent: Agent) -> BestResponse:
    """The most that `seat` can earn on average against `opponent`, in the unit of `self_gain`.

    Who responds knows the whole configuration, what is private to the opponent and a hidden horizon
    included, and the opponent's rule, not its luck: a benchmark, not a forecast. The opponent is
    asked for its moves in states of the game and never told that it is being tried out. Raises
    NoBestResponse with the reason where there is none to be found.
    """
    solver = _SOLVERS.get(type(rules))
    if solver is None:
        raise NoBestResponse(f"nobody wrote a search for {type(rules).__name__}")
    return solver(rules, seat, opponent)

"""The games that GLEE and we have in common, by name."""

from collections.abc import Mapping

from catallaxy.platform.exchange.glee_bargaining import BargainingFamily
from catallaxy.platform.exchange.glee_negotiation import NegotiationFamily
from catallaxy.platform.exchange.glee_persuasion import PersuasionFamily
from catallaxy.platform.exchange.glee_terms import Family

FAMILIES: Mapping[str, Family] = {
    family.game: family for family in (BargainingFamily(), NegotiationFamily(), PersuasionFamily())
}

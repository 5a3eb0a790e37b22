"""Data frames of episodes as the analysis reads them, from effects that are known."""

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

Known = Mapping[str, Mapping[str, float]]
"""The generating effects: factor, level, effect; the first level is the reference and has 0."""

SEATS = ("alice", "bob")
ALICE = {"gemini-1.5-flash": 0.0, "llama-3.1-405b": -0.02, "o3-mini": -0.07}
BOB = {"gemini-1.5-flash": 0.0, "llama-3.1-405b": 0.05, "o3-mini": 0.01}

EFFECTS: Known = {
    "delta_a": {"0.9": 0.0, "0.8": -0.05, "0.95": 0.02},
    "market": {"CI/-/inf": 0.0, "-/MA/inf": 0.03, "CI/-/12": -0.04},
    "alice": ALICE,
    "bob": BOB,
}

BARGAINING: Known = {
    "delta_a": {"0.9": 0.0, "0.8": -0.05, "1": 0.04},
    "delta_b": {"0.9": 0.0, "0.95": 0.02},
    "pie": {"10000": 0.0, "100": 0.01},
    "market": {"CI/-/inf": 0.0, "-/MA/inf": 0.03, "CI/-/12": -0.04, "-/-/12": -0.01},
    "alice": ALICE,
    "bob": BOB,
}
NEGOTIATION: Known = {
    "seller_value": {"1": 0.0, "0.8": 0.06},
    "buyer_value": {"1": 0.0, "1.2": 0.03, "1.5": 0.08},
    "price_scale": {"10000": 0.0, "1000000": -0.02},
    "market": {"CI/-/1": 0.0, "CI/-/10": 0.09, "-/MA/inf": -0.05},
    "alice": ALICE,
    "bob": BOB,
}
PERSUASION: Known = {
    "p": {"0.5": 0.0, "1/3": -0.06, "0.8": 0.1},
    "v": {"1.25": 0.0, "4": 0.07},
    "product_price": {"10000": 0.0, "100": 0.01},
    "market": {"CI/-/-": 0.0, "-/MA/MY": -0.2, "CI/MA/-": -0.1},
    "alice": ALICE,
    "bob": BOB,
}
FAMILIES = {"bargaining": BARGAINING, "negotiation": NEGOTIATION, "persuasion": PERSUASION}


def reference(known: Known) -> dict[str, str]:
    """The first level of every factor."""
    return {factor: next(iter(levels)) for factor, levels in known.items()}


def summed(frame: pd.DataFrame, known: Known) -> pd.Series:
    """The sum of the effects of a row's levels."""
    parts = [frame[name].map(dict(levels)) for name, levels in known.items()]
    return pd.concat(parts, axis=1).sum(axis=1)


def additive(known: Known) -> pd.DataFrame:
    """The full grid of `known` without noise: `value` is 0.5 and the sum of the effects."""
    frame = pd.DataFrame(list(product(*known.values())), columns=list(known))
    configuration = frame[[name for name in known if name not in SEATS]]
    return frame.assign(
        variant=configuration.agg("|".join, axis=1), value=0.5 + summed(frame, known)
    )


def clustered(
    known: Known,
    seed: int,
    *,
    clusters: int = 40,
    size: int = 6,
    between: float = 0.1,
    within: float = 0.1,
) -> pd.DataFrame:
    """Clusters of episodes of one random configuration each, between random models.

    `between` is the standard deviation of what the episodes of a cluster share, `within` that of
    what is an episode's own.
    """
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(clusters), size)
    frame = pd.DataFrame({"variant": [f"v{code:03d}" for code in codes]})
    for name, levels in known.items():
        drawn = rng.integers(len(levels), size=len(codes) if name in SEATS else clusters)
        frame[name] = np.array(list(levels))[drawn if name in SEATS else drawn[codes]]
    noise = rng.normal(0, between, clusters)[codes] + rng.normal(0, within, len(codes))
    return frame.assign(value=0.5 + summed(frame, known) + noise)


def episodes(family: str) -> pd.DataFrame:
    """The grid of a family as a record has it: parameters instead of `market`, four measures.

    `fairness` is the noise-free `value`; the other measures are fractions of it.
    """
    frame = additive(FAMILIES[family]).rename(columns={"market": "told"})
    frame = frame.assign(
        game=family,
        fairness=frame["value"],
        efficiency=frame["value"] / 2,
        self_gain_alice=frame["value"] / 4,
        self_gain_bob=frame["value"] / 5,
    )
    for name in FAMILIES[family]:
        if name not in (*SEATS, "market", "p"):
            frame[name] = frame[name].astype(float)
    if family == "persuasion":
        frame["p"] = frame["p"].map({"0.5": 0.5, "1/3": 1 / 3, "0.8": 0.8})
    return frame.drop(columns=["told", "value"]).assign(**_told(frame["told"], family))


def _told(markets: pd.Series, family: str) -> dict[str, list[object]]:
    informed, talks, last = zip(*(market.split("/") for market in markets), strict=True)
    if family == "persuasion":
        return {
            "seller_knows_values": [each == "CI" for each in informed],
            "message_type": ["text" if each == "MA" else "binary" for each in talks],
            "buyer": ["myopic" if each == "MY" else "long_living" for each in last],
        }
    cap = 99 if family == "bargaining" else 30
    return {
        "complete_information": [each == "CI" for each in informed],
        "messages_allowed": [each == "MA" for each in talks],
        "max_rounds": [cap if each == "inf" else int(each) for each in last],
        "horizon": ["hidden" if each == "inf" else "stated" for each in last],
    }

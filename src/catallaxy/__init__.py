"""Catallaxy: language-model agents play economic games.

import catallaxy

with catallaxy.run("experiment=glee_bargaining", "backend=scripted") as record:
    print(record.episodes().groupby("delta_a")["efficiency"].mean())
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catallaxy.platform.api import Progress, Runs, open_runs, resume, run
    from catallaxy.platform.errors import CatallaxyError

__all__ = ["CatallaxyError", "Progress", "Runs", "open_runs", "resume", "run"]


def __getattr__(name: str) -> Any:
    """Loaded on first use: every module of the package passes through here."""
    if name not in __all__:
        raise AttributeError(f"module 'catallaxy' has no attribute {name!r}")
    from catallaxy.platform import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Where runs are: `runs/<date>/<time>_<name>/store.duckdb`. Knows no database."""

import os
from pathlib import Path

from catallaxy.platform.errors import StoreError

STORE = "store.duckdb"


def find_runs(root: Path | str) -> list[Path]:
    """The run folders at and under `root`, oldest first: their names begin with date and time."""
    found = []
    for folder, folders, names in os.walk(root):
        if STORE in names:
            found.append(Path(folder))
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found)


def find_run(asked: Path | str, root: Path | str = "runs") -> Path:
    """One run folder: by its path, by the end (or a part) of its name, or `last` for the newest."""
    path = Path(asked)
    if (path / STORE).exists():
        return path
    if path.name == STORE and path.exists():
        return path.parent
    runs = find_runs(root)
    if not runs:
        raise StoreError(f"There are no runs in {root}.")
    if str(asked) == "last":
        return runs[-1]
    for fits in (str.endswith, str.__contains__):
        matching = [run for run in runs if fits(str(run), str(asked))]
        if len(matching) == 1:
            return matching[0]
        if matching:
            names = ", ".join(str(run) for run in matching[:5])
            raise StoreError(f"{str(asked)!r} fits several runs: {names}; say more of the name.")
    raise StoreError(f"There is no run {str(asked)!r} in {root}; the newest is {runs[-1]}.")

"""Numbers as a person reads them. Knows nothing else."""

_NOISE = 1e-9


def plain(value: float | None) -> str:
    """A payoff, a metric or a count: whole ones with separators, others in four digits."""
    if value is None or value != value:
        return "–"
    if abs(value) < _NOISE:
        return "0"
    if abs(value) >= 1000 or (value == round(value) and abs(value) < 1e15):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def short(value: float | None) -> str:
    """A mean in the few digits that a table has room for."""
    if value is None or value != value:
        return "–"
    size = abs(value)
    if size < 0.005:
        return "0.00"
    if size < 10:
        return f"{value:.2f}"
    return f"{value:,.1f}" if size < 1000 else f"{value:,.0f}"


def fine(value: float) -> str:
    """An expected gain, fine enough to tell a best reply from the next best."""
    return f"{value:.3f}" if abs(value) >= 0.0005 else "0.000"


def compact(count: float) -> str:
    """A count in at most five characters: 9,999, 12k, 3.4M."""
    for size, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if count >= size:
            shown = count / unit
            return f"{shown:.1f}{letter}" if shown < 10 else f"{shown:,.0f}{letter}"
    return f"{count:,.0f}"


def seconds(value: float | None) -> str:
    """A latency, in the unit that leaves it two or three digits."""
    if value is None or value != value:
        return "–"
    if value < 1:
        return f"{1000 * value:.2g} ms" if value < 0.01 else f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"


def percent(part: float, whole: float) -> str:
    """`part` of `whole` in whole percent."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def points(value: float | None) -> str:
    """An effect in percentage points, with its sign."""
    if value is None:
        return "–"
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def chance(value: float | None) -> str:
    """A p value in as many digits as mean something."""
    if value is None:
        return ""
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def times(ends: tuple[int, int]) -> str:
    """How often, from the fewest to the most."""
    fewest, most = ends
    if fewest == most:
        return "once" if most == 1 else f"{most:,} times"
    return f"{fewest:,} to {most:,} times"

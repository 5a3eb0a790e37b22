"""What a backend may be asked for and what it charges: two values. Knows no clock, no client."""

from dataclasses import dataclass

from catallaxy.agents.chat import Usage

PER = 1_000_000  # prices are per million tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked of one model at once, per minute, and how patiently.

    `concurrency` counts requests in flight; None per minute means no limit. `timeout_s` is for one
    attempt, waiting in our own queue not counted. A transient failure is tried again `retries`
    times, after a random pause of at most `backoff_s`, twice that, and so on to `backoff_max_s`.
    """

    concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    timeout_s: float = 120.0
    retries: int = 6
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0

    def __post_init__(self) -> None:
        _check("concurrency", self.concurrency, least=1)
        _check("timeout_s", self.timeout_s, least=0.001)
        _check("retries", self.retries, least=0)
        _check("backoff_s", self.backoff_s, least=0)
        _check("backoff_max_s", self.backoff_max_s, least=self.backoff_s)
        for name in ("requests_per_minute", "tokens_per_minute"):
            rate = getattr(self, name)
            if rate is not None:
                _check(name, rate, least=0.001)

    def part(self, parts: int) -> "Limits":
        """What one of `parts` equal processes may ask for; never less than one at a time."""
        _check("parts", parts, least=1)
        return Limits(
            concurrency=max(1, self.concurrency // parts),
            requests_per_minute=_over(self.requests_per_minute, parts),
            tokens_per_minute=_over(self.tokens_per_minute, parts),
            timeout_s=self.timeout_s,
            retries=self.retries,
            backoff_s=self.backoff_s,
            backoff_max_s=self.backoff_max_s,
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens, and the day (`as_of`) on which somebody looked them up.

    `cached` is for the part of the input that the server had already read. None means unknown.
    """

    input: float | None = None
    cached: float | None = None
    output: float | None = None
    as_of: str = ""

    def cost(self, usage: Usage) -> float | None:
        """What `usage` cost in US dollars; None where a price that it needs is unknown."""
        total = 0.0
        fresh = usage.input - usage.cached
        for tokens, price in (
            (fresh, self.input),
            (usage.cached, self.input if self.cached is None else self.cached),
            (usage.output, self.output),
        ):
            if price is None:
                return None
            total += tokens * price
        return total / PER


FREE = Prices(0.0, 0.0, 0.0)


def _over(rate: float | None, parts: int) -> float | None:
    return None if rate is None else rate / parts


def _check(name: str, value: float, *, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name} must be at least {least}; got {value!r}.")

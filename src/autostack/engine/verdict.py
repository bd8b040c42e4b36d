"""Is the new release worse than the one before? A pure rule on what their visitors got.

Errors are judged again and again while the watch is open, slowness once at its end. Each look
at the errors asks Fisher's exact test, one-sided, at `ALPHA`; a watch of 60 s looks 30 times, so
by the union bound a release that is no worse is taken back for its errors in at most 3 of 1000
watches. The other conditions ask for a difference that matters to people, whatever its
significance.
"""

import math
from dataclasses import dataclass

from autostack.engine.tally import NONE, Tally, bound

ALPHA = 1e-4
LEAST_REQUESTS = 20
LEAST_ERRORS = 5
LEAST_SHARE = 0.02
"""The share of errors has to be larger by this much, and twice what it was."""
ASSUMED = Tally(codes=(0, 190, 0, 0, 10), latency=NONE.latency)
"""What is assumed of a release before whose traffic is not known: 5 % errors in 200 requests."""
LEAST_TIMED = 50
SLOWER = 3.0
SLOWER_BY = 0.2
SLOW_SHARE = 0.25
"""Slow means: three times the p95 of before, and 0.2 s more; worse: a quarter is that slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is compared. `before` is the earlier release's; `since` all that the new one answered
    since the switch, `lately` the newest part of it, `warm` what came after its warm-up.
    """

    before: Tally
    since: Tally
    lately: Tally
    warm: Tally


def too_many_errors(seen: Traffic) -> str:
    """What is worse, in words; nothing when it is not."""
    new, old = seen.since, _known(seen.before)
    if new.requests < LEAST_REQUESTS or new.errors < LEAST_ERRORS or not seen.lately.errors:
        return ""
    was, now = _share(old), _share(new)
    # One that has recovered is not taken back.
    if min(now, _share(seen.lately)) < max(was + LEAST_SHARE, 2 * was):
        return ""
    if by_chance(old.errors, old.requests, new.errors, new.requests) >= ALPHA:
        return ""
    return f"answers {now:.0%} of requests with an error ({_of(new)}); {_before(seen.before)}"


def too_slow(seen: Traffic) -> str:
    new, old = seen.warm, seen.before
    usual = old.quantile(0.95)
    timed, known = sum(new.latency), sum(old.latency)
    if usual is None or timed < LEAST_TIMED or known < LEAST_TIMED:
        return ""
    limit = bound(max(SLOWER * usual, usual + SLOWER_BY))
    slow, was = new.slower_than(limit), old.slower_than(limit)
    if slow < SLOW_SHARE * timed or by_chance(was, known, slow, timed) >= ALPHA:
        return ""
    return (
        f"is slow: {slow / timed:.0%} of {timed} requests took more than {limit * 1000:.0f} ms; "
        f"before, 95 % took less than {usual * 1000:.0f} ms"
    )


def _known(before: Tally) -> Tally:
    return before if before.requests >= LEAST_REQUESTS else ASSUMED


def _share(tally: Tally) -> float:
    return tally.errors / tally.requests if tally.requests else 0.0


def _of(tally: Tally) -> str:
    return f"{tally.errors} of {tally.requests}"


def _before(before: Tally) -> str:
    if not before.requests:
        return "nothing is known of the release before"
    return f"before it was {_share(before):.1%} ({_of(before)})"


def by_chance(old_bad: int, old_all: int, new_bad: int, new_all: int) -> float:
    """Fisher's exact test, one-sided: how probable so many bad ones or more among the new are if
    both releases are alike (the upper tail of the hypergeometric distribution).
    """
    bad, everything = old_bad + new_bad, old_all + new_all
    whole = _choose(everything, new_all)
    highest = min(bad, new_all)
    terms = (
        math.exp(_choose(bad, k) + _choose(everything - bad, new_all - k) - whole)
        for k in range(new_bad, highest + 1)
    )
    return min(1.0, math.fsum(terms))


def _choose(n: int, k: int) -> float:
    """The logarithm of the binomial coefficient."""
    if k < 0 or k > n:
        return float("-inf")
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

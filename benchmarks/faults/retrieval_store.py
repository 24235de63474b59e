"""An online store written by hand, with faults that can be switched on: it knows nothing of anybody's joins.

Jobs write rows into it, and it answers with the row that was written last. Faults are in the rows that the source has,
in what the jobs write and when, and in how serving asks.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.faults.retrieval_world import (
    ASKED_FROM,
    ASKED_TO,
    BEGIN,
    DAY,
    HOUR,
    MINUTE,
    NOTHING,
    SECOND,
    TTL,
    USERS,
    Answer,
    Reading,
    Requests,
)

LOST = 0.1
"""Share of the users that the store has no row of, where serving fills what is missing."""


@dataclass(frozen=True)
class RetrievalFault:
    """One fault of retrieval.

    Attributes:
        name: What is wrong, for the code below.
        kind: The kind of cause that it is.
        size: How strong it is: seconds, a share of users or rows, or a value.
        also: Other kinds that are as true.
        timed: Whether it can only be told where serving logs the event time of what it read.
    """

    name: str
    kind: str
    size: float = 0.0
    also: tuple[str, ...] = ()
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """A row on its way into the online store."""

    at: int
    reading: Reading


Faults = dict[str, RetrievalFault]


def change_source(rows: Sequence[Reading], on: Faults) -> list[Reading]:
    """The source as training will read it."""
    random = np.random.default_rng(5)
    found = list(rows)
    if "silent" in on:
        gone = _some_users(on["silent"].size)
        found = [row for row in found if row.user not in gone or row.event < ASKED_FROM - TTL - 6 * HOUR]
    if "dated_ahead" in on:
        # With each reading comes a forecast for six hours later, and both go online.
        ahead = _some_users(on["dated_ahead"].size)
        found += [replace(row, event=row.event + 6 * HOUR, value=row.value + 0.5) for row in rows if row.user in ahead]
    if "tie" in on:
        again = random.random(len(found)) < on["tie"].size
        found += [
            replace(row, created=row.created + MINUTE, value=row.value + 0.0625)
            for row, twice in zip(found, again.tolist(), strict=True)
            if twice
        ]
    if "stamped_late" in on:
        found = [replace(row, created=row.created + round(on["stamped_late"].size) * SECOND) for row in found]
    if "corrected" in on:
        changed = random.random(len(found)) < on["corrected"].size
        found = [
            replace(row, value=row.value + 0.125) if one else row
            for row, one in zip(found, changed.tolist(), strict=True)
        ]
    return found


def list_writes(rows: Sequence[Reading], on: Faults) -> list[Write]:
    """What the jobs write online, in the order of time.

    Args:
        rows: The source before anybody changed it.
        on: The faults.
    """
    # What changes the source afterwards leaves the online store as it was.
    stored = change_source(rows, {name: on[name] for name in on if name not in {"corrected", "tie", "stamped_late"}})
    writes = [Write(row.created, row) for row in stored]
    if "delay" in on:
        writes = [Write(one.at + round(on["delay"].size * SECOND), one.reading) for one in writes]
    if "daily" in on:
        hour = round(on["daily"].size) * HOUR
        writes = [Write(-(-(one.at - BEGIN - hour) // DAY) * DAY + BEGIN + hour, one.reading) for one in writes]
    if "stopped" in on:
        until = ASKED_FROM + round(on["stopped"].size * SECOND)
        writes = [one for one in writes if one.at <= until]
    if "lost" in on or "filled" in on:
        # Others than the first ones, which other faults befall.
        lost = {USERS + 1 - user for user in _some_users(on["lost"].size if "lost" in on else LOST)}
        writes = [one for one in writes if one.reading.user not in lost]
    if "nothing" in on:
        writes = []
    if "backfill" in on:
        old = {row.user: row for row in stored if row.event < ASKED_FROM - 4 * HOUR}
        every = round(on["backfill"].size * SECOND)
        again = range(ASKED_FROM, ASKED_TO, every)
        writes += [Write(at, row) for at in again for row in old.values()]
    return sorted(writes, key=lambda one: (one.at, one.reading.event))


def _some_users(share: float) -> set[int]:
    return set(range(1, max(1, round(share * USERS)) + 1))


def answer_right(source: Iterable[Reading], requests: Requests) -> list[Answer]:
    """What was known at each request: the latest row of the user's that had happened and was known, if fresh enough."""
    rows: dict[int, list[Reading]] = defaultdict(list)
    for row in sorted(source, key=lambda row: (row.event, row.created)):
        rows[row.user].append(row)
    events = {user: [row.event for row in of_user] for user, of_user in rows.items()}
    found = []
    for user, when in zip(requests.users, requests.times, strict=True):
        place = bisect.bisect_right(events.get(user, []), when)
        while place and rows[user][place - 1].created > when:
            place -= 1
        fresh = place and when - rows[user][place - 1].event <= TTL
        found.append(_answer(rows[user][place - 1]) if fresh else NOTHING)
    return found


def answer_online(writes: Sequence[Write], requests: Requests, on: Faults) -> list[Answer]:
    """What the online store answers, and what serving makes of it."""
    written: dict[int, list[Write]] = defaultdict(list)
    for one in writes:
        written[one.reading.user].append(one)
    times = {user: [one.at for one in of_user] for user, of_user in written.items()}
    users = _change_keys(requests, on)
    # A service that fills its log later asks the store as it is then.
    later = "filled_later" in on
    found = []
    for user, when in zip(users, requests.times, strict=True):
        place = len(times.get(user, [])) if later else bisect.bisect_right(times.get(user, []), when)
        found.append(_answer(written[user][place - 1].reading) if place else NOTHING)
    return [_change_answer(answer, on) for answer in found]


def _answer(row: Reading) -> Answer:
    return Answer(row.value, row.event)


def _change_keys(requests: Requests, on: Faults) -> list[int]:
    if "friend" in on:
        return requests.friends
    if "next_user" in on:
        return [user % USERS + 1 for user in requests.users]
    if "cut_key" in on:
        return [user % 10 or 10 for user in requests.users]
    return requests.users


def _change_answer(answer: Answer, on: Faults) -> Answer:
    value = answer.value
    if value is None:
        return Answer(on["filled"].size, None) if "filled" in on else answer
    changes: dict[str, Callable[[float], Any]] = {
        "float32": lambda x: float(np.float32(x)),
        "one_for_all": lambda _: on["one_for_all"].size,
    }
    for name, change in changes.items():
        if name in on:
            # One value for all comes from no row.
            return Answer(change(value), answer.event if name == "float32" else None)
    return answer


@dataclass(frozen=True, eq=False)
class Served:
    """A log of one feed: the source, what was right, and what was served."""

    source: list[Reading]
    right: list[Answer]
    served: list[Answer]

    @property
    def touched(self) -> int:
        """Requests that were served another value than the right one."""
        return sum(one.value != other.value for one, other in zip(self.right, self.served, strict=True))


def serve_feed(
    rows: Sequence[Reading],
    requests: Requests,
    faults: Collection[RetrievalFault],
    *,
    pods: int = 100,
    noise: float = 0.0,
) -> Served:
    """Serve requests from a feed, with faults on some of the hundred hosts, and values that are off by chance."""
    on = {fault.name: fault for fault in faults}
    source = change_source(rows, on)
    right = answer_right(source, requests)
    wrong = answer_online(list_writes(rows, on), requests, on)
    chance = np.random.default_rng(len(requests))
    off = chance.random(len(requests)) < noise
    served = []
    for place, pod in enumerate(requests.pods):
        answer = wrong[place] if pod < pods else right[place]
        if off[place] and answer.value is not None:
            answer = replace(answer, value=answer.value + float(chance.normal()))
        served.append(answer)
    return Served(source, right, served)

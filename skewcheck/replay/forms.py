"""The ways in which retrieval differs, in the order in which they are tried, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which retrieval differs: its kind among all causes, itself in words, and what to change."""

    kind: str
    says: str
    fix: str


_DEFAULT = "Serve missing where the store has nothing, and let the feature fill it on both sides."

_WINDOWS = "Serve the declared windows: `skewcheck materialise`, or declare what serving computes."

FORMS = {
    "not_served": Form(
        "not_served",
        "Serving never has a value of this column.",
        "Materialise the view, and check that serving asks for this column.",
    ),
    "constant": Form("default", "Serving has one value for every request, training has several.", _DEFAULT),
    "float32": Form(
        "precision",
        "Serving has the value in 32 bits.",
        "Declare the field as Float64, and materialise it again.",
    ),
    "float64": Form(
        "precision",
        "Serving has the whole number as a float, which ends at 2**53.",
        "Write the column without missing values, or as text.",
    ),
    "whole_seconds": Form(
        "precision",
        "Serving has the timestamp in whole seconds.",
        "Write timestamps in whole seconds: the online store cuts them.",
    ),
    "rounded": Form(
        "precision",
        "Serving has the value with fewer digits.",
        "Store the value online with all its digits.",
    ),
    "not_found_default": Form("default", "Serving has a value where the store has no row for the key.", _DEFAULT),
    "absent_row": Form(
        "absent_row",
        "The online store has no value where training reads one.",
        "Materialise the rows: the online store had none for the key.",
    ),
    "future_dated": Form(
        "latest_not_as_of",
        "Serving has a row whose event time is after the request.",
        "Do not write rows to the online store before their event time: it serves the last row whatever its time.",
    ),
    "late_arrival": Form(
        "late_or_tie",
        "Serving has a row that, by its created timestamp, was not yet known.",
        "Correct the created timestamp: it says when a row could be read for the first time.",
    ),
    "tie": Form(
        "late_or_tie",
        "Of several rows with one event time serving has another than training.",
        "Give rows of one key and event time an order with a created timestamp, and write them online in that order.",
    ),
    "expired": Form(
        "residual",
        "Serving has a row that is older than the view's time to live.",
        "Apply the time to live in serving, delete what is older, or lengthen the ttl so that it decides nothing.",
    ),
    "out_of_order": Form(
        "late_or_tie",
        "An older row was written over a newer one.",
        "Materialise in the order of event times; a backfill ends with materialising the newest rows again.",
    ),
    "stale": Form(
        "stale",
        "Serving has an older row than the one that was known.",
        "Materialise more often, or train with the delay that serving has.",
    ),
    "fresher": Form(
        "stale",
        "Serving has a newer row than training, which reads with a delay.",
        "Train with the delay that serving has.",
    ),
    "wrong_key": Form(
        "wrong_key",
        "Serving has the value of another key.",
        "Ask the store with the key that training joins on.",
    ),
    "other_window": Form(
        "window",
        "Serving computes another window than training.",
        _WINDOWS,
    ),
    "other_filter": Form(
        "filter",
        "Serving computes the window of other events than training.",
        _WINDOWS,
    ),
    "rewritten": Form(
        "latest_not_as_of",
        "The source has another value in the row that serving read: it was changed since, or on its way online.",
        "Append corrections with a new created timestamp, and let nothing change rows on their way online.",
    ),
    "gone": Form(
        "absent_row",
        "The source no longer has the row that serving read.",
        "Keep in the source what was served.",
    ),
    "default": Form("default", "Serving has one value where no row has it.", _DEFAULT),
    "unexplained": Form(
        "unexplained",
        "No row of the key has the value that was served.",
        "Look at the evidence, and at what writes to the online store.",
    ),
}
"""The forms, in the order in which they are tried."""

WINDOWED = {
    "future_dated": Form(
        "latest_not_as_of",
        "Serving counts events that were known only after the request.",
        "Compute the windows as of the request, or earlier.",
    ),
    "late_arrival": Form(
        "late_or_tie",
        "Serving counts events that, by their created timestamp, were not yet known.",
        "Correct the created timestamp: it says when an event could be read for the first time.",
    ),
    "expired": Form(
        "residual",
        "Serving has a value that is older than its window: no event that it counts is in the window any more.",
        "Materialise every key, also those whose window has become empty: `skewcheck materialise` does.",
    ),
    "stale": Form(
        "stale",
        "Serving has the windows as of some time ago.",
        "Run `skewcheck materialise` more often, serve from the updater, or train with the delay that serving has.",
    ),
    "rewritten": Form(
        "latest_not_as_of",
        "The events give another value as of the instant that serving logged: they may have been changed since.",
        "Append corrections with a new created timestamp.",
    ),
    "unexplained": Form(
        "unexplained",
        "Neither the declared window nor any other that was tried gives the value that was served.",
        "Look at the evidence, and at what computes the windows that serving has.",
    ),
}
"""The same for windows, where their values have no rows and the words are others."""

FEW = 0.05
"""The share of a column's requests below which events that were changed since are the likely reason why the declared
windows do not give what was served."""


def choose_form(form: str, share: float, *, windowed: bool) -> Form:
    """What is said of a form.

    Args:
        form: Its name.
        share: The share of the requests that were compared which have it.
        windowed: Whether the values are of windows.
    """
    if not windowed:
        return FORMS[form]
    if form == "rewritten" and share >= FEW:
        form = "unexplained"
    return WINDOWED.get(form, FORMS[form])

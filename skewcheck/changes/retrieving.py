"""What a change of the retrieval does to one feature: the smallest stored row that shows it (room: changes)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from skewcheck.changes.candidates import find_candidates
from skewcheck.changes.judgement import Judgement
from skewcheck.changes.programs import RowProgram, expand_with, plain_row, work_through
from skewcheck.changes.searching import Row, Sought, find_smallest
from skewcheck.changes.values import MADE_UP, Pair, choose_statistics
from skewcheck.changes.views import START, ViewChange, show_scenario, store_row
from skewcheck.changes.windowed import find_events, read_windowed, reads_the_same_events, show_events
from skewcheck.contracts import plain_value
from skewcheck.diff_verdict import Witness
from skewcheck.errors import SkewcheckError
from skewcheck.generate.golden import same_value

Change = Callable[[Row], Row]


def judge_retrieval(pair: Pair, change: ViewChange, columns: tuple[str, ...]) -> Judgement:
    """Whether a feature notices that a view answers otherwise, on a source that the join itself is run over.

    Args:
        pair: The feature in both versions.
        change: What became of the view; it has a scenario.
        columns: The columns of the view that the feature reads.
    """
    if change.scenario is None:
        raise ValueError("the change moves no answer")
    scenario = replace(change.scenario, columns=columns)

    def drop(row: Row) -> Row:
        return {**row, **dict.fromkeys(columns)}

    late = scenario.missing_in == "new"
    found = _search(pair, (_keep, drop) if late else (drop, _keep))
    if isinstance(found, Judgement):
        return found
    row, witness = found
    old_view, new_view = _name_in(pair.before.columns, columns), _name_in(pair.after.columns, columns)
    before, after = pair.before.views[old_view], pair.after.views[new_view]
    try:
        stored = store_row(scenario, new_view, pair.after, before, after, row)
        answers = [
            show_scenario(scenario, name, service, settings, stored)
            for name, service, settings in ((old_view, pair.before, before), (new_view, pair.after, after))
        ]
    except (SkewcheckError, ValueError, KeyError) as error:
        return Judgement("unknown", f"it could not be shown: {error}")
    shown = [{name: answer[name] for name in columns} for answer in answers]
    if all(same_value(shown[0][name], shown[1][name]) for name in columns):
        return Judgement("unknown", "the join answers the same on the source that was to show it")
    return Judgement(
        "differs",
        witness=replace(
            witness,
            old_inputs=plain_row(shown[0]),
            new_inputs=plain_row(shown[1]),
            stored=(plain_row(stored),),
            requested_at=scenario.requested_at.isoformat(),
        ),
    )


def judge_window(pair: Pair, column: str) -> Judgement:
    """Whether a feature notices that a windowed column counts other events, or makes something else of them.

    Args:
        pair: The feature in both versions.
        column: The windowed column.
    """
    old_text, new_text = pair.before.columns[column].definition, pair.after.columns[column].definition
    if old_text is None or new_text is None or not reads_the_same_events(old_text, new_text):
        return Judgement("unknown", "the two versions are not of the same events")
    statistics, made_up = choose_statistics(pair)
    if statistics is None:
        return Judgement("unknown", "its statistics are to be fitted first")
    try:
        old, new = read_windowed(column, old_text), read_windowed(column, new_text)
    except (KeyError, TypeError, ValueError) as error:
        return Judgement("unknown", f"it cannot be read: {error}")
    term = expand_with(pair.new.expression, statistics)
    program = RowProgram({"value": term})
    types = {name: pair.after.columns[name].type for name in pair.new.columns if name != column}

    def give(row: Row, value: Any) -> Any:
        return program({**row, column: value})["value"]

    def differs(row: Row, before: Any, after: Any) -> bool:
        return not same_value(give(row, before), give(row, after))

    candidates = find_candidates(types, [term], [pair.new.expression])
    found = find_events(old, new, candidates, differs)
    if found is None:
        return Judgement("unknown", "no events were found that show whether it notices")
    events, row = found
    sides = [{column: version.value(events)} for version in (old, new)]
    steps = [work_through(pair.new.expression, statistics, {**row, **side}) for side in sides]
    shown = new if new.created else old
    return Judgement(
        "differs",
        witness=Witness(
            plain_row(row),
            plain_value(give(row, sides[0][column])),
            plain_value(give(row, sides[1][column])),
            steps[0],
            steps[1],
            old_inputs=plain_row(sides[0]),
            new_inputs=plain_row(sides[1]),
            stored=tuple(plain_row(event) for event in show_events(events, shown)),
            requested_at=START.isoformat(),
            note=MADE_UP if made_up else None,
        ),
    )


def judge_width(pair: Pair, column: str, narrow: str) -> Judgement:
    """Whether a feature notices that one version keeps a number in 32 bits.

    Args:
        pair: The feature in both versions.
        column: The column.
        narrow: "old" or "new": the version that keeps it in 32 bits.
    """

    def cut(row: Row) -> Row:
        return {**row, column: _narrow(row[column])}

    changes = (cut, _keep) if narrow == "old" else (_keep, cut)
    found = _search(pair, changes)
    if isinstance(found, Judgement):
        return found
    row, witness = found
    old_inputs, new_inputs = (plain_row({column: change(row)[column]}) for change in changes)
    return Judgement("differs", witness=replace(witness, old_inputs=old_inputs, new_inputs=new_inputs))


def _keep(row: Row) -> Row:
    return row


def _narrow(value: Any) -> Any:
    """A number, or a list of them, as 32 bits keep it; missing where it is too large for them."""
    if isinstance(value, list):
        return [_narrow(item) for item in value]
    if value is None:
        return None
    try:
        (found,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return None
    return found


def _search(pair: Pair, changes: tuple[Change, Change]) -> tuple[Row, Witness] | Judgement:
    """The smallest row that the old version gives another value for, each version reading it in its own way.

    The new declaration is taken for both, so that the retrieval alone is what differs.
    """
    statistics, made_up = choose_statistics(pair)
    if statistics is None:
        return Judgement("unknown", "its statistics are to be fitted first")
    term = expand_with(pair.new.expression, statistics)
    program = RowProgram({"value": term})

    def give(row: Mapping[str, Any]) -> list[Any]:
        return [program(change(dict(row)))["value"] for change in changes]

    def differs(row: Row) -> bool:
        old, new = give(row)
        return not same_value(old, new)

    types = {name: pair.after.columns[name].type for name in pair.new.columns}
    row = find_smallest(Sought(differs, find_candidates(types, [term], [pair.new.expression]), (term,)))
    if row is None:
        return Judgement("tested")
    old, new = give(row)
    steps = [work_through(pair.new.expression, statistics, change(row)) for change in changes]
    note = MADE_UP if made_up else None
    return row, Witness(plain_row(row), plain_value(old), plain_value(new), steps[0], steps[1], note=note)


def _name_in(columns: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The view that some columns come from."""
    source: str = columns[names[0]].source
    return source

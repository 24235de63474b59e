"""The words of a report for time: how far behind serving is, what was too old, why columns differ (room: report).

Everything here is a function of the verdict, as in `wording`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skewcheck.report.values import escape_hidden, flow_text, format_rate
from skewcheck.report.wording import Line

if TYPE_CHECKING:
    from skewcheck.verdict import ColumnVerdict, Verdict

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def format_duration(seconds: float) -> str:
    """A time in its two greatest units: "3 d 4 h", "2 h", "45 s"; below ten seconds with its fraction."""
    if abs(seconds) < 10:
        return f"{seconds:.3g} s"
    rest = round(abs(seconds))
    parts = []
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {name}")
        elif parts:
            break
    return f"{'-' if seconds < 0 else ''}{' '.join(parts[:2])}"


def column_lines(column: ColumnVerdict) -> tuple[Line, ...]:
    """What is to be said about a column that differs, beside its counts: one line each, its causes last."""
    lines = [*_lag_lines(column.lag or {}), *_residual_lines(column.residual or {})]
    for cause in column.causes:
        key = cause.get("parameters", {}).get("key")
        says = f"{cause.get('says') or 'no words'}{f' ({key})' if key else ''}"
        share = _say_share(cause.get("explains"))
        lines.append(Line(str(cause.get("kind", "cause")), f"{share} of the mismatches", flow_text(says)))
        lines += [Line("", "", flow_text(sentence), level=1) for sentence in cause.get("evidence", ())]
        if cause.get("fix"):
            lines.append(Line("", "", f"→ {flow_text(cause['fix'])}", level=1))
    return tuple(lines)


def alignment_lines(verdict: Verdict) -> tuple[Line, ...]:
    """For every source a line: the delay of training, and in the note that of serving."""
    return tuple(
        Line(
            f"{escape_hidden(str(entry.get('source')))}{' (labels)' if entry.get('what') == 'labels' else ''}",
            f"training {_say_delay(entry, 'training')}",
            f"serving {_say_delay(entry, 'serving')}",
        )
        for entry in verdict.alignment
    )


def name_column(column: ColumnVerdict) -> str:
    """A column of the store with its view."""
    return f"{escape_hidden(column.view)}.{escape_hidden(column.name)}"


def _lag_lines(lag: dict[str, Any]) -> list[Line]:
    delay = lag.get("seconds")
    if not delay:
        return []
    way = "behind" if delay > 0 else "ahead"
    share = f"{_say_share(lag.get('share'))} of {lag.get('requests', 0):,} values that were looked at"
    hours = [hour["seconds"] for hour in lag.get("by_hour", ())]
    pattern = ""
    if hours and min(hours) != max(hours):
        first, last = (
            next(h["hour"] for h in lag["by_hour"] if h["seconds"] == edge) for edge in (min(hours), max(hours))
        )
        pattern = (
            f"; by hour of the day from {format_duration(min(hours))} (at {first:02}:00 UTC) to "
            f"{format_duration(max(hours))} (at {last:02}:00 UTC)"
        )
    return [Line("lag", f"{format_duration(abs(delay))} {way}", f"explains {share}{pattern}")]


def _residual_lines(residual: dict[str, Any]) -> list[Line]:
    if not residual.get("rows"):
        return []
    oldest = residual.get("oldest_seconds")
    if "window_seconds" in residual:
        note = f"older than their window of {format_duration(residual['window_seconds'])}"
    else:
        note = f"older than the time to live of {format_duration(residual.get('ttl_seconds', 0))}"
    note += f", the oldest {format_duration(oldest)}" if oldest is not None else ""
    return [Line("residual", f"{residual['rows']:,} values ({_say_share(residual.get('share'))})", note)]


def _say_delay(entry: dict[str, Any], side: str) -> str:
    told = entry.get(side, {})
    delay, age = told.get("delay_seconds"), told.get("age_seconds")
    if entry.get("what") == "labels":
        if delay is None:
            return "does not log when labels are known"
        return f"knows labels {format_duration(delay)} after the request"
    if delay is None:
        words = "with a delay that is unknown"
    elif not delay:
        words = "as known at the time"
    else:
        words = f"{format_duration(abs(delay))} {'behind' if delay > 0 else 'ahead'}"
        words += f" ({_say_share(told.get('share'))})" if told.get("share") is not None else ""
    return f"{words}, rows {format_duration(age)} old" if age is not None else words


def _say_share(share: Any) -> str:
    return (
        format_rate(*share.as_integer_ratio()) if isinstance(share, float) and 0 <= share <= 1 else "an unknown share"
    )

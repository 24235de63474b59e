"""The audit, as one sequence: open the log, replay it through the training path, compare, and give a verdict."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import duckdb

from skewcheck.contracts import Problem
from skewcheck.engines.opaque import Loaded, find_failure, register_functions
from skewcheck.engines.session import open_session, say_error
from skewcheck.errors import LogError, StateError, UsageError
from skewcheck.fit.history import read_earlier_states
from skewcheck.fit.state import read_state
from skewcheck.generate.manifest import Manifest, read_generated, read_manifest
from skewcheck.generate.row_module import load_row_module
from skewcheck.language.expressions import Expression
from skewcheck.language.fingerprint import fingerprint
from skewcheck.replay.column_findings import causes_of_reads
from skewcheck.replay.columns import LogColumns, find_columns
from skewcheck.replay.population import count_duplicates, count_outside, read_versions
from skewcheck.replay.replaying import COMPARED, NOT_ASKED, OpenRepository, Replay, Replayed, replay
from skewcheck.replay.stages import read_files
from skewcheck.serving.reader import Log, hold_files, open_log
from skewcheck.verdict import STAGES, FeatureVerdict, Filter, Rows, Verdict, Version

OPENINGS = 20
"""How often a log is opened before it is given up that is being merged each time."""

FLOAT32_TOLERANCE = 1e-6
"""A relative tolerance that forgives storage in 32 bits."""

MEMORY_LIMIT = "640MB"
"""What the engine may hold; beyond it, it writes to a temporary folder."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to audit.

    Attributes:
        stages: The cuts to make.
        samples: Differing rows to keep of each feature and cut.
        tolerance: Relative tolerance for numbers, beside what a feature declares itself.
        renamed: For a name that the audit looks for, the log's own name for it.
        assume_utc: Read times without a zone as UTC.
        ignore_unreadable: Give a verdict on the rest where some files, or columns in some files, cannot be read.
        explain: Seek the causes of what is skewed.
        delays: For views by name, the delay with which training reads them.
        problems: What whoever asks has found already, and the reader must know too.
        redact: Leave out of the verdict what single requests hold: samples, and values that causes name.
    """

    stages: Collection[str] = STAGES
    samples: int = 5
    tolerance: float = 0.0
    renamed: Mapping[str, str] = field(default_factory=dict)
    assume_utc: bool = False
    ignore_unreadable: bool = False
    explain: bool = True
    redact: bool = False
    delays: Mapping[str, timedelta] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        if unknown := [stage for stage in self.stages if stage not in STAGES]:
            raise UsageError(f"there is no stage {', '.join(unknown)}", remedy=f"The stages are {', '.join(STAGES)}.")
        if not 0 <= self.tolerance < 1:
            raise UsageError(f"{self.tolerance} is no relative tolerance", remedy="Give one such as 1e-9.")


def audit(
    log: Path | str,
    generated: Path,
    open_repository: OpenRepository | None = None,
    options: Options | None = None,
) -> Verdict:
    """Audit a serving log against a service's generated code.

    Args:
        log: A folder of Parquet files, one such file, or a glob.
        generated: The folder `codegen/<service>/`.
        open_repository: Loads the feature repo, for the cuts that ask the store; without it those are not made.
        options: How to audit.

    Raises:
        StateError: The generated code is missing.
        LogError: The log is not there, is empty, or lacks what the replay needs.
        OpaqueError: An opaque function raises an error on a logged row, or gives a value of another type.
    """
    options = options or Options()
    manifest = read_manifest(generated / "manifest.json")
    query, functions = read_generated(generated, manifest, "features.sql"), _load_functions(generated, manifest)
    code = _Code(manifest, query, functions, generated)
    try:
        try:
            return _audit_once(log, code, open_repository, options)
        except duckdb.IOException:
            # A writer that was idle for long may have merged its files into one since the log was opened.
            return _audit_once(log, code, open_repository, options)
    except duckdb.Error as error:
        raise find_failure(error) or LogError(
            f"the log {log} could not be replayed: {say_error(error)}",
            remedy="Check that its files are whole and that each column holds what its name says.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Code:
    """A service's generated code."""

    manifest: Manifest
    query: str
    functions: Loaded
    folder: Path


def _load_functions(generated: Path, manifest: Manifest) -> Loaded:
    """The opaque functions, from the row module that serving runs."""
    if not manifest.calls_functions:
        return {}
    functions: Loaded = load_row_module(read_generated(generated, manifest, "row.py"))["OPAQUE"]
    return functions


def _audit_once(log: Path | str, code: _Code, open_repository: OpenRepository | None, options: Options) -> Verdict:
    manifest, query = code.manifest, code.query
    with _make_folder() as folder, open_session(memory_limit=MEMORY_LIMIT, spill_to=folder) as connection:
        register_functions(connection, code.functions)
        opened, held = open_held_log(log, folder / "log", options)
        columns = find_columns(opened, manifest, renamed=options.renamed, assume_utc=options.assume_utc)
        files = read_files(held)
        samples = 0 if options.redact else options.samples
        task = Replay(connection, files, columns, manifest, query, folder, samples, options.tolerance, options.delays)
        replayed = replay(task, options.stages, open_repository)
        filters, outside = count_outside(connection, files, columns, manifest)
        duplicated = count_duplicates(connection, files, columns, opened.rows)
        versions = read_versions(connection, files, columns, manifest)
        causes, unsought = _explain(task, code.folder, replayed, open_repository, options)
    filters = tuple(replace(rule, concentrated=_concentrated_in(rule, replayed)) for rule in filters)
    rows = Rows(
        opened.rows, replayed.rows, duplicated, replayed.unmatched, outside, filters, replayed.first, replayed.last
    )
    features = tuple(
        replace(feature, causes=causes.get(feature.name, ()) + causes_of_reads(feature, replayed.columns))
        for feature in _judge(manifest, columns, replayed, options.tolerance)
    )
    problems = _find_partial(opened, columns, options) + _find_problems(opened, manifest, replayed, rows, versions)
    problems += unsought + options.problems
    return Verdict(
        service=manifest.service,
        verdict=_conclude(features, problems),
        rows=rows,
        features=features,
        log=str(log),
        definition=manifest.definition,
        state=manifest.state,
        columns=replayed.columns,
        versions=versions,
        problems=problems,
        stages=replayed.stages,
        alignment=replayed.alignment,
    )


def _explain(
    task: Replay, generated: Path, replayed: Replayed, open_repository: OpenRepository | None, options: Options
) -> tuple[dict[str, tuple[dict[str, Any], ...]], tuple[Problem, ...]]:
    """The causes of every skewed feature, and what is wrong with the statistics that they are sought with."""
    path = generated / "state.json"
    try:
        state = read_state(path)
    except StateError as error:
        return {}, (Problem("warning", "state", f"{error.message}; no causes can be sought", error.remedy),)
    if state.hash != task.manifest.state:
        remedy = "Restore the file, or run `skewcheck generate`."
        said = f"{path} is not what the code was generated from; no causes can be sought"
        return {}, (Problem("warning", "state", said, remedy),)
    found = {name: stages["transform"] for name, stages in replayed.features.items() if "transform" in stages}
    if not options.explain or not any(comparison.mismatched for comparison in found.values()):
        return {}, ()
    from skewcheck.explain.explaining import Request, explain_transform  # a log without skew does without it

    def read_expression(name: str) -> Expression | None:
        if open_repository is None:
            return None
        declared = open_repository().service(task.manifest.service)
        if fingerprint(declared) != task.manifest.definition:
            return None
        return next((feature.expression for feature in declared.features if feature.name == name), None)

    named = f"{generated.parent.name}/{generated.name}/{path.name}"
    request = Request(
        task,
        state,
        named,
        read_expression,
        min(2, task.samples),
        redact=options.redact,
        earlier=read_earlier_states(path),
    )
    causes = explain_transform(request, found)
    return {name: tuple(cause.to_data() for cause in of_feature) for name, of_feature in causes.items()}, ()


def open_held_log(log: Path | str, folder: Path, options: Options) -> tuple[Log, tuple[Path, ...]]:
    """A log and its files, held in a folder where a live writer would take them away."""
    for attempt in range(OPENINGS):
        opened = open_log(log, ignore_unreadable=options.ignore_unreadable)
        held = folder / str(attempt)
        held.mkdir(parents=True)
        try:
            return opened, hold_files(opened, held)
        except FileNotFoundError:  # merged since
            continue
    raise LogError(f"the files of the log {log} keep vanishing", remedy="Try again, or audit a copy of the log.")


@contextmanager
def _make_folder() -> Iterator[Path]:
    """A folder for what does not fit into memory, for as long as the audit takes."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="skewcheck-")
    except OSError as error:
        raise UsageError(
            f"there is no folder for temporary files: {error.strerror or error}",
            remedy="Set TMPDIR to a folder that you may write to.",
        ) from error
    with folder as name:
        yield Path(name)


def _concentrated_in(rule: Filter, replayed: Replayed) -> tuple[dict[str, Any], ...]:
    """The comparisons whose mismatches are more frequent among the rows that a rule drops."""
    return tuple(
        {key: value for key, value in found.items() if key != "rule"}
        for found in replayed.concentrated
        if found["rule"] == rule.name
    )


def _judge(manifest: Manifest, columns: LogColumns, replayed: Replayed, tolerance: float) -> tuple[FeatureVerdict, ...]:
    """A verdict on every feature: skew where any cut differs, at the cut where most mismatches arise."""
    verdicts = []
    for feature in manifest.features:
        stages = replayed.features.get(feature.name, {})
        allowed = max(tolerance, feature.tolerance)
        if not any(comparison.compared for comparison in stages.values()):
            note = "the log does not have it" if feature.name in columns.absent_features else "no cut could be made"
            verdicts.append(FeatureVerdict(feature.name, "not-compared", None, stages, feature.reads, allowed, note))
            continue
        # End to end is the sum of the other two, and the address only where neither of them differs.
        stage = max(
            stages, key=lambda name: (name != "end_to_end" and stages[name].mismatched, stages[name].mismatched)
        )
        if stages[stage].mismatched:
            verdicts.append(FeatureVerdict(feature.name, "skew", stage, stages, feature.reads, allowed))
        else:
            verdicts.append(FeatureVerdict(feature.name, "match", None, stages, feature.reads, allowed))
    calls = {feature.name: feature.opaque for feature in manifest.features}
    return tuple(replace(verdict, opaque=calls[verdict.name]) for verdict in verdicts)


def _find_partial(log: Log, columns: LogColumns, options: Options) -> tuple[Problem, ...]:
    """Columns that only some files have, and those that hold less than a Float64."""
    problems = [
        Problem(
            "warning" if options.ignore_unreadable else "error",
            f"column {name}",
            f"is not in {len(files):,} of {len(log.files):,} files (first {log.files[files[0]].name}); what needs it "
            "was not compared in their rows",
            "Restore the column, or leave those rows out on purpose with --ignore-unreadable.",
        )
        for name, files in columns.lacking.items()
    ]
    problems += [
        Problem(
            "error",
            f"join key {name}",
            f"was logged as {found}, and its view has {expected}: training refuses a key of another type, which the "
            "online store may accept",
            f"Ask the store with {expected}, and log the key as that.",
        )
        for name, (found, expected) in columns.mistyped_keys.items()
    ]
    if columns.narrow and options.tolerance < FLOAT32_TOLERANCE:
        problems.append(describe_narrow(columns.narrow))
    return tuple(problems)


def describe_narrow(columns: Iterable[str]) -> Problem:
    """Columns of a log that hold less than a Float64, where no tolerance forgives it."""
    return Problem(
        "warning",
        "log",
        f"holds {', '.join(columns)} as 32-bit floats, which carry about 7 digits",
        f"Log them as doubles, or audit with --tolerance {FLOAT32_TOLERANCE:g}.",
    )


def describe_unreadable(log: Log) -> list[Problem]:
    """The files of a log that cannot be read; warnings where the caller lets the log count as complete without them."""
    return [
        Problem(
            "warning" if log.ignore_unreadable else "error",
            str(path),
            f"cannot be read ({reason}); its rows are not in this audit",
            "Restore the file, or leave it out on purpose with --ignore-unreadable.",
        )
        for path, reason in log.unreadable
    ]


def _find_problems(
    log: Log, manifest: Manifest, replayed: Replayed, rows: Rows, versions: tuple[Version, ...]
) -> tuple[Problem, ...]:
    """What the reader must know beside the counts; an error makes the verdict incomplete."""
    problems = describe_unreadable(log)
    if log.service not in {None, manifest.service}:
        problems.append(Problem("error", "log", f"was written by service {log.service!r}", "Audit that service's log."))
    if rows.replayed != rows.logged:
        problems.append(Problem("error", "log", f"has {rows.logged:,} rows, of which {rows.replayed:,} were replayed"))
    for stage, reason in replayed.stages.items():
        if manifest.views and reason not in {COMPARED, NOT_ASKED}:
            problems.append(Problem("warning", f"stage {stage}", f"was not compared: {reason}"))
    if rows.duplicated:
        problems.append(
            Problem("warning", "request_id", f"{rows.duplicated:,} rows repeat a request id; every row was compared")
        )
    if rows.unmatched:
        problems.append(
            Problem(
                "error",
                "stage retrieval",
                f"the point-in-time join did not return {rows.unmatched:,} requests",
                "Check the join keys and the time of those requests.",
            )
        )
    if replayed.declared not in {None, manifest.definition}:
        problems.append(
            Problem(
                "warning",
                f"codegen/{manifest.service}",
                f"is stale: features/ declares {str(replayed.declared)[:12]} and this audit replayed "
                f"{manifest.definition[:12]}",
                "Run `skewcheck generate` and audit again.",
            )
        )
    if rows.last is not None and _is_future(rows.last):
        problems.append(
            Problem("warning", "requested_at", f"the latest request is in the future ({rows.last})", "Check its clock.")
        )
    stamped = [version for version in versions if version.definition is not None or version.state is not None]
    for version in stamped:
        if version.current:
            continue
        hashes = f"definition {(version.definition or 'none')[:12]}, state {(version.state or 'none')[:12]}"
        problems.append(
            Problem(
                "warning",
                "versions",
                f"{version.rows:,} rows were served by another version ({hashes}) than the generated code",
                "Deploy one version, or audit each log with the code that served it.",
            )
        )
    return tuple(problems)


def _is_future(instant: str) -> bool:
    """Whether an instant as ISO 8601 text is still to come; a year of more than four digits is."""
    year, _, _ = instant.partition("-")
    return len(year) > 4 or instant > datetime.now(UTC).isoformat()


def _conclude(
    features: tuple[FeatureVerdict, ...], problems: tuple[Problem, ...]
) -> Literal["pass", "fail", "incomplete"]:
    """Skew fails. Without skew, anything that could hide some makes the verdict incomplete."""
    if any(feature.verdict == "skew" for feature in features):
        return "fail"
    hidden = any(feature.verdict == "not-compared" for feature in features)
    return "incomplete" if hidden or any(problem.severity == "error" for problem in problems) else "pass"

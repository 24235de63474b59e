"""The audit of a serving log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skewcheck.cli.common import FormatOption, RepoOption, find_services, load_repository
from skewcheck.errors import StateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skewcheck.audit import Options
    from skewcheck.verdict import Verdict


def audit(
    context: typer.Context,
    log: Annotated[
        str | None, typer.Argument(metavar="LOG", help="A folder of Parquet files, one file, or a quoted glob.")
    ] = None,
    named_log: Annotated[str | None, typer.Option("--log", help="The same, as an option.")] = None,
    function: Annotated[
        str | None,
        typer.Option(
            "--replay",
            metavar="MODULE:FUNCTION",
            help="Replay through this function of a table, or fitted scikit-learn pipeline, and not a declaration.",
        ),
    ] = None,
    frame: Annotated[
        str | None, typer.Option(help="With --replay: give the function pandas or arrow, where it does not say.")
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option("--feature", help="With --replay: a column of the log that is a feature; may be repeated."),
    ] = None,
    service: Annotated[str | None, typer.Option(help="The service, where the log does not say.")] = None,
    repo: RepoOption = Path(),
    stages: Annotated[
        str, typer.Option(help="The cuts to make, of: retrieval, transform, end_to_end.")
    ] = "retrieval,transform,end_to_end",
    out: Annotated[Path | None, typer.Option(help="Write <service>.json and <service>.html into this folder.")] = None,
    output: FormatOption = "table",
    samples: Annotated[int, typer.Option(min=0, help="Differing rows to show of each feature.")] = 5,
    tolerance: Annotated[
        float, typer.Option(help="Relative tolerance for numbers, for a service that runs other code, such as 1e-12.")
    ] = 0.0,
    rename: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN where the log calls a column otherwise, such as amount=amt; may be repeated."),
    ] = None,
    assume_utc: Annotated[bool, typer.Option("--assume-utc", help="Read times without a zone as UTC.")] = False,
    delay: Annotated[
        list[str] | None,
        typer.Option(metavar="VIEW=TIME", help="The delay with which training reads a view: weather=2h."),
    ] = None,
    trainset: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Read views with the delays that this training set was made with."),
    ] = None,
    ignore_unreadable: Annotated[
        bool, typer.Option("--ignore-unreadable", help="Give a verdict on the rest where a file cannot be read.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain/--no-explain", help="Seek why features are skewed.")] = True,
    redact: Annotated[
        bool, typer.Option("--redact", help="Leave out what single requests hold: samples, and values in causes.")
    ] = False,
) -> None:
    """Replay a serving log through the training path and say which features differ, how often, and at which stage."""
    from skewcheck.audit import Options
    from skewcheck.audit import audit as audit_log
    from skewcheck.files import make_folder
    from skewcheck.report.formats import check_format, print_report
    from skewcheck.report.machine import write_reports
    from skewcheck.store.delays import parse_delays
    from skewcheck.store.repository import find_root

    check_format(output)
    if (log is None) == (named_log is None):
        raise typer.BadParameter("one log is audited: give it as LOG or with --log", ctx=context)
    log = log or named_log or ""
    root = Path() if function is not None else find_root(repo)
    options = Options(
        stages=tuple(stage.strip() for stage in stages.split(",") if stage.strip()),
        samples=samples,
        tolerance=tolerance,
        renamed=dict(_split_pair(pair) for pair in rename or ()),
        assume_utc=assume_utc,
        ignore_unreadable=ignore_unreadable,
        delays=parse_delays(delay or ()),
        explain=explain,
        redact=redact,
    )
    if out:
        make_folder(out)
    if function is not None:
        if trainset is not None:
            raise UsageError(
                "--trainset is of a declared service, and --replay takes none",
                remedy="Leave one of them out.",
            )
        verdict = _audit_function(log, function, frame, features or (), options)
    else:
        generated = _find_generated(root, service, log)
        if trainset is not None:
            options = _train_alike(options, trainset, generated)
        options = replace(options, delays={**_read_frozen_delays(generated), **options.delays})
        verdict = audit_log(log, generated, lambda: load_repository(root), options)
    paths = write_reports(verdict, out) if out else None
    print_report(verdict, output, page=paths.page if paths else None)
    raise typer.Exit(verdict.exit_code)


def _read_frozen_delays(generated: Path) -> dict[str, timedelta]:
    """The delays that the statistics were fitted with; none where there is no state, of which the audit speaks."""
    from skewcheck.fit.state import read_state

    try:
        return read_state(generated / "state.json").delays
    except StateError:
        return {}


def _train_alike(options: Options, trainset: Path, generated: Path) -> Options:
    """The options with the delays that a training set was made with; a delay that is named otherwise comes first."""
    from skewcheck.contracts import Problem
    from skewcheck.generate.manifest import read_manifest
    from skewcheck.store.training_set import read_training_set

    record, manifest = read_training_set(trainset, generated.name), read_manifest(generated / "manifest.json")
    delays = {view: timedelta(seconds=seconds) for view, seconds in record.delay_seconds.items()}
    problems = []
    if record.definition != manifest.definition:
        found, expected = record.definition[:12], manifest.definition[:12]
        problems.append(
            Problem(
                "warning",
                str(trainset),
                f"was made with another declaration (definition {found}) than the one that is replayed ({expected})",
                "Write it anew with `skewcheck trainset`, or audit with the code that it was made with.",
            )
        )
    return replace(options, delays={**delays, **options.delays}, problems=tuple(problems))


def _audit_function(log: str, function: str, frame: str | None, features: Sequence[str], options: Options) -> Verdict:
    """Audit against a training function instead of a declaration."""
    from skewcheck.compare.function_audit import audit_function
    from skewcheck.compare.training_function import load_function

    if frame not in {None, "pandas", "arrow"}:
        raise UsageError(f"--frame {frame}: there is no such frame", remedy="Give pandas or arrow.")
    loaded = load_function(function, "arrow" if frame == "arrow" else "pandas" if frame else None)
    return audit_function(log, loaded, options, features=features)


def _find_generated(root: Path, service: str | None, log: str) -> Path:
    """The generated code of the service that was named, that wrote the log, or that is the only one."""
    from skewcheck.serving.reader import open_log
    from skewcheck.store.repository import generated_directory

    known = list(find_services(root))
    name = service or (known[0] if len(known) == 1 else open_log(log, ignore_unreadable=True).service)
    if name in known and name is not None:
        return generated_directory(root, name)
    if not known:
        raise StateError(
            f"there is no generated code under {root / 'codegen'}",
            remedy="Run `skewcheck fit` and `skewcheck generate` first.",
        )
    wanted = "no service is named" if name is None else f"service {name!r} has no generated code"
    raise UsageError(f"{wanted}; {root / 'codegen'} has: {', '.join(known)}", remedy="Name one with --service.")


def _split_pair(pair: str) -> tuple[str, str]:
    name, sign, column = pair.partition("=")
    if not (name and sign and column):
        raise UsageError(f"--rename {pair}: expected NAME=COLUMN", remedy="Such as --rename feature.age=customer_age.")
    return name, column

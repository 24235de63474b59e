"""The audit of a serving log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skewcheck.cli.common import RepoOption, find_services, load_repository
from skewcheck.errors import UsageError


def audit(
    log: Annotated[str, typer.Argument(metavar="LOG", help="A folder of Parquet files, one file, or a quoted glob.")],
    service: Annotated[str | None, typer.Option(help="The service, where the log does not say.")] = None,
    repo: RepoOption = Path(),
    stages: Annotated[
        str, typer.Option(help="The cuts to make, of: retrieval, transform, end_to_end.")
    ] = "retrieval,transform,end_to_end",
    out: Annotated[Path | None, typer.Option(help="Write <service>.json and <service>.html into this folder.")] = None,
    output: Annotated[str, typer.Option("--format", help="What to print: table or json.")] = "table",
    samples: Annotated[int, typer.Option(min=0, help="Differing rows to show of each feature.")] = 5,
    tolerance: Annotated[
        float, typer.Option(help="Relative tolerance for numbers, for a service that runs other code, such as 1e-12.")
    ] = 0.0,
    rename: Annotated[
        list[str] | None,
        typer.Option(help="NAME=COLUMN where the log calls a column otherwise, such as amount=amt; may be repeated."),
    ] = None,
    assume_utc: Annotated[bool, typer.Option("--assume-utc", help="Read times without a zone as UTC.")] = False,
    ignore_unreadable: Annotated[
        bool, typer.Option("--ignore-unreadable", help="Give a verdict on the rest where a file cannot be read.")
    ] = False,
) -> None:
    """Replay a serving log through the training path and say which features differ, how often, and at which stage."""
    from skewcheck.audit import Options
    from skewcheck.audit import audit as audit_log
    from skewcheck.files import make_folder
    from skewcheck.report.machine import write_reports
    from skewcheck.report.terminal import print_verdict
    from skewcheck.store.repository import find_root

    if output not in {"table", "json"}:
        raise UsageError(f"--format {output}: there is no such format", remedy="Give table or json.")
    root = find_root(repo)
    options = Options(
        stages=tuple(stage.strip() for stage in stages.split(",") if stage.strip()),
        samples=samples,
        tolerance=tolerance,
        renamed=dict(_split_pair(pair) for pair in rename or ()),
        assume_utc=assume_utc,
        ignore_unreadable=ignore_unreadable,
    )
    if out:
        make_folder(out)
    verdict = audit_log(log, _find_generated(root, service, log), lambda: load_repository(root), options)
    paths = write_reports(verdict, out) if out else None
    if output == "json":
        sys.stdout.write(verdict.to_json())
    else:
        print_verdict(verdict, Console(highlight=False), report_path=paths.page if paths else None)
    raise typer.Exit(verdict.exit_code)


def _find_generated(root: Path, service: str | None, log: str) -> Path:
    """The generated code of the service that was named, that wrote the log, or that is the only one."""
    from skewcheck.serving.reader import open_log
    from skewcheck.store.repository import generated_directory

    known = list(find_services(root))
    name = service or (known[0] if len(known) == 1 else open_log(log, ignore_unreadable=True).service)
    if name in known and name is not None:
        return generated_directory(root, name)
    wanted = "no service is named" if name is None else f"service {name!r} has no generated code"
    raise UsageError(
        f"{wanted}; {root / 'codegen'} has: {', '.join(known) or 'nothing'}",
        remedy="Name one with --service." if known else "Run `skewcheck fit` and `skewcheck generate` first.",
    )


def _split_pair(pair: str) -> tuple[str, str]:
    name, sign, column = pair.partition("=")
    if not (name and sign and column):
        raise UsageError(f"--rename {pair}: expected NAME=COLUMN", remedy="Such as --rename feature.age=customer_age.")
    return name, column

"""The command that keeps windows fresh: materialise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from skewcheck.cli.common import RepoOption, ServicesArgument, load_repository, shorten
from skewcheck.errors import UsageError

if TYPE_CHECKING:
    from skewcheck.store.repository import Repository


def materialise(
    service: ServicesArgument = None,
    repo: RepoOption = Path(),
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="As of this instant, such as 2024-03-01T12:00; now otherwise.")
    ] = None,
    tile: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Keep parts of this length, such as 1d, and compute anew only those whose events have changed.",
        ),
    ] = None,
    to_file: Annotated[
        bool,
        typer.Option("--to-file", help="Write the file that `feast materialize` reads, and not the online store."),
    ] = False,
) -> None:
    """Write the windows of every key, as of an instant, to Feast's online store."""
    from skewcheck.store.materialising import materialise as write_file
    from skewcheck.store.materialising import publish
    from skewcheck.store.tiles import tiles_folder
    from skewcheck.store.training import read_instant

    now = datetime.now(UTC)
    instant = read_instant(until, "until") or now
    if instant > now:
        raise UsageError(
            f"--until {until} is still to come", remedy="Give an instant that has passed, or leave it out."
        )
    _check_tile(tile)
    repository = load_repository(repo)
    console = Console(highlight=False)
    for windows in _find_windows(repository, service):
        count = (write_file if to_file else publish)(repository, windows, instant, tile=tile)
        where = shorten(repository.root / windows.path) if to_file else "the online store"
        lines = [f"{windows.name}: wrote {count:,} key{'' if count == 1 else 's'} to {where}, as of {_print(instant)}"]
        if tile is not None:
            lines.append(f"  wrote {shorten(tiles_folder(repository, windows))}")
        console.print("\n".join(lines), markup=False, soft_wrap=True)


def _find_windows(repository: Repository, service: str | None) -> list[Any]:
    """The windows that a service reads, or every service: each once."""
    services = [repository.service(service)] if service else repository.services.values()
    found = {name: windows for one in services for name, windows in one.sources.windows.items()}
    if not found:
        who = f"service {service}" if service else f"no service of {repository.root / 'features'}"
        raise UsageError(
            f"{who} reads {'no' if service else 'any'} windows",
            remedy="Declare them with sk.windows; bring other views to the online store with `feast materialize`.",
        )
    return [found[name] for name in sorted(found)]


def _check_tile(tile: str | None) -> None:
    from skewcheck.language.windows.durations import parse_duration

    if tile is None:
        return
    try:
        parse_duration(tile)
    except ValueError as error:
        raise UsageError(f"--tile {tile}: {error}", remedy="Write it as in --tile 1d.") from error


def _print(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds" if instant.microsecond else "seconds").replace("+00:00", "Z")

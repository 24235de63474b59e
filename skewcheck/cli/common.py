"""What several commands share: their arguments, and how a repo is found and loaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skewcheck.errors import UsageError
from skewcheck.report.formats import FORMAT_HELP

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service
    from skewcheck.store.repository import Repository

ServiceArgument = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="The service; not needed where there is only one.")
]
ServicesArgument = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="The service; every one where none is named.")
]
FormatOption = Annotated[str, typer.Option("--format", help=FORMAT_HELP)]
RepoOption = Annotated[Path, typer.Option("--repo", help="The feature repo, or a folder inside it.")]


def load_repository(repo: Path) -> Repository:
    """The feature repo that holds a folder; loads Feast."""
    from skewcheck.store import repository as store

    repository = store.load_repository(store.find_root(repo))
    silence_libraries()  # again: Feast sets filters of its own when it is imported
    return repository


def load_service(repo: Path, service: str | None) -> tuple[Repository, Service]:
    """The repo and one of its services: the one that is named, or the only one."""
    repository = load_repository(repo)
    return repository, repository.service(service)


def generate_code(repository: Repository, service: Service) -> Any:
    """The code that the declaration and the frozen state of a service give."""
    from skewcheck.fit.state import read_state
    from skewcheck.generate.generation import generate as generate_service
    from skewcheck.store.repository import generated_directory

    state = read_state(generated_directory(repository.root, service.name) / "state.json")
    return generate_service(service, state, repository.places, repository.view_keys(service))


def find_services(repo: Path) -> dict[str, Path]:
    """The folders of a repo's generated services by name; none outside a repo."""
    from skewcheck.store.repository import find_root

    try:
        root = find_root(repo)
    except UsageError:
        return {}
    return {path.parent.name: path.parent for path in sorted((root / "codegen").glob("*/manifest.json"))}


def shorten(path: Path) -> Path:
    """A path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def silence_libraries() -> None:
    """Keep warnings about the insides of libraries off the terminal."""
    warnings.filterwarnings("ignore", module=r"(feast|ibis|pydantic)(\..*)?")

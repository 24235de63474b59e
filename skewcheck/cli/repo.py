"""Commands that make a feature repo and bring it to Feast: init, generate, apply."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skewcheck.cli.common import (
    RepoOption,
    ServicesArgument,
    generate_code,
    load_repository,
    shorten,
)
from skewcheck.errors import StateError


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make; it must be new, or empty but for .git.")
    ],
) -> None:
    """Write a small working feature repo: declarations, data, and a service that logs what it serves."""
    from skewcheck.scaffold import next_step, write_repository

    console = Console(highlight=False)
    for path in write_repository(directory):
        console.print(f"  wrote {path}", markup=False, soft_wrap=True)
    console.print(next_step(directory), markup=False, soft_wrap=True)


def generate(
    service: ServicesArgument = None,
    repo: RepoOption = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where the committed code is stale.")
    ] = False,
) -> None:
    """Turn declaration and state into the code under codegen/ that training and serving share."""
    from skewcheck.store.repository import generated_directory

    console = Console(highlight=False)
    stale = 0
    repository = load_repository(repo)
    for chosen in [repository.service(service)] if service else repository.services.values():
        generated = generate_code(repository, chosen)
        directory = generated_directory(repository.root, chosen.name)
        changed = generated.stale(directory)
        stale += len(changed)
        if not check:
            generated.write(directory)
        verb = "is stale" if check else "wrote"
        paths = [shorten(directory / name) for name in changed]
        lines = [f"  {path} {verb}" if check else f"  {verb} {path}" for path in paths]
        lines += [f"  {feature} (opaque) calls {', '.join(names)}" for feature, names in generated.opaque.items()]
        console.print(
            "\n".join([f"{chosen.name}: {'up to date' if not changed else ''}".rstrip(), *lines]),
            markup=False,
            soft_wrap=True,
        )
    if check and stale:
        Console(stderr=True, highlight=False).print("Run `skewcheck generate` and commit what it writes.", markup=False)
        raise typer.Exit(1)


def apply(service: ServicesArgument = None, repo: RepoOption = Path()) -> None:
    """Register the generated code with Feast, read it back, and run it on the golden rows."""
    from skewcheck.store.register import register
    from skewcheck.store.repository import generated_directory

    console = Console(highlight=False)
    repository = load_repository(repo)
    for chosen in [repository.service(service)] if service else repository.services.values():
        stale = generate_code(repository, chosen).stale(generated_directory(repository.root, chosen.name))
        if stale:
            raise StateError(
                f"the generated code of {chosen.name} is stale: {', '.join(stale)}", remedy="Run `skewcheck generate`."
            )
        manifest = register(repository, chosen)
        features = f"{len(manifest.features)} feature{'' if len(manifest.features) == 1 else 's'}"
        console.print(
            f"{chosen.name}: registered {features}, read back and checked on the golden rows "
            f"(definition {manifest.definition[:12]}, state {manifest.state[:12]})",
            markup=False,
            soft_wrap=True,
        )

"""The command line. A command loads what it needs and nothing else, so that `--help` is quick."""

from __future__ import annotations

import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from skewcheck.errors import SkewcheckError, StateError, UsageError

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service
    from skewcheck.store.repository import Repository

app = typer.Typer(
    name="skewcheck",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 clean, 1 the check failed, 2 wrong usage, 3 could not complete.",
)

ServiceArgument = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="The service; not needed where there is only one.")
]
ServicesArgument = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="The service; every one where none is named.")
]
RepoOption = Annotated[Path, typer.Option("--repo", help="The feature repo, or a folder inside it.")]


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"skewcheck {version('skewcheck')}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Declare a feature once, run it in training and serving, and find out which served values differ."""


@app.command()
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


@app.command()
def fit(
    service: ServiceArgument = None,
    repo: RepoOption = Path(),
    entities: Annotated[
        str | None, typer.Option(help="Training rows (Parquet), where not those that the declaration names.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day that counts, such as 2013-01-01.")] = None,
    end: Annotated[str | None, typer.Option(help="First day that no longer counts.")] = None,
    known_by: Annotated[str | None, typer.Option(help="Leave out rows whose label became known later; now.")] = None,
    training_set: Annotated[
        Path | None, typer.Option(help="Keep the training rows, with the store's values, in this Parquet file.")
    ] = None,
) -> None:
    """Compute every statistic that the features need over the training rows, and freeze it in state.json."""
    import tempfile

    from skewcheck.fit.fitting import fit as fit_service
    from skewcheck.store.repository import generated_directory
    from skewcheck.store.training import retrieve_training_set

    console = Console(highlight=False)
    repository, chosen = _load(repo, service)
    with tempfile.TemporaryDirectory() as folder:
        path = training_set or Path(folder) / "training.parquet"
        rows = retrieve_training_set(
            repository, chosen, path, entities=entities, start=start, end=end, known_by=known_by
        )
        state = fit_service(chosen, path, rows.sources)
    target = generated_directory(repository.root, chosen.name) / "state.json"
    state.write(target)
    training = state.training
    span = f" ({training['first']} to {training['last']})" if training["first"] is not None else ""
    immature = f"\n  left out {rows.immature:,} rows whose label was not yet known" if rows.immature else ""
    fitted = f"{len(state.statistics)} operator{'' if len(state.statistics) == 1 else 's'}"
    console.print(
        f"{chosen.name}: fitted {fitted} to {training['kept']:,} of {training['rows']:,} training rows"
        f"{span}{immature}\n  wrote {_shorten(target)} (state {state.hash[:12]})",
        markup=False,
        soft_wrap=True,
    )


@app.command()
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
    repository = _load_repository(repo)
    for chosen in [repository.service(service)] if service else repository.services.values():
        generated = _generate(repository, chosen)
        directory = generated_directory(repository.root, chosen.name)
        changed = generated.stale(directory)
        stale += len(changed)
        if not check:
            generated.write(directory)
        verb = "is stale" if check else "wrote"
        paths = [_shorten(directory / name) for name in changed]
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


@app.command()
def apply(service: ServicesArgument = None, repo: RepoOption = Path()) -> None:
    """Register the generated code with Feast, read it back, and run it on the golden rows."""
    from skewcheck.store.register import register
    from skewcheck.store.repository import generated_directory

    console = Console(highlight=False)
    repository = _load_repository(repo)
    for chosen in [repository.service(service)] if service else repository.services.values():
        stale = _generate(repository, chosen).stale(generated_directory(repository.root, chosen.name))
        if stale:
            raise StateError(
                f"the generated code of {chosen.name} is stale: {', '.join(stale)}", remedy="Run `skewcheck generate`."
            )
        manifest = register(repository, chosen)
        console.print(
            f"{chosen.name}: registered {len(manifest.features)} features, read back and checked on the golden rows "
            f"(definition {manifest.definition[:12]}, state {manifest.state[:12]})",
            markup=False,
            soft_wrap=True,
        )


@app.command()
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
    verdict = audit_log(log, _find_generated(root, service, log), lambda: _load_repository(root), options)
    paths = write_reports(verdict, out) if out else None
    if output == "json":
        sys.stdout.write(verdict.to_json())
    else:
        print_verdict(verdict, Console(highlight=False), report_path=paths.page if paths else None)
    raise typer.Exit(verdict.exit_code)


@app.command()
def operators(
    output: Annotated[str, typer.Option("--format", help="What to print: table, json or markdown.")] = "table",
) -> None:
    """List the operators of the language: what each means, where it runs, and whether engines agree bit for bit."""
    from skewcheck.reference import list_operators, print_json, print_markdown, print_table

    entries = list_operators()
    if output == "table":
        print_table(entries, Console(highlight=False))
    elif output in {"json", "markdown"}:
        sys.stdout.write(print_json(entries) if output == "json" else print_markdown(entries))
    else:
        raise UsageError(f"--format {output}: there is no such format", remedy="Give table, json or markdown.")


@app.command()
def parity(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[OPERATOR|SERVICE]...", help="What to compare; everything if none.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows for Python against DuckDB.")] = 10_000,
    spark_rows: Annotated[int, typer.Option(min=1, help="Rows for Python against Spark, at most --rows.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Another seed gives other rows.")] = 1,
    engines: Annotated[
        str | None, typer.Option(help="Of duckdb, spark; Spark is compared where it is installed.")
    ] = None,
    repo: RepoOption = Path(),
) -> None:
    """Run every operator and generated service through all engines on hard values, and count where they differ."""
    from skewcheck.parity.command import compare_engines

    failed = compare_engines(
        names or [],
        _find_services(repo),
        rows=rows,
        spark_rows=min(rows, spark_rows),
        seed=seed,
        engines=None if engines is None else [engine.strip() for engine in engines.split(",")],
    )
    raise typer.Exit(1 if failed else 0)


def main() -> None:
    """Run the command line; an error of ours is printed as its message, and ends with its exit code."""
    _silence_libraries()
    try:
        app()
    except SkewcheckError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        # Python's own 1 would read as a check that ran and failed.
        traceback.print_exc()
        sys.exit(3)


def _load_repository(repo: Path) -> Repository:
    from skewcheck.store.repository import find_root, load_repository

    repository = load_repository(find_root(repo))
    _silence_libraries()  # again: Feast sets filters of its own when it is imported
    return repository


def _silence_libraries() -> None:
    warnings.filterwarnings("ignore", module=r"(feast|ibis|pydantic)(\..*)?")


def _shorten(path: Path) -> Path:
    """A path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _load(repo: Path, service: str | None) -> tuple[Repository, Service]:
    repository = _load_repository(repo)
    return repository, repository.service(service)


def _generate(repository: Repository, service: Service) -> Any:
    from skewcheck.fit.state import read_state
    from skewcheck.generate.generation import generate as generate_service
    from skewcheck.store.repository import generated_directory

    state = read_state(generated_directory(repository.root, service.name) / "state.json")
    return generate_service(service, state, repository.places, repository.view_keys(service))


def _find_services(repo: Path) -> dict[str, Path]:
    """The folders of a repo's generated services by name; none outside a repo."""
    from skewcheck.store.repository import find_root

    try:
        root = find_root(repo)
    except UsageError:
        return {}
    return {path.parent.name: path.parent for path in sorted((root / "codegen").glob("*/manifest.json"))}


def _find_generated(root: Path, service: str | None, log: str) -> Path:
    """The generated code of the service that was named, that wrote the log, or that is the only one."""
    from skewcheck.serving.reader import open_log
    from skewcheck.store.repository import generated_directory

    known = list(_find_services(root))
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

"""Commands about training: fit, trainset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.console import Console

from skewcheck.cli.common import RepoOption, ServiceArgument, load_service, shorten
from skewcheck.errors import UsageError

if TYPE_CHECKING:
    from skewcheck.store.training_set import TrainingSetRecord

EntitiesOption = Annotated[
    str | None, typer.Option(help="Training rows (Parquet), where not those that the declaration names.")
]
StartOption = Annotated[str | None, typer.Option(help="First day that counts, such as 2013-01-01.")]
EndOption = Annotated[str | None, typer.Option(help="First day that no longer counts.")]
KnownByOption = Annotated[str | None, typer.Option(help="Leave out rows whose label became known later; now.")]
DelayOption = Annotated[
    list[str] | None,
    typer.Option(metavar="VIEW=TIME", help="How much later than known rows of a view reach serving: weather=2h."),
]
AsOfOption = Annotated[
    str,
    typer.Option(
        help="From when on a row of the store counts: known (happened and created) or event (happened, whatever was "
        "created later). What event changes, the leakage guard refuses."
    ),
]


def fit(
    service: ServiceArgument = None,
    repo: RepoOption = Path(),
    entities: EntitiesOption = None,
    start: StartOption = None,
    end: EndOption = None,
    known_by: KnownByOption = None,
    delay: DelayOption = None,
    as_of: AsOfOption = "known",
    training_set: Annotated[
        Path | None, typer.Option(help="Keep the training rows, with the store's values, in this Parquet file.")
    ] = None,
) -> None:
    """Compute every statistic that the features need over the training rows, and freeze it in state.json."""
    import shutil
    import tempfile

    from skewcheck.files import place_file
    from skewcheck.fit.fitting import fit as fit_service
    from skewcheck.store.delays import parse_delays
    from skewcheck.store.leakage import find_leaks, refuse_leaks
    from skewcheck.store.repository import generated_directory
    from skewcheck.store.training import retrieve_training_set

    console = Console(highlight=False)
    delays, counted = parse_delays(delay or ()), _read_as_of(as_of)
    repository, chosen = load_service(repo, service)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "training.parquet"
        rows = retrieve_training_set(
            repository,
            chosen,
            path,
            entities=entities,
            start=start,
            end=end,
            known_by=known_by,
            delays=delays,
            as_of=counted,
        )
        state = fit_service(chosen, path, rows.sources, delays)
        guard = find_leaks(repository, chosen, state, rows)
        refuse_leaks(guard, rows)
        if training_set:
            with place_file(training_set) as beside:
                shutil.copyfile(path, beside)
    target = generated_directory(repository.root, chosen.name) / "state.json"
    state.write(target)
    training = state.training
    span = f" ({training['first']} to {training['last']})" if training["first"] is not None else ""
    immature = f"\n  left out {rows.immature:,} rows whose label was not yet known" if rows.immature else ""
    fitted = f"{len(state.statistics)} operator{'' if len(state.statistics) == 1 else 's'}"
    console.print(
        f"{chosen.name}: fitted {fitted} to {training['kept']:,} of {training['rows']:,} training rows"
        f"{span}{immature}\n  wrote {shorten(target)} (state {state.hash[:12]})",
        markup=False,
        soft_wrap=True,
    )


def trainset(
    out: Annotated[Path, typer.Option(help="The folder to write: new, empty, or an earlier training set.")],
    service: ServiceArgument = None,
    repo: RepoOption = Path(),
    entities: EntitiesOption = None,
    row_id: Annotated[
        str | None, typer.Option(help="The column that tells rows apart; their place in the file otherwise.")
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    known_by: KnownByOption = None,
    delay: DelayOption = None,
    as_of: AsOfOption = "known",
    folds: Annotated[int, typer.Option(min=2, help="Folds, where a feature learns from labels.")] = 5,
) -> None:
    """Write features to train on, as the store knew them at the time, labels apart, and refuse what leaks."""
    from skewcheck.store.delays import parse_delays
    from skewcheck.store.training_set import write_training_set

    delays, counted = parse_delays(delay or ()), _read_as_of(as_of)
    repository, chosen = load_service(repo, service)
    record = write_training_set(
        repository,
        chosen,
        out,
        entities=entities,
        row_id=row_id,
        start=start,
        end=end,
        known_by=known_by,
        delays=delays,
        as_of=counted,
        folds=folds,
    )
    Console(highlight=False).print("\n".join(_tell(record, out)), markup=False, soft_wrap=True)


def _tell(record: TrainingSetRecord, out: Path) -> list[str]:
    """What was written, in lines."""
    span = f" ({record.first} to {record.last})" if record.first is not None else ""
    features = f"{len(record.features)} feature{'' if len(record.features) == 1 else 's'}"
    lines = [f"{record.service}: {features} of {record.kept:,} of {record.read:,} training rows{span}"]
    if record.immature:
        lines.append(f"  left out {record.immature:,} rows whose label was not yet known")
    if record.dropped:
        rules = ", ".join(f"{name} {count:,}" for name, count in record.dropped_by.items() if count)
        lines.append(f"  the filter dropped {record.dropped:,} rows: {rules}")
    if record.guard["cut"] or record.guard["compared"]:
        lines.append(f"  the leakage guard found nothing ({_tell_guard(record.guard)})")
    if record.guard["unchecked"]:
        names = ", ".join(record.guard["unchecked"])
        lines.append(f"  the leakage guard cannot look behind {names}, which Feast joins")
    for view, times in record.guard["blind"].items():
        unread = f"; its files have the times {', '.join(times)}" if times else ""
        lines.append(f"  view {view} has no created time: its rows count from their event time on{unread}")
    if not record.fitted_to_these_rows:
        lines.append(
            "  the statistics were fitted to other rows, or to other values of them; run `skewcheck fit` with the same "
            "options"
        )
    lines.append(f"  wrote {shorten(out / record.files[0])}, {', '.join(record.files[1:])}")
    return lines


def _tell_guard(guard: dict[str, Any]) -> str:
    parts = [f"{guard['compared']:,} rows compared with what was known"] if guard["compared"] else []
    parts.append(f"{guard['cut']:,} rows asked again of sources cut at {guard['instants']} instants")
    return ", ".join(parts)


def _read_as_of(text: str) -> Literal["known", "event"]:
    if text not in {"known", "event"}:
        raise UsageError(f"--as-of {text}: there is no such choice", remedy="Give known or event.")
    return cast("Literal['known', 'event']", text)

"""The diff as one sequence: two versions, each loaded apart, compared, measured, judged (room: changes)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from skewcheck.changes.caching import Cache
from skewcheck.changes.cases import save_cases
from skewcheck.changes.comparing import compare_services
from skewcheck.changes.configuration import Configuration, read_configuration, waive
from skewcheck.changes.feature_level import location_of
from skewcheck.changes.generated import read_folder
from skewcheck.changes.impact import find_impact, find_pinned, read_models, read_registry, report_pinned
from skewcheck.changes.loading import Checkout, load_snapshots
from skewcheck.changes.references import Git, Reference
from skewcheck.changes.rules import keep_selected, make_finding, select_rules
from skewcheck.changes.sizing import measure, open_data
from skewcheck.changes.snapshot import DeclaredService, Snapshot
from skewcheck.changes.values import Effort, Pair
from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding, Side, Size, Stage, decide
from skewcheck.language.expressions import render

REMEDY = "Name two versions that both declare features."


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    Attributes:
        rows: Hard rows to run on every engine where nothing is proved.
        budget: Seconds for running features; what it cuts short is unknown. None is no limit.
        select: Rules and groups that apply, where not those that the configuration says.
        ignore: Rules that do not apply, beside those of the configuration.
        log: A serving log to measure on.
        data: A Parquet or CSV file to measure on.
        models: A manifest of models, where not the one that the configuration names.
        registry: The address of an MLflow registry.
        cache: Where results are kept; None for nowhere.
        save: The feature repo to save witnesses in as regression cases; None for nowhere.
        today: The day by which waivers expire.
    """

    rows: int = 10_000
    budget: float | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    log: str | None = None
    data: str | None = None
    models: Path | None = None
    registry: str | None = None
    cache: Path | None = None
    save: Path | None = None
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


@dataclass(frozen=True, slots=True)
class Beside:
    """What other checks found, to be judged together with the changes."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two versions: how it was named, its commit, what it declares, and where its settings are."""

    name: str
    commit: str | None
    snapshot: Snapshot
    folders: tuple[Path, ...] = ()

    @property
    def side(self) -> Side:
        """What the verdict says of it."""
        return Side(self.name, self.commit, sum(len(service.features) for service in self.snapshot.services.values()))


def diff_range(root: Path, text: str, options: Options) -> DiffVerdict:
    """Compare two versions of the feature repo in a folder, as a range names them.

    Args:
        root: The feature repo in the working folder.
        text: `OLD..NEW`, `OLD...NEW`, or `OLD` to compare with the working folder.
        options: How to compare.

    Raises:
        UsageError: A version, rule, file or setting is named that is not there, or a waiver is refused.
        SkewcheckError: A version cannot be checked out or loaded.
    """
    check_options(options)
    git = Git(root)
    old, new = git.read_range(text)
    with check_out(git, root, (old, new)) as checkouts:
        snapshots = load_snapshots(checkouts)
        versions = [
            Version(reference.name, reference.commit, snapshot, (checkout.find_repository(), checkout.top))
            for reference, snapshot, checkout in zip((old, new), snapshots, checkouts, strict=True)
        ]
        return diff_versions(versions[0], versions[1], read_configuration(versions[1].folders), options)


def diff_folders(old: Path, new: Path, options: Options) -> DiffVerdict:
    """Compare two folders of generated code; of what they hold, opaque functions alone are run.

    Raises:
        UsageError: One of them holds none, or a rule is named that is not there.
        SkewcheckError: A file is missing, was changed by hand, or cannot be read.
    """
    versions = [
        Version(str(folder), None, read_folder(folder), (folder, *folder.resolve().parents)) for folder in (old, new)
    ]
    verdict = diff_versions(versions[0], versions[1], read_configuration(versions[1].folders), options)
    said = "generated code does not hold the settings of views and training sets: they were not compared"
    return replace(verdict, problems=(*verdict.problems, Problem("warning", str(new), said)))


def check_options(options: Options) -> None:
    """Refuse what cannot be meant before anything is loaded.

    Raises:
        UsageError: A rule or file is named that is not there.
        SkewcheckError: The rows to measure on cannot be read, or there are none.
    """
    select_rules(options.select, options.ignore)
    if options.models is not None:
        read_models(options.models)
    if options.log is not None or options.data is not None:
        open_data(options.log, options.data)


@contextmanager
def check_out(git: Git, root: Path, references: Sequence[Reference]) -> Iterator[list[Checkout]]:
    """Every version in a folder of its own; the working folder is where it is."""
    within = root.resolve().relative_to(git.root.resolve()).as_posix()
    with ExitStack() as stack:
        places = [
            git.root if reference.commit is None else stack.enter_context(git.check_out(reference.commit))
            for reference in references
        ]
        yield [Checkout(reference.name, place, within) for reference, place in zip(references, places, strict=True)]


def diff_versions(
    old: Version, new: Version, configuration: Configuration, options: Options, beside: Beside | None = None
) -> DiffVerdict:
    """Compare two versions that are loaded.

    Args:
        old: The old version.
        new: The new version.
        configuration: The team's settings.
        options: How to compare.
        beside: What else was found and is to be judged together with the changes.

    Raises:
        UsageError: A rule is named that is not there, or a file cannot be read.
        SkewcheckError: The data that is given has no rows or cannot be read.
    """
    rules = select_rules(options.select or configuration.select, (*configuration.ignore, *options.ignore))
    before, after = old.snapshot, new.snapshot
    beside = beside or Beside()
    problems: list[Problem] = [*beside.problems]
    cut: list[str] = []
    effort = Effort(options.rows, _make_clock(options.budget, cut), Cache(options.cache))
    features: list[FeatureChange] = []
    findings: list[Finding] = [*beside.findings]
    refit: list[str] = []
    stored: list[str] = []
    for name in sorted({*before.services, *after.services}):
        was, now = before.services.get(name), after.services.get(name)
        if was is None or now is None:
            changes, found = _compare_alone(was or now, gone=now is None)  # type: ignore[arg-type]
            features += changes
            findings += found
            continue
        compared = compare_services(was, now, before, after, effort)
        features += compared.features
        findings += compared.findings
        refit += [name] if compared.refit else []
        stored += compared.rematerialise
    features = _measure(features, before, after, options)
    if options.save is not None:
        features = save_cases(features, options.save)
    models = find_pinned(_list_models(configuration, new, options), before, after)
    findings += report_pinned(models, features)
    if cut:
        said = f"{len(cut)} comparisons were cut short after {options.budget:g} seconds: those features are unknown"
        problems.append(Problem("warning", "--budget", said, "Allow more, or none, to have them tested."))
    if not any(change.old_expression is not None for change in features):
        problems.append(Problem("error", old.name, f"{old.name} has no features: nothing was compared", REMEDY))
    kept = keep_selected(findings, rules)
    kept, remarks = waive(kept, configuration.waivers, options.today)
    problems += remarks
    return DiffVerdict(
        decide(kept, problems),
        old.side,
        new.side,
        tuple(sorted(features, key=lambda change: (change.service, change.name))),
        tuple(kept),
        find_impact(features, refit, stored, models),
        tuple(problems),
        tuple(beside.stages),
    )


def _make_clock(budget: float | None, cut: list[str]) -> Callable[[], bool]:
    """Says whether there is time left, and counts how often there was none."""
    end = None if budget is None else time.monotonic() + budget

    def may_test() -> bool:
        if end is None or time.monotonic() < end:
            return True
        cut.append("")
        return False

    return may_test


def _compare_alone(service: DeclaredService, *, gone: bool) -> tuple[list[FeatureChange], list[Finding]]:
    """The features of a service that is in one version only."""
    said = f"service {service.name} is {'gone' if gone else 'new'}"
    changes = [
        FeatureChange(
            service.name,
            feature.name,
            "breaking" if gone else "additive",
            reasons=(said,),
            location=location_of(feature),
            old_expression=render(feature.expression) if gone else None,
            new_expression=None if gone else render(feature.expression),
            action="retrain" if gone else "redeploy",
        )
        for feature in service.features
    ]
    if gone:
        return changes, [make_finding("SERVICE_NO_DELETE", "service", service.name, said, service=service.name)]
    names = ((change.name, change.location) for change in changes)
    return changes, [
        make_finding("FEATURE_ADDED", "feature", name, f"feature {name} is new", service=service.name, location=place)
        for name, place in names
    ]


def _measure(features: list[FeatureChange], before: Snapshot, after: Snapshot, options: Options) -> list[FeatureChange]:
    """The features with the size of their change, where rows to measure on are given."""
    if options.log is None and options.data is None:
        return features
    data = open_data(options.log, options.data)
    moved = [f for f in features if f.verdict == "values-changed" and f.new_expression and f.old_expression]
    sizes: dict[tuple[str, str], Size] = {}
    for name in sorted({feature.service for feature in moved}):
        was, now = before.services[name], after.services[name]
        pairs = []
        for feature in moved:
            old, new = was.feature(feature.name), now.feature(feature.name)
            if feature.service != name or old is None or new is None:
                continue
            if feature.witness is not None and feature.witness.old_inputs:
                note = "not measured: the rows that are given hold what one of the versions retrieved"
                sizes[name, feature.name] = Size(data.name, 0, 0, note=note)
            else:
                pairs.append(Pair(old, new, was, now))
        keys = sorted({key for view in now.keys.values() for key in view})
        sizes |= {(name, feature): size for feature, size in measure(pairs, data, keys).items()}
    return [replace(f, size=sizes.get((f.service, f.name))) for f in features]


def _list_models(configuration: Configuration, new: Version, options: Options) -> list[dict[str, object]]:
    models: list[dict[str, object]] = []
    if options.models is not None:
        models += read_models(options.models)
    elif configuration.models is not None:
        places = [folder / configuration.models for folder in new.folders]
        models += read_models(next((place for place in places if place.exists()), places[0]))
    if options.registry is not None:
        models += read_registry(options.registry)
    return models

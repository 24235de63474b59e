"""The diff that runs nothing: for branches of people who are not trusted (room: changes).

It can say that a feature is unchanged, that its documentation changed, that it is new or gone. Of everything else it
says that it does not know, and what it could not see.
"""

from __future__ import annotations

from pathlib import Path

from skewcheck.changes.configuration import Configuration, parse_configuration, waive
from skewcheck.changes.diffing import REMEDY, Options
from skewcheck.changes.impact import find_impact
from skewcheck.changes.libraries import parse_libraries
from skewcheck.changes.references import Git, Reference
from skewcheck.changes.rules import keep_selected, make_finding, select_rules
from skewcheck.changes.static_reading import KNOWN_PACKAGES, READERS, StaticFeature, StaticVersion, read_statically
from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding, Location, Side, decide
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.operator import REGISTRY, FittedOperator

_SETTINGS = {
    "ttl": "VIEW_SAME_TTL",
    "source.timestamp_field": "VIEW_SAME_TIMESTAMP",
    "source.created_timestamp_column": "VIEW_SAME_CREATED",
    "source.field_mapping": "VIEW_SAME_COLUMNS",
    "source": "VIEW_SAME_SOURCE",
    "entities": "VIEW_SAME_KEYS",
}
"""The rule of each setting of a view; the finer ones first."""

_FITTED = frozenset(name for name, cls in REGISTRY.items() if issubclass(cls, FittedOperator))
_IGNORED = (".md", ".txt", ".rst", ".png", ".svg", ".lock", ".toml")


class _Files:
    """The files of one version, by their paths from the repository's root on, with hashes of what is in them."""

    def __init__(self, git: Git, reference: Reference) -> None:
        self.git, self.commit = git, reference.commit
        self.hashes = git.list_files(reference.commit) if reference.commit else git.list_folder()

    def read(self, path: str) -> str | None:
        if path not in self.hashes:
            return None
        if self.commit is not None:
            return self.git.read_file(self.commit, path)
        try:
            return (self.git.root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


def diff_statically(root: Path, text: str, options: Options) -> DiffVerdict:
    """Compare two versions of a feature repo by their text alone.

    The settings and waivers are those of the old version: a branch that is not trusted does not waive its own findings.

    Raises:
        UsageError: A version or rule is named that is not there, or a waiver is refused.
        SkewcheckError: A version is not in the clone, or a file of it is no Python.
    """
    git = Git(root)
    references = git.read_range(text)
    within = root.resolve().relative_to(git.root.resolve()).as_posix()
    prefix = "" if within == "." else f"{within}/"
    old, new = (_Files(git, reference) for reference in references)
    before, after = (_read_version(files, prefix) for files in (old, new))
    configuration = _read_configuration(old, prefix)
    rules = select_rules(options.select or configuration.select, (*configuration.ignore, *options.ignore))
    surroundings = _Surroundings(old, new, prefix)
    features, findings = _compare(before, after, surroundings)
    problems = [Problem("warning", "--static-only", said) for said in _say_unseen(after, surroundings)]
    for reference, version in zip(references, (before, after), strict=True):
        if not version.features:
            said = f"{reference.name} has no feature in {prefix}features: nothing was compared"
            problems.append(Problem("error", reference.name, said, REMEDY))
    kept, remarks = waive(keep_selected(findings, rules), configuration.waivers, options.today)
    problems += remarks
    sides = [Side(r.name, r.commit, len(v.features)) for r, v in zip(references, (before, after), strict=True)]
    return DiffVerdict(
        decide(kept, problems),
        sides[0],
        sides[1],
        tuple(sorted(features, key=lambda change: (change.service, change.name))),
        tuple(kept),
        find_impact(features, (), (), ()),
        tuple(problems),
        static=True,
    )


class _Surroundings:
    """What lies around the declarations: statistics, libraries, other files."""

    def __init__(self, old: _Files, new: _Files, prefix: str) -> None:
        self.states = {
            path.removeprefix(f"{prefix}codegen/").partition("/")[0]
            for path in {*old.hashes, *new.hashes}
            if path.startswith(f"{prefix}codegen/")
            and path.endswith("/state.json")
            and old.hashes.get(path) != new.hashes.get(path)
        }
        self.files = sorted(
            path
            for path in {*old.hashes, *new.hashes}
            if old.hashes.get(path) != new.hashes.get(path)
            and not path.endswith((".py", *_IGNORED))
            and not path.startswith(f"{prefix}codegen/")
        )
        before, after = (parse_libraries(_dependency_texts(files, prefix)) for files in (old, new))
        names = sorted({*before, *after})
        self.libraries = [
            f"{name} is {after.get(name) or 'not named'} instead of {before.get(name) or 'not named'}"
            for name in names
            if before.get(name) != after.get(name)
        ]


def _dependency_texts(files: _Files, prefix: str) -> dict[str, str]:
    folders = dict.fromkeys(("", prefix))
    paths = [path for path in files.hashes for folder in folders if path.rpartition("/")[0] == folder.rstrip("/")]
    return {path.rpartition("/")[2]: files.read(path) or "" for path in paths}


def _read_version(files: _Files, prefix: str) -> StaticVersion:
    paths = [path for path in files.hashes if path.startswith(f"{prefix}features/") and path.endswith(".py")]
    return read_statically({path: files.read(path) or "" for path in paths}, prefix)


def _read_configuration(files: _Files, prefix: str) -> Configuration:
    for path in dict.fromkeys((f"{prefix}pyproject.toml", "pyproject.toml")):
        text = files.read(path)
        if text is not None and (found := parse_configuration(text, path)) is not None:
            return found
    return Configuration()


def _compare(
    old: StaticVersion, new: StaticVersion, surroundings: _Surroundings
) -> tuple[list[FeatureChange], list[Finding]]:
    changes: list[FeatureChange] = []
    findings = _compare_views(old, new)
    for key in sorted({*old.features, *new.features}):
        was, now = old.features.get(key), new.features.get(key)
        finding: Finding | None = None
        if was is None or now is None:
            change, finding = _report_alone(was, now)
        else:
            reasons = _find_reasons(was, now, old, new, surroundings)
            documented = was.documentation == now.documentation
            verdict = "unknown" if reasons else "unchanged" if documented else "metadata"
            place = Location(now.path, now.line)
            change = FeatureChange(key[0], key[1], verdict, reasons=tuple(reasons), location=place)  # type: ignore[arg-type]
            said = f"feature {key[1]}: {'; '.join(reasons)}"
            if reasons:
                finding = make_finding("VALUES_KNOWN", "feature", key[1], said, service=key[0], location=place)
        changes.append(change)
        findings += [finding] if finding else []
    return changes, findings


def _report_alone(was: StaticFeature | None, now: StaticFeature | None) -> tuple[FeatureChange, Finding]:
    feature = now or was
    if feature is None:
        raise ValueError("the feature is in neither version")
    place = Location(feature.path, feature.line)
    said = "it is new" if was is None else "it is gone"
    change = FeatureChange(
        feature.service,
        feature.name,
        "additive" if was is None else "breaking",
        reasons=(said,),
        location=place,
        old_expression=None if was is None else feature.name,
        action="redeploy" if was is None else "retrain",
    )
    rule = "FEATURE_ADDED" if was is None else "FEATURE_NO_DELETE"
    message = f"feature {feature.name}: {said}"
    return change, make_finding(rule, "feature", feature.name, message, service=feature.service, location=place)


def _find_reasons(
    was: StaticFeature, now: StaticFeature, old: StaticVersion, new: StaticVersion, surroundings: _Surroundings
) -> list[str]:
    """Why it cannot be said that a feature is unchanged."""
    reasons = []
    if was.digest != now.digest:
        reasons.append("its declaration, or a helper or constant that it refers to, changed")
    if old.rest != new.rest:
        reasons.append("statements outside functions changed")
    for name in _find_columns(now, new):
        before, after = old.columns.get(name), new.columns.get(name)
        if before != after:
            reasons.append(f"column {name} changed")
        elif after is not None and old.sources.get(after[1]) != new.sources.get(after[1]):
            reasons.append(f"{after[1]}, from which {name} comes, changed")
    changed = [
        n
        for n in _find_upstream(now, new)
        if old.features.get((now.service, n), now).digest != new.features[now.service, n].digest
    ]
    reasons += [f"{name}, which it reads, changed" for name in changed]
    calls = set(now.calls).union(*(new.features[now.service, name].calls for name in _find_upstream(now, new)))
    if calls & _FITTED and now.service in surroundings.states:
        reasons.append("its frozen statistics may have changed")
    if calls & _FITTED and old.filters != new.filters:
        reasons.append("the training filter changed, to which its statistics are fitted")
    if calls & READERS and surroundings.files:
        reasons.append(f"it may read {', '.join(surroundings.files[:3])}, which changed")
    reasons += surroundings.libraries
    return list(dict.fromkeys(reasons))


def _find_upstream(feature: StaticFeature, version: StaticVersion) -> list[str]:
    """The features that a feature reads, directly or not."""
    found: dict[str, None] = {}
    pending = list(feature.reads)
    while pending:
        name = pending.pop()
        other = version.features.get((feature.service, name))
        if other is not None and name not in found and name != feature.name:
            found[name] = None
            pending += other.reads
    return list(found)


def _find_columns(feature: StaticFeature, version: StaticVersion) -> list[str]:
    """The columns that a feature reads, directly or not."""
    others = [version.features[feature.service, name] for name in _find_upstream(feature, version)]
    names = [name for item in (feature, *others) for name in item.reads]
    return [name for name in dict.fromkeys(names) if (feature.service, name) not in version.features]


def _compare_views(old: StaticVersion, new: StaticVersion) -> list[Finding]:
    found = []
    for name in sorted(old.sources.keys() & new.sources.keys()):
        before, after = old.sources[name], new.sources[name]
        differing = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        if any(key.startswith("source.") for key in differing):
            differing.discard("source")
        for key in sorted(differing):
            rule = _SETTINGS.get(key, "VIEW_SAME_SOURCE" if key.startswith("source.") else "VIEW_SAME_SETTINGS")
            found.append(make_finding(rule, "view", name, f"{name} has another {key}"))
    return found


def _say_unseen(version: StaticVersion, surroundings: _Surroundings) -> list[str]:
    """What a reader of text cannot see."""
    said = ["nothing of either version was run: values were not compared, and no witness was sought"]
    packages = sorted({name for feature in version.features.values() for name in feature.packages} - KNOWN_PACKAGES)
    if packages:
        said.append(f"what features take from {', '.join(packages)} was not seen")
    readers = sorted(feature.name for feature in version.features.values() if feature.calls & READERS)
    if readers:
        said.append(
            f"what files hold that are read for {', '.join(readers)} was compared as a whole, if they are in git"
        )
    if surroundings.states:
        said.append(
            f"the frozen statistics of {', '.join(sorted(surroundings.states))} changed; to what effect was not seen"
        )
    return said

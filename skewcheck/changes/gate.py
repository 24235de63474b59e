"""The gate as one sequence: statistics that belong, fresh code, the diff, parity, a log's audit (room: changes).

Each stage says what it found; one verdict holds them all. A stage that could not be completed has not passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from skewcheck.audit import audit
from skewcheck.changes.configuration import Configuration, read_configuration, waive
from skewcheck.changes.diffing import Beside, Options, Version, check_out, diff_versions
from skewcheck.changes.loading import load_snapshots
from skewcheck.changes.references import WORKTREE, Git, Reference
from skewcheck.changes.rules import keep_selected, make_finding, select_rules
from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, Finding, Location, Side, Stage, decide
from skewcheck.errors import SkewcheckError, StateError
from skewcheck.fit.state import check_state, read_state
from skewcheck.generate.generation import generate
from skewcheck.language.declaration import Service
from skewcheck.parity.running import compare, run_duckdb, run_python
from skewcheck.parity.subjects import read_service
from skewcheck.parity.values import make_columns
from skewcheck.serving.reader import open_log
from skewcheck.store.repository import Repository, generated_directory

STAGES = ("statistics", "generated code", "diff", "parity", "audit")

_RULES = {
    "STATISTICS_FITTED": "statistics",
    "CODE_FRESH": "generated code",
    "ENGINES_AGREE": "parity",
    "LOG_MATCHES": "audit",
}
"""The stage of each rule; the diff is that of all others."""

PARITY_ROWS = 2000
"""Hard rows on which engines are compared in the gate; `skewcheck parity` runs more."""


@dataclass
class _Found:
    """What the stages found so far."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)

    def run(self, name: str, stage: Callable[[], tuple[list[Finding], str]]) -> None:
        """Run one stage; an error of ours leaves it incomplete."""
        try:
            findings, said = stage()
        except SkewcheckError as error:
            self.problems.append(Problem("error", name, error.message, error.remedy))
            self.stages.append(Stage(name, "incomplete", error.message))
            return
        self.findings += findings
        self.stages.append(Stage(name, "pass", said))


def check(
    root: Path, open_repository: Callable[[], Repository], options: Options, against: str | None = None
) -> DiffVerdict:
    """Run the whole gate on the working folder.

    Args:
        root: The feature repo.
        open_repository: Loads it.
        options: How to compare; its log is audited.
        against: The version to compare with, from where the working folder left it; the default branch if it is None.

    Raises:
        UsageError: A rule is named that is not there, or a waiver is refused.
    """
    configuration = read_configuration((root, *root.parents))
    select_rules(options.select or configuration.select, (*configuration.ignore, *options.ignore))
    found = _Found()
    try:
        repository = open_repository()
        services = list(repository.services.values())
    except SkewcheckError as error:
        found.problems.append(Problem("error", "features", error.message, error.remedy))
        found.stages += [Stage(name, "incomplete", "the declarations cannot be loaded") for name in STAGES]
        return _judge(found, configuration, options)
    if not services:
        said = f"{root / 'features'} declares no service: nothing was compared"
        found.problems.append(Problem("error", "features", said, "Declare one with sk.features(...)."))
    found.run("statistics", lambda: _check_states(repository, services))
    found.run("generated code", lambda: _check_code(repository, services))
    found.run("parity", lambda: _check_parity(root, services))
    _audit(root, open_repository, options, found)
    return _diff(root, configuration, options, against, found)


def _check_states(repository: Repository, services: Iterable[Service]) -> tuple[list[Finding], str]:
    findings = []
    checked = 0
    for service in services:
        checked += 1
        try:
            check_state(service, read_state(generated_directory(repository.root, service.name) / "state.json"))
        except StateError as error:
            said = error.message.replace(f"{repository.root}/", "")
            findings.append(make_finding("STATISTICS_FITTED", "service", service.name, said, service=service.name))
    return findings, f"{checked} service{'' if checked == 1 else 's'}"


def _check_code(repository: Repository, services: Iterable[Service]) -> tuple[list[Finding], str]:
    """Whether generated code is what the declarations give; a service without statistics has none to compare."""
    findings = []
    files = 0
    for service in services:
        directory = generated_directory(repository.root, service.name)
        try:
            state = read_state(directory / "state.json")
            code = generate(service, state, repository.places, repository.view_keys(service))
        except StateError:
            said = f"the generated code of service {service.name} cannot be compared before it is fitted"
            findings.append(make_finding("CODE_FRESH", "service", service.name, said, service=service.name))
            continue
        files += len(code.files)
        for name in code.stale(directory):
            path = (directory / name).relative_to(repository.root).as_posix()
            said = f"{path} is not what the declaration gives"
            findings.append(
                make_finding("CODE_FRESH", "file", path, said, service=service.name, location=Location(path))
            )
    return findings, f"{files} files"


def _check_parity(root: Path, services: Iterable[Service]) -> tuple[list[Finding], str]:
    """Python against DuckDB on hard values, as the code was generated."""
    findings = []
    rows = 0
    for service in services:
        directory = generated_directory(root, service.name)
        subject = read_service(directory)
        inputs = make_columns(subject.columns, PARITY_ROWS, seed=1)
        difference = compare(subject, inputs, run_python(subject, inputs), run_duckdb(subject, inputs))
        rows += difference.rows
        if difference.beyond:
            said = (
                f"Python and DuckDB differ in {difference.beyond} of {difference.rows} rows of service {service.name}"
            )
            findings.append(make_finding("ENGINES_AGREE", "service", service.name, said, service=service.name))
    if not rows:
        raise SkewcheckError("no row was compared", remedy="Declare a service and generate its code.")
    return findings, f"{rows:,} hard rows"


def _audit(root: Path, open_repository: Callable[[], Repository], options: Options, found: _Found) -> None:
    log = options.log
    if log is None:
        found.stages.append(Stage("audit", "skipped", "no log was given"))
        return

    def run() -> tuple[list[Finding], str]:
        names = sorted(path.parent.name for path in (root / "codegen").glob("*/manifest.json"))
        name = open_log(log).service or (names[0] if len(names) == 1 else None)
        if name is None or name not in names:
            raise SkewcheckError(
                f"it does not show whose log {log} is", remedy=f"Run `skewcheck audit {log} --service NAME`."
            )
        verdict = audit(log, generated_directory(root, name), open_repository)
        if verdict.verdict == "incomplete":
            reasons = [problem.message for problem in verdict.problems if problem.severity == "error"]
            lacking = [feature for feature in verdict.features if feature.verdict == "not-compared"]
            reasons += [f"feature {feature.name} was not compared: {feature.note}" for feature in lacking]
            raise SkewcheckError(
                f"the audit of {log} could not be completed: {'; '.join(reasons)}",
                remedy=f"Run `skewcheck audit {log} --service {name}`.",
            )
        skewed = [
            make_finding(
                "LOG_MATCHES",
                "feature",
                feature.name,
                f"feature {feature.name} differs in {feature.shown.mismatched:,} of {feature.shown.compared:,} rows",
                service=name,
            )
            for feature in verdict.skewed
        ]
        return skewed, f"{verdict.rows.logged:,} rows of {log}"

    found.run("audit", run)


def _diff(
    root: Path, configuration: Configuration, options: Options, against: str | None, found: _Found
) -> DiffVerdict:
    """The diff from where the working folder left another version, judged together with what was found before."""
    # The audit reads the log; the sizes of changes are a matter of `skewcheck diff`.
    plain = replace(options, log=None)
    try:
        git = Git(root)
        base = git.read_commit(against or git.find_default_branch())
        old, new = git.find_parting(base, git.read_commit("HEAD")), Reference(WORKTREE, None)
        with check_out(git, root, (old, new)) as checkouts:
            versions = [
                Version(reference.name, reference.commit, snapshot, (root, git.root))
                for reference, snapshot in zip((old, new), load_snapshots(checkouts), strict=True)
            ]
            beside = Beside(tuple(found.findings), tuple(found.problems), tuple(found.stages))
            verdict = diff_versions(versions[0], versions[1], configuration, plain, beside)
    except SkewcheckError as error:
        found.problems.append(Problem("error", "diff", error.message, error.remedy))
        found.stages.append(Stage("diff", "incomplete", error.message))
        return _judge(found, configuration, options)
    said = ", ".join(f"{count} {name}" for name, count in verdict.counts.items())
    return _conclude(replace(verdict, stages=(*verdict.stages, Stage("diff", "pass", said))))


def _judge(found: _Found, configuration: Configuration, options: Options) -> DiffVerdict:
    """The verdict where there is no diff."""
    rules = select_rules(options.select or configuration.select, (*configuration.ignore, *options.ignore))
    kept, remarks = waive(keep_selected(found.findings, rules), configuration.waivers, options.today)
    problems = (*found.problems, *remarks)
    return _conclude(
        DiffVerdict(
            decide(kept, problems),
            Side("the default branch"),
            Side(WORKTREE),
            findings=tuple(kept),
            problems=problems,
            stages=tuple(found.stages),
        )
    )


def _conclude(verdict: DiffVerdict) -> DiffVerdict:
    """The verdict with its stages in order, each failed that has a finding which counts."""
    failed = {_RULES.get(finding.rule, "diff") for finding in verdict.findings if finding.counts}
    stages = [
        replace(stage, outcome="fail") if stage.outcome == "pass" and stage.name in failed else stage
        for stage in verdict.stages
    ]
    return replace(verdict, stages=tuple(sorted(stages, key=lambda stage: STAGES.index(stage.name))))

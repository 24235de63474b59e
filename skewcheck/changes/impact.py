"""What a change asks for beyond the features: refits, materialisation, and the models that are pinned (room: changes).

A model is pinned to a version of a service by the tags that a registry keeps with it: `skewcheck_definition` and
`skewcheck_state`, the same hashes that generated code and log rows carry.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skewcheck.changes.rules import make_finding
from skewcheck.changes.snapshot import DeclaredService, Snapshot
from skewcheck.diff_verdict import ACTIONS, FeatureChange, Finding, Impact, PinnedModel
from skewcheck.errors import EngineError, UsageError
from skewcheck.serving.schema import DEFINITION_TAG, STATE_TAG

CHANGED = frozenset({"values-changed", "breaking", "unknown"})

_REMEDY = (
    'Write a JSON list of models: [{"name": ..., "version": ..., "tags": {"'
    f'{DEFINITION_TAG}": ..., "{STATE_TAG}": ...}}, "aliases": [...]}}].'
)


def find_impact(
    features: Iterable[FeatureChange],
    refit: Iterable[str],
    rematerialise: Iterable[str],
    models: Iterable[PinnedModel],
) -> Impact:
    """The impact of the changes of all features."""
    listed = list(features)
    actions = [feature.action for feature in listed]
    waiting = sorted(set(refit))
    return Impact(
        action=max([*actions, *(["refit"] if waiting else [])], key=ACTIONS.index, default="none"),
        services=tuple(sorted({feature.service for feature in listed if feature.verdict in CHANGED})),
        refit=tuple(waiting),
        rematerialise=tuple(sorted(set(rematerialise))),
        models=tuple(sorted(models, key=lambda model: (model.name, model.version))),
    )


def read_models(path: Path) -> list[dict[str, Any]]:
    """The models in a manifest.

    Raises:
        UsageError: It cannot be read, or is no list of models.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a list of models: {error}", remedy=_REMEDY) from error
    models = data.get("models") if isinstance(data, dict) else data
    if not isinstance(models, list) or not all(isinstance(m, dict) and "name" in m for m in models):
        raise UsageError(f"{path} is no list of models", remedy=_REMEDY)
    return [{**model, "where": str(path)} for model in models]


def read_registry(address: str) -> list[dict[str, Any]]:
    """The model versions of an MLflow registry.

    Raises:
        EngineError: MLflow is not installed, or the registry does not answer.
    """
    try:
        from mlflow import MlflowClient  # type: ignore[import-not-found]
    except ImportError as error:
        raise EngineError(
            "MLflow is not installed, so the registry cannot be asked", remedy="Run `pip install mlflow-skinny`."
        ) from error
    try:
        client = MlflowClient(registry_uri=address)
        return [
            {
                "name": version.name,
                "version": str(version.version),
                "tags": dict(version.tags),
                "aliases": list(version.aliases),
                "where": address,
            }
            for version in client.search_model_versions()
        ]
    except Exception as error:  # whatever the registry's client raises
        raise EngineError(f"the registry {address} does not answer: {error}") from error


def find_pinned(models: Iterable[Mapping[str, Any]], old: Snapshot, new: Snapshot) -> list[PinnedModel]:
    """The models that carry the hashes of an old version which the new one no longer has."""
    found = []
    for model in models:
        tags = model.get("tags") or {}
        for service in old.services.values():
            if _is_pinned(tags, service, new.services.get(service.name)):
                aliases = tuple(str(alias) for alias in model.get("aliases") or ())
                version = str(model.get("version", ""))
                found.append(
                    PinnedModel(str(model["name"]), version, service.name, str(model.get("where", "")), aliases)
                )
    return found


def _is_pinned(tags: Mapping[str, Any], old: DeclaredService, new: DeclaredService | None) -> bool:
    definitions = {old.definition, old.generated} - {None}
    if tags.get(DEFINITION_TAG) not in definitions:
        return False
    state = tags.get(STATE_TAG)
    if state is not None and old.state is not None and state != old.state.hash:
        return False
    if new is None or new.definition != old.definition:
        return True
    return bool(old.state and new.state and old.state.hash != new.state.hash)


def report_pinned(models: Iterable[PinnedModel], features: Iterable[FeatureChange]) -> list[Finding]:
    """A finding for every model that reads a service whose values are no longer the same."""
    changed = {feature.service for feature in features if feature.verdict in CHANGED}
    return [
        make_finding(
            "MODEL_PINNED",
            "model",
            f"{model.name} {model.version}".strip(),
            f"model {model.name} {model.version} was trained on the old version of service {model.service}"
            + (f" and is {', '.join(model.aliases)}" if model.aliases else ""),
            service=model.service,
        )
        for model in models
        if model.service in changed
    ]

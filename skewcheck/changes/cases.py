"""Witnesses as regression cases: JSON files beside the generated code, for a test suite to run (room: changes)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from skewcheck.diff_verdict import FeatureChange
from skewcheck.files import write_text
from skewcheck.store.repository import generated_directory

FORMAT = "skewcheck/case/1"

FOLDER = "cases"


def save_cases(features: Iterable[FeatureChange], root: Path) -> list[FeatureChange]:
    """Write a case for every witness, and give the features with the places of their cases.

    A case has the inputs, what the feature gave for them before, and what it gives now. Where the retrieval is what
    differs it has the stored rows and the time of the request too.

    Args:
        features: What became of every feature.
        root: The feature repo.

    Raises:
        UsageError: A file cannot be written.
    """
    return [_save(feature, root) if feature.witness is not None else feature for feature in features]


def _save(feature: FeatureChange, root: Path) -> FeatureChange:
    witness = feature.witness
    if witness is None:
        return feature
    held = asdict(witness)
    kept = ("inputs", "old", "new", "old_inputs", "new_inputs", "stored", "requested_at", "note")
    body = {
        "format": FORMAT,
        "service": feature.service,
        "feature": feature.name,
        "old_expression": feature.old_expression,
        "new_expression": feature.new_expression,
        **{name: held[name] for name in kept if held[name] or name in {"inputs", "old", "new"}},
    }
    text = json.dumps(body, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    name = f"{feature.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
    path = generated_directory(root, feature.service) / FOLDER / name
    write_text(path, text)
    return replace(feature, witness=replace(witness, case=path.relative_to(root).as_posix()))

"""What a service logs so that every request can be replayed: the log's schema, from the service's manifest."""

from __future__ import annotations

from skewcheck.generate.manifest import Manifest
from skewcheck.serving.schema import LogSchema


def log_schema(manifest: Manifest) -> LogSchema:
    """The schema of a service's log: its join keys, the inputs that features read, the features, and the views."""
    columns = {role: {c.name: str(c.type) for c in manifest.columns if c.role == role} for role in ("request", "store")}
    return LogSchema(
        manifest.service,
        keys=manifest.keys,
        request=columns["request"],
        store=columns["store"],
        features={feature.name: str(feature.type) for feature in manifest.features},
        views={view.name: view.columns for view in manifest.views},
    )

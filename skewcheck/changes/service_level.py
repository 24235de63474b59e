"""What is said of a service as a whole: the inputs that it asks for, and its frozen statistics (room: changes)."""

from __future__ import annotations

from skewcheck.changes.rules import make_finding
from skewcheck.changes.snapshot import DeclaredFeature, DeclaredService
from skewcheck.diff_verdict import Finding, Location
from skewcheck.language.expressions import fitted_nodes, key_of


def report_requests(old: DeclaredService, new: DeclaredService) -> list[Finding]:
    """A finding for every input that serving must send and does not send today."""
    sent = {name for feature in old.features for name in _find_inputs(old, feature)}
    found = []
    for feature in new.features:
        for name, type_ in _find_inputs(new, feature).items():
            if name in sent:
                continue
            sent.add(name)
            said = f"{name} ({type_}) must come with the request: {feature.name} reads it or is looked up by it"
            place = Location(feature.path, feature.line) if feature.path else None
            found.append(make_finding("REQUEST_SAME_INPUTS", "column", name, said, service=new.name, location=place))
    return found


def _find_inputs(service: DeclaredService, feature: DeclaredFeature) -> dict[str, str]:
    """What a request must carry for a feature, with the types: its own columns, and the keys of views."""
    found: dict[str, str] = {}
    for name in feature.columns:
        column = service.columns[name]
        if column.role == "request":
            found[name] = str(column.type)
        found |= service.keys.get(column.source, {})
    return found


def report_fits(old: DeclaredService, new: DeclaredService) -> list[Finding]:
    """Findings where the frozen statistics do not belong to the declaration, or to its training rows."""
    keys = {key_of(node) for feature in new.features for node, _ in fitted_nodes(feature.expression)}
    if not keys:
        return []
    found = []
    state = new.state
    lost = state is None and old.state is not None
    if lost or (state is not None and (state.fit != new.fit or not keys <= set(state.statistics))):
        said = f"the state of service {new.name} {'is gone' if lost else 'does not belong to its declaration'}"
        found.append(make_finding("STATISTICS_FITTED", "service", new.name, said, service=new.name))
    same_state = (old.state.hash if old.state else None) == (state.hash if state else None)
    if old.training != new.training and same_state:
        parts = [name for name in {**old.training, **new.training} if old.training.get(name) != new.training.get(name)]
        said = f"the training set of service {new.name} has another {', '.join(parts)}, and was not fitted since"
        found.append(make_finding("TRAINING_SAME_ROWS", "service", new.name, said, service=new.name))
    return found

"""The frozen state: every statistic of a service as an exact literal, with what it came from and a hash of it all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from skewcheck.errors import StateError
from skewcheck.files import write_text
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import fitted_nodes, key_of
from skewcheck.language.fingerprint import fingerprint_fit

FORMAT = "skewcheck/state/1"

Statistics = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class State:
    """Frozen statistics.

    Attributes:
        service: Whose they are.
        fit: The fingerprint of what was fitted: the fitted operators, what they read, and the training filter.
        statistics: For each fitted operator (named by its expression) its statistics.
        training: Rows read and kept, the time span they cover, fingerprints of the sources, and the delays of views in
            seconds, where they were read with any.
    """

    service: str
    fit: str
    statistics: Statistics
    training: dict[str, Any]

    @property
    def hash(self) -> str:
        """The hash of the content."""
        text = json.dumps(self._content(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def delays(self) -> dict[str, timedelta]:
        """For views by name the delay with which training read them, where it did with one."""
        return {view: timedelta(seconds=count) for view, count in self.training.get("delay_seconds", {}).items()}

    def to_json(self) -> str:
        """The state as JSON text. Floats are written with all digits that they need, so that reading is exact."""
        return json.dumps({**self._content(), "hash": self.hash}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the state to a file."""
        write_text(path, self.to_json())

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "service": self.service,
            "fit": self.fit,
            "training": self.training,
            "statistics": self.statistics,
        }


def read_state(path: Path) -> State:
    """The state in a file.

    Raises:
        StateError: There is none, it is not a state of this format, or it was edited by hand.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StateError(f"there is no state at {path}", remedy="Run `skewcheck fit`.") from None
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read as a state: {error}", remedy="Run `skewcheck fit` again.") from error
    return parse_state(text, path)


def parse_state(text: str, path: Path) -> State:
    """The state that the text of a file says.

    Args:
        text: The text.
        path: The file, as messages name it.

    Raises:
        StateError: It is not a state of this format, or it was edited by hand.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise StateError(f"{path} cannot be read as a state: {error}", remedy="Run `skewcheck fit` again.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise StateError(f"{path} is {found!r}, expected {FORMAT!r}", remedy="Run `skewcheck fit` again.")
    try:
        state = State(data["service"], data["fit"], data["statistics"], data["training"])
        claimed = data["hash"]
    except KeyError as error:
        raise StateError(f"{path} lacks {error}", remedy="Run `skewcheck fit` again.") from error
    if claimed != state.hash:
        raise StateError(
            f"{path} was changed after it was frozen: its hash is {state.hash[:12]} and it claims {str(claimed)[:12]}",
            remedy="Restore the file from version control, or run `skewcheck fit` again.",
        )
    return state


def check_state(service: Service, state: State) -> None:
    """Refuse a state that does not belong to a declaration.

    Raises:
        StateError: It is another service's, lacks a statistic, or was fitted to another declaration or filter.
    """
    if state.service != service.name:
        raise StateError(
            f"the state is of service {state.service!r}, expected {service.name!r}",
            remedy="Run `skewcheck fit`.",
        )
    for feature in service.features:
        for node, chosen in fitted_nodes(feature.expression):
            for kind in chosen.statistics():
                if kind.name not in state.statistics.get(key_of(node), {}):
                    raise StateError(
                        f"the state of service {service.name} lacks {kind.name} of {key_of(node)}, which feature "
                        f"{feature.name} ({feature.place}) needs",
                        remedy=f"Run `skewcheck fit {service.name}`.",
                    )
    if state.fit != fingerprint_fit(service):
        raise StateError(
            f"the state of service {service.name} was fitted to another declaration: what a fitted operator reads, or "
            "the training filter, has changed since",
            remedy=f"Run `skewcheck fit {service.name}`.",
        )

"""Where a cause holds: which columns of a log a place may be about, and what of it may be said."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks.faults.world import Rides, compute_features, make_log, make_rides, write_generated, write_log
from skewcheck.audit import Options, audit
from skewcheck.verdict import FeatureVerdict

RENAMED = {"request_id": "id", "requested_at": "when", "distance_z": "f_distance", "payment": "paid_by"}


@pytest.fixture(scope="module")
def rides() -> Rides:
    return make_rides(1500, seed=31)


@pytest.fixture(scope="module")
def clean(rides: Rides) -> dict[str, pa.Array]:
    return compute_features(rides)


def audit_foreign_log(rides: Rides, served: dict[str, pa.Array], folder: Path, *, redact: bool) -> FeatureVerdict:
    """Audit a log in which nothing has a prefix, and some columns another name."""
    table = make_log(rides, served)
    table = table.rename_columns([name.rpartition(".")[2] for name in table.column_names])
    table = table.rename_columns([RENAMED.get(name, name) for name in table.column_names])
    options = Options(stages=("transform",), renamed=RENAMED, redact=redact)
    (feature,) = audit(write_log(folder / "log.parquet", table), write_generated(), None, options).skewed
    return feature


def test_a_place_is_never_about_what_was_served_or_the_id(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    served = clean["distance_z"]
    wrong = pc.if_else(pc.greater(served, 0.5), pc.add(served, 100.0), served)
    feature = audit_foreign_log(rides, clean | {"distance_z": wrong}, tmp_path, redact=False)
    assert feature.causes
    assert not {column for cause in feature.causes for column in cause["where"]} & {*clean, *RENAMED.values()}


@pytest.mark.parametrize("redact", [False, True])
def test_the_value_of_an_input_is_redacted_under_any_name(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path, redact: bool
) -> None:
    payment = make_log(rides, clean).column("request.payment")
    here = pc.fill_null(pc.equal(payment, "card"), False)
    wrong = pc.if_else(here, pc.add(clean["distance_z"], 1.5), clean["distance_z"])
    feature = audit_foreign_log(rides, clean | {"distance_z": wrong}, tmp_path, redact=redact)
    assert feature.causes[0]["where"] == {"paid_by": "redacted" if redact else "card"}

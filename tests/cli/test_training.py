"""The commands about training: what they write, what they say, and what they refuse."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, load_repository
from tests.cli.conftest import Run
from tests.shop import build_shop, change, serve


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shop(tmp_path_factory.mktemp("training")).root


@pytest.fixture
def shop(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repo with a feature view, as the working directory."""
    root = tmp_path.resolve() / "shop"
    shutil.copytree(built, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(root)
    return root


def test_trainset_tells_what_it_wrote_and_what_it_left_out(run: Run, shop: Path) -> None:
    outcome = run("trainset", "--out", "set", "--row-id", "request_id")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert outcome.out == (
        "shop: 8 features of 395 of 456 training rows (2024-03-01T01:00:00Z to 2024-03-19T23:00:00Z)\n"
        "  the filter dropped 61 rows: settled 46, positive 16\n"
        "  the leakage guard found nothing (8 rows asked again of sources cut at 8 instants)\n"
        "  wrote set/features.parquet, labels.parquet, rows.parquet, trainset.json\n"
    )
    assert pq.read_table(shop / "set" / "features.parquet").num_rows == 395


def test_trainset_of_a_service_without_a_store_or_labels_says_no_more_than_it_did(run: Run, repo: Path) -> None:
    outcome = run("trainset", "payments", "--out", "set")
    assert outcome.out == (
        "payments: 2 features of 3 of 3 training rows\n  wrote set/features.parquet, rows.parquet, trainset.json\n"
    )


def test_delays_are_taken_over_and_the_statistics_of_other_values_are_pointed_out(run: Run, shop: Path) -> None:
    outcome = run("trainset", "--out", "set", "--delay", "account=3h")
    assert outcome.exit_code == 0
    assert (
        "the statistics were fitted to other rows, or to other values of them; run `skewcheck fit` with" in outcome.out
    )
    assert json.loads((shop / "set" / "trainset.json").read_text())["delay_seconds"] == {"account": 10800.0}
    assert run("fit", "--delay", "account=3h").exit_code == 0
    assert "the statistics were fitted" not in run("trainset", "--out", "set", "--delay", "account=3h").out


def test_labels_that_were_not_known_are_counted(run: Run, shop: Path) -> None:
    path = shop / "features" / "shop.py"
    path.write_text(path.read_text().replace('end="2024-03-20"', 'labels_known_at="event_timestamp"'))
    assert run("fit").exit_code == 0
    outcome = run("trainset", "--out", "set", "--known-by", "2024-03-02")
    assert "left out 455 rows whose label was not yet known" in outcome.out


def test_a_view_without_a_created_time_is_pointed_out(run: Run, shop: Path) -> None:
    path = shop / "features" / "shop.py"
    path.write_text(path.read_text().replace(', created_timestamp_column="created"', ""))
    outcome = run("trainset", "--out", "set")
    assert (
        "view account has no created time: its rows count from their event time on; its files have the times created"
        in outcome.out
    )


@pytest.mark.parametrize("command", [("trainset", "--out", "set"), ("fit", "--training-set", "set")])
def test_what_leaks_is_refused_by_name_and_nothing_is_written(run: Run, shop: Path, command: tuple[str, ...]) -> None:
    state = (shop / "codegen" / "shop" / "state.json").read_bytes()
    outcome = run(*command, "--as-of", "event")
    assert outcome.exit_code == 1
    assert outcome.out == ""
    for feature in ("spending", "tier_code", "many_orders", "orders_filled"):
        assert f"\n  {feature}: 1" in outcome.err
    assert "leave out --as-of event" in outcome.said
    assert not (shop / "set").exists()
    assert (shop / "codegen" / "shop" / "state.json").read_bytes() == state


@pytest.mark.parametrize("command", [("fit",), ("trainset", "--out", "set")])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--delay", "account"), "--delay account: expected VIEW=TIME"),
        (("--delay", "account=-2h"), "--delay account=-2h: a delay is not negative"),
        (("--delay", "acount=2h"), "there is no view acount to delay → Name one of account."),
        (("--delay", "account=2furlongs"), "'2furlongs' is not a duration"),
        (("--as-of", "yesterday"), "--as-of yesterday: there is no such choice → Give known or event."),
        (("--start", "soon"), "--start soon: expected a date such as 2013-07-01"),
        (("--known-by", "2024-03-04"), "--known-by chooses no rows"),
        (("--entities", "nowhere.parquet"), "nowhere.parquet are not there"),
    ],
)
def test_an_option_that_cannot_work_is_named(
    run: Run, shop: Path, command: tuple[str, ...], arguments: tuple[str, ...], message: str
) -> None:
    outcome = run(*command, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.said
    assert not (shop / "set").exists()


def test_a_folder_with_something_else_is_refused_before_anything_is_computed(run: Run, shop: Path) -> None:
    outcome = run("trainset", "--out", "data", "--entities", "nowhere.parquet")
    assert outcome.exit_code == 2
    assert "data is no earlier training set: it has account.parquet" in outcome.said


def test_fit_keeps_the_rows_whole_or_not_at_all(run: Run, repo: Path) -> None:
    (repo / "kept.parquet").write_text("before")
    pq.write_table(pa.table({"amount": [0.0], "country": ["FR"]}), repo / "none.parquet")
    assert run("fit", "--entities", "none.parquet", "--training-set", "kept.parquet").exit_code == 3
    assert (repo / "kept.parquet").read_text() == "before"
    assert run("fit", "--training-set", "kept.parquet").exit_code == 0
    assert pq.read_table(repo / "kept.parquet").num_rows == 3


@pytest.fixture
def behind(run: Run, shop: Path) -> Path:
    """A log of serving whose account is three days behind, as the training set in `set` is."""
    repository = load_repository(shop)
    log = serve_behind(repository, timedelta(days=3))
    (shop / "log").mkdir()
    pq.write_table(log, shop / "log" / "part.parquet")
    assert run("trainset", "--out", "set", "--delay", "account=3d").exit_code == 0
    return shop


def serve_behind(repository: Repository, delay: timedelta) -> pa.Table:
    """A faultless log, but for the time of the store's values."""
    log = serve(repository)
    names = ("balance", "tier", "orders")
    asked = pa.table({"customer_id": log["key.customer_id"], "event_timestamp": log["requested_at"]})
    stored, _ = retrieve(
        repository, repository.service("shop"), {"account": names}, asked, "event_timestamp", delays={"account": delay}
    )
    for name in names:
        log = change(log, f"store.{name}", stored[name].to_pylist())
    return log


def alignment(verdict: str) -> dict[str, Any]:
    (entry,) = json.loads(verdict)["alignment"]
    return {side: entry[side]["delay_seconds"] for side in ("training", "serving")}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {"training": 0.0, "serving": 259200.0}),
        (("--delay", "account=3d"), {"training": 259200.0, "serving": 259200.0}),
        (("--trainset", "set"), {"training": 259200.0, "serving": 259200.0}),
        (("--trainset", "set", "--delay", "account=1d"), {"training": 86400.0, "serving": 259200.0}),
    ],
)
def test_the_audit_reads_a_view_with_the_delay_that_training_has(
    run: Run, behind: Path, arguments: tuple[str, ...], expected: dict[str, float]
) -> None:
    outcome = run("audit", "log", "--format", "json", "--stages", "retrieval", *arguments)
    alike = expected["training"] == expected["serving"]
    assert outcome.exit_code == (0 if alike else 1)
    found = alignment(outcome.out)
    assert found["training"] == expected["training"]
    # The account changes every day or so.
    assert abs(found["serving"] - expected["serving"]) <= (0 if alike else 86400)


def test_the_delay_that_statistics_were_fitted_with_needs_no_option(run: Run, behind: Path) -> None:
    assert run("fit", "--delay", "account=3d").exit_code == 0
    assert run("generate").exit_code == 0
    found = alignment(run("audit", "log", "--format", "json", "--stages", "retrieval").out)
    assert found == {"training": 259200.0, "serving": 259200.0}


def test_a_training_set_of_another_declaration_is_pointed_out(run: Run, behind: Path) -> None:
    record = json.loads((behind / "set" / "trainset.json").read_text())
    (behind / "set" / "trainset.json").write_text(json.dumps({**record, "definition": "0" * 64}))
    outcome = run("audit", "log", "--stages", "retrieval", "--trainset", "set")
    assert "set: was made with another declaration (definition 000000000000)" in outcome.said


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (None, "elsewhere is no training set: it has no trainset.json of ours"),
        ({"service": "other"}, "is a training set of service 'other', and not of 'shop'"),
        ({"format": "skewcheck/trainset/99"}, "has another format than skewcheck/trainset/1"),
        ({"surprise": 1}, "has another format than skewcheck/trainset/1"),
        ({"delay_seconds": {"acount": 60.0}}, "there is no view acount to delay"),
    ],
)
def test_a_folder_that_is_no_training_set_of_the_service_is_refused(
    run: Run, behind: Path, edit: dict[str, Any] | None, message: str
) -> None:
    if edit is not None:
        record = json.loads((behind / "set" / "trainset.json").read_text())
        (behind / "set" / "trainset.json").write_text(json.dumps({**record, **edit}))
    outcome = run("audit", "log", "--trainset", "elsewhere" if edit is None else "set")
    assert outcome.exit_code == 2
    assert message in outcome.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--delay", "account"), "--delay account: expected VIEW=TIME"),
        (("--delay", "acount=2h"), "there is no view acount to delay"),
        (("--replay", "module:function", "--trainset", "set"), "--trainset is of a declared service"),
    ],
)
def test_delays_that_an_audit_cannot_take_are_named(
    run: Run, behind: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = run("audit", "log", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.said

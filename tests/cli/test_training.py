"""The commands about training: what they write, what they say, and what they refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Run
from tests.shop import build_shop


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
    assert "the statistics were fitted to other rows, or to other values of them" in outcome.out
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

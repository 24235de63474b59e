"""The command that keeps windows fresh: what it writes to the online store or the file, and what it refuses."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from feast import FeatureStore

from skewcheck.store.repository import load_repository
from tests.cli.conftest import Run
from tests.windowed_shop import START, build_windowed_shop, expected_values, windows_of

CUSTOMERS = [0, 1, 2, 3, 4]
AT = START + timedelta(days=8, hours=12)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_windowed_shop(tmp_path_factory.mktemp("windows") / "shop").root


@pytest.fixture
def shop(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repo with windows, as the working directory."""
    root = tmp_path.resolve() / "shop"
    shutil.copytree(built, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(root)
    return root


def read_online(names: list[str]) -> list[dict[str, object]]:
    response = FeatureStore(repo_path=".").get_online_features(
        features=[f"customer_activity:{name}" for name in names],
        entity_rows=[{"customer_id": customer} for customer in CUSTOMERS],
    )
    found = response.to_dict()
    return [{name: found[name][row] for name in names} for row in CUSTOMERS]


def test_windows_are_brought_online_and_served_as_the_rule_says(run: Run, shop: Path) -> None:
    assert run("apply").exit_code == 0
    outcome = run("materialise", "shop", "--tile", "1d", "--until", "2024-03-09T12:00")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert outcome.out == (
        "customer_activity: wrote 5 keys to the online store, as of 2024-03-09T12:00:00Z\n"
        "  wrote data/windows/customer_activity.tiles\n"
    )
    assert (shop / "data" / "windows" / "customer_activity.tiles" / "tiles.json").is_file()
    windows = windows_of(load_repository(shop))
    expected = expected_values(shop, windows, [(customer, AT) for customer in CUSTOMERS])
    assert read_online([feature.name for feature in windows.features]) == expected
    # Feast's spelling, and now: every window of days has become empty.
    assert run("materialize").exit_code == 0
    assert [row["payments_1h"] for row in read_online(["payments_1h"])] == [0] * len(CUSTOMERS)


def test_the_file_for_feast_is_written_without_a_registry(run: Run, shop: Path) -> None:
    outcome = run("materialise", "--to-file", "--until", "2024-03-09T13:00+01:00")
    assert outcome.out == (
        "customer_activity: wrote 5 keys to data/windows/customer_activity.parquet, as of 2024-03-09T12:00:00Z\n"
    )
    table = pq.read_table(shop / "data" / "windows" / "customer_activity.parquet")
    windows = windows_of(load_repository(shop))
    asked = [(customer, AT) for customer in table["customer_id"].to_pylist()]
    names = [feature.name for feature in windows.features]
    assert table.select(names).to_pylist() == expected_values(shop, windows, asked)


def test_windows_that_are_not_registered_are_not_brought_online(run: Run, shop: Path) -> None:
    outcome = run("materialise")
    assert outcome.exit_code == 3
    assert "windows customer_activity are not in Feast's registry" in outcome.said
    assert "skewcheck apply" in outcome.said


def test_events_that_are_not_there_are_named(run: Run, shop: Path) -> None:
    shutil.rmtree(shop / "data" / "paid")
    outcome = run("materialise", "--to-file")
    assert outcome.exit_code == 3
    assert "the source data/paid/*.parquet of events payments" in outcome.said
    assert list((shop / "data" / "windows").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--until", "soon"), "--until soon: expected a date such as 2013-07-01"),
        (("--until", "2999-01-01"), "--until 2999-01-01 is still to come"),
        (("--tile", "1x"), "--tile 1x: '1x' is not a duration"),
        (("refunds",), "there is no service 'refunds'"),
    ],
)
def test_an_option_that_cannot_work_is_named(run: Run, shop: Path, arguments: tuple[str, ...], message: str) -> None:
    outcome = run("materialise", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.said


@pytest.mark.parametrize(
    ("arguments", "who"), [((), "reads any windows"), (("payments",), "service payments reads no")]
)
def test_a_repo_without_windows_has_nothing_to_materialise(
    run: Run, repo: Path, arguments: tuple[str, ...], who: str
) -> None:
    outcome = run("materialise", *arguments)
    assert outcome.exit_code == 2
    assert who in outcome.said
    assert "feast materialize" in outcome.said


def test_a_tile_that_cannot_be_read_is_named_with_the_way_out(run: Run, shop: Path) -> None:
    arguments = ("materialise", "--to-file", "--tile", "1d", "--until", "2024-03-09")
    assert run(*arguments).exit_code == 0
    folder = shop / "data" / "windows" / "customer_activity.tiles"
    next(folder.glob("*.parquet")).write_text("junk")
    outcome = run(*arguments)
    assert outcome.exit_code == 3
    assert "the tiles in data/windows/customer_activity.tiles could not be read" in outcome.said
    assert "Remove that folder" in outcome.said
    shutil.rmtree(folder)
    assert run(*arguments).exit_code == 0

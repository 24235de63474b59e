"""The join here against the rule that it states, against Feast on the same files, and the cases where they part."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, PushSource, ValueType
from feast.data_format import DeltaFormat, ParquetFormat
from feast.types import Array, Float64, Int64, String, UnixTimestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.engines.session import open_session
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.store.as_of import AsOf, join_as_of, keep_answers, read_answers
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import can_join

INSTANT = pa.timestamp("us", tz="UTC")
START = datetime(2024, 3, 1, tzinfo=UTC)
STEP = timedelta(microseconds=1)
TTL = timedelta(microseconds=5)
CUSTOMER = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
SHOP = Entity(name="shop", join_keys=["shop_code"], value_type=ValueType.STRING)

Row = Mapping[str, Any]


def at(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else START + microseconds * STEP


def make_repository(root: Path, store: str = "duckdb") -> Repository:
    (root / "feature_store.yaml").write_text(
        "project: shop\nprovider: local\nregistry: {registry_type: file, path: registry.db}\n"
        "online_store: {type: sqlite, path: online.db}\nentity_key_serialization_version: 3\n"
        f"offline_store: {{type: {store}}}\n"
    )
    return Repository(root, {}, {}, {"customer": CUSTOMER, "shop": SHOP})


def make_view(
    name: str = "account",
    *,
    fields: Mapping[str, Any] | None = None,
    entities: Sequence[Entity] = (CUSTOMER,),
    ttl: timedelta | None = None,
    created: bool = False,
    path: str | None = None,
    **source: Any,
) -> FeatureView:
    schema = [Field(name=field, dtype=type_) for field, type_ in (fields or {"value": Float64}).items()]
    files = FileSource(
        path=path or f"{name}.parquet",
        timestamp_field="observed",
        created_timestamp_column="created" if created else "",
        **source,
    )
    return FeatureView(name=name, entities=list(entities), schema=schema, source=files, ttl=ttl)


def write(root: Path, name: str, rows: Sequence[Row], **types: pa.DataType) -> None:
    """Write a Parquet file, with the columns that every view here has in some test, or of the types given."""
    columns = {"customer_id": pa.int64(), "observed": INSTANT, "value": pa.float64(), **types}
    table = pa.table({column: pa.array([row.get(column) for row in rows], type_) for column, type_ in columns.items()})
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, root / name)


def requests(rows: Iterable[tuple[Any, ...]], *keys: pa.DataType) -> pa.Table:
    """Requests: a customer (and a shop), and the instant."""
    columns = list(zip(*rows, strict=True))
    named = {"customer_id": pa.array(columns[0], keys[0] if keys else pa.int64())}
    if len(columns) == 3:
        named["shop_code"] = pa.array(columns[1], pa.string())
    return pa.table({**named, "asked_at": pa.array(columns[-1], INSTANT)})


def join(
    repository: Repository,
    views: Sequence[FeatureView],
    asked: pa.Table,
    delay: timedelta = timedelta(0),
    *,
    keep: bool = False,
    as_of: AsOf = "known",
) -> list[tuple[Any, ...]]:
    """The values of all views' features, for each request in order."""
    with open_session() as connection:
        read = []
        for number, view in enumerate(views):
            names = [field.name for field in view.features]
            answers = read_answers(connection, repository, view, names, delay, as_of)
            read.append(keep_answers(connection, answers, f"kept_{number}") if keep else answers)
        connection.register("asked", asked.append_column("#row", pa.array(range(asked.num_rows))))
        relation = join_as_of(connection, "asked", read, instant="asked_at", carry=["#row"])
        found = sorted(connection.execute(f"SELECT * FROM {relation}").fetchall(), key=lambda row: int(row[0]))
    assert [row[0] for row in found] == list(range(asked.num_rows))
    return [row[1:] for row in found]


def join_by_feast(
    root: Path, views: Sequence[FeatureView], asked: pa.Table, as_of: AsOf = "known"
) -> list[tuple[Any, ...]]:
    """The same by Feast; None in the place of a row that it drops."""
    types = {pa.int64(): pd.Int64Dtype()}
    frame = asked.rename_columns([*asked.column_names[:-1], "event_timestamp"]).to_pandas(types_mapper=types.get)
    frame["row"] = range(len(frame))
    names = [(view.name, field.name) for view in views for field in view.features]
    with contextlib.chdir(root):
        store = FeatureStore(repo_path=".")
        store.apply([CUSTOMER, SHOP, *views])
        job = store.get_historical_features(
            entity_df=frame,
            features=[f"{view}:{name}" for view, name in names],
            filter_by_created_timestamp=as_of == "known",
        )
        found = job.to_arrow()
    rows = {row["row"]: tuple(missing(row[name]) for _, name in names) for row in found.to_pylist()}
    return [rows.get(number, ("dropped",)) for number in range(len(frame))]


def missing(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def greatest(row: Row, names: Iterable[str]) -> list[tuple[bool, Any]]:
    return [(row[name] is not None, row[name] if row[name] is not None else 0) for name in sorted(names)]


def expected(
    rows: Iterable[Row],
    names: Sequence[str],
    instant: datetime | None,
    keys: Row,
    ttl: timedelta | None,
    delay: timedelta = timedelta(0),
    as_of: AsOf = "known",
) -> tuple[Any, ...]:
    """The rule, word by word."""

    def created(row: Row) -> datetime | None:
        return row.get("created", row["observed"])

    def counts(time: datetime | None) -> bool:
        return time is not None and instant is not None and time + delay <= instant

    known = [
        row
        for row in rows
        if all(value is not None and row[key] == value for key, value in keys.items())
        and counts(row["observed"])
        and (as_of == "event" or counts(created(row)))
        and (ttl is None or row["observed"] + delay + ttl >= instant)
    ]
    latest = max(
        known,
        key=lambda row: (row["observed"], created(row) or datetime.min.replace(tzinfo=UTC), greatest(row, names)),
        default=None,
    )
    return tuple(None if latest is None else latest[name] for name in names)


MOMENTS = st.integers(0, 8)
CUSTOMERS = st.sampled_from([1, 2, None])
SHOPS = st.sampled_from(["north", None])
VALUES = st.sampled_from([None, 1.0, 2.0])


@st.composite
def source_rows(draw: st.DrawFn) -> list[Row]:
    """Rows with equal event times, equal creations, duplicates, late creation, missing keys and times."""
    row = st.fixed_dictionaries(
        {
            "customer_id": CUSTOMERS,
            "shop_code": SHOPS,
            "observed": st.one_of(MOMENTS, MOMENTS, MOMENTS, st.none()).map(at),
            "created": st.one_of(MOMENTS, MOMENTS, MOMENTS, st.none()).map(at),
            "value": VALUES,
            "other": VALUES,
        }
    )
    return draw(st.lists(row, max_size=9))


@settings(max_examples=120)
@given(
    source_rows(),
    source_rows(),
    st.lists(st.tuples(CUSTOMERS, SHOPS, st.one_of(st.integers(-2, 16), st.none()).map(at)), min_size=1, max_size=40),
    st.sampled_from([None, timedelta(0), TTL]),
    st.sampled_from([0, 1, 6]),
    st.booleans(),
    st.sampled_from(["known", "event"]),
)
def test_every_request_gets_the_row_that_the_rule_names(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[Row],
    second: list[Row],
    asked: list[tuple[int | None, str | None, datetime | None]],
    ttl: timedelta | None,
    delay: int,
    keep: bool,
    as_of: AsOf,
) -> None:
    root = tmp_path_factory.mktemp("rule")
    types = {"shop_code": pa.string(), "created": INSTANT, "other": pa.float64()}
    write(root, "account.parquet", first, **types)
    renamed = [{**row, "second": row["value"], "third": row["other"]} for row in second]
    write(root, "basket.parquet", renamed, shop_code=pa.string(), second=pa.float64(), third=pa.float64())
    views = [
        make_view("account", fields={"value": Float64, "other": Float64}, ttl=ttl, created=True),
        make_view("basket", fields={"third": Float64, "second": Float64}, entities=[CUSTOMER, SHOP], ttl=TTL),
    ]
    uncreated = [{name: value for name, value in row.items() if name != "created"} for row in renamed]
    found = join(make_repository(root), views, requests(asked), delay * STEP, keep=keep, as_of=as_of)
    for (customer, shop, instant), row in zip(asked, found, strict=True):
        of_account = expected(
            first, ["value", "other"], instant, {"customer_id": customer}, ttl or None, delay * STEP, as_of
        )
        keys = {"customer_id": customer, "shop_code": shop}
        assert row == of_account + expected(uncreated, ["third", "second"], instant, keys, TTL, delay * STEP)


@pytest.mark.parametrize(("seed", "as_of"), [(0, "known"), (1, "known"), (2, "event")])
def test_rows_are_identical_to_those_of_feast_s_duckdb_store(tmp_path: Path, seed: int, as_of: AsOf) -> None:
    """Where several rows have one event time, one creation and several contents, Feast's answer is arbitrary."""
    source = random.Random(seed)

    def rows(name: str, late: bool) -> list[Row]:
        found = {}
        for _ in range(3000):
            customer, shop = source.choice([*range(200), None]), source.choice(["north", "south", None])
            observed = source.choice([*range(12), None])
            created = observed if observed is None or not late else observed + source.choice([0, 0, 1, 7, -3])
            created = source.choice([created] * 9 + [None]) if late else created
            row = {"customer_id": customer, "shop_code": shop, "observed": at(observed), "created": at(created)}
            place = (customer, None if name == "account" else shop, observed, created)
            found.setdefault(place, {**row, name: source.choice([None, source.random()])})
        duplicates = source.sample(list(found.values()), 50)
        return [*found.values(), *duplicates]

    types = {"shop_code": pa.string(), "created": INSTANT}
    for name in ("account", "basket", "weather"):
        write(tmp_path, f"{name}.parquet", rows(name, name != "weather"), **types, **{name: pa.float64()})
    views = [
        make_view("account", fields={"account": Float64}, ttl=TTL, created=True),
        make_view("basket", fields={"basket": Float64}, entities=[CUSTOMER, SHOP], created=True),
        pushed(make_view("weather", fields={"weather": Float64}, entities=[CUSTOMER, SHOP], ttl=TTL - STEP)),
    ]
    asked = requests(
        (
            source.choice([*range(210), None]),
            source.choice(["north", "south", "east", None]),
            at(source.randint(-2, 24)),
        )
        for _ in range(3000)
    )
    asked = pa.concat_tables([asked, asked.slice(0, 100)])
    found = join(make_repository(tmp_path), views, asked, as_of=as_of)
    assert found == join_by_feast(tmp_path, views, asked, as_of)
    assert 100 < sum(row[0] is not None for row in found) < 2900


def test_a_view_without_entities_answers_everybody_and_as_feast_does(tmp_path: Path) -> None:
    write(tmp_path, "rate.parquet", [{"observed": at(0), "value": 1.0}, {"observed": at(4), "value": 2.0}])
    view = make_view("rate", entities=[], ttl=TTL)
    asked = requests((customer, at(moment)) for moment in range(-1, 11) for customer in (1, None))
    found = join(make_repository(tmp_path), [view], asked)
    assert [row[0] for row in found[::2]] == [None, 1.0, 1.0, 1.0, 1.0, *[2.0] * 6, None]
    assert found[::2] == found[1::2]
    assert found == join_by_feast(tmp_path, [view], asked)


def test_times_of_every_unit_and_zone_are_read_as_feast_reads_them(tmp_path: Path) -> None:
    types = {
        **{f"{unit}_{zone}": pa.timestamp(unit, tz=zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")},
        "us_paris": pa.timestamp("us", tz="Europe/Paris"),
    }
    write(tmp_path, "date.parquet", [{"customer_id": 1, "observed": date(2024, 3, 1), "date": 1.0}],
          observed=pa.date32(), date=pa.float64())  # fmt: skip
    texts = ["2024-03-01 00:00:00", "2024-03-01T01:00:00.000003+01:00"]
    write(tmp_path, "text.parquet", [{"customer_id": 1, "observed": text, "text": 1.0 + place}
          for place, text in enumerate(texts)], observed=pa.string(), text=pa.float64())  # fmt: skip
    for name, type_ in types.items():
        moments = pa.array([START.replace(tzinfo=None if type_.tz is None else UTC)], type_)
        columns = {"customer_id": pa.array([1]), "observed": moments, name: pa.array([1.0])}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    views = [make_view(name, fields={name: Float64}) for name in (*types, "date", "text")]
    asked = requests((1, at(moment)) for moment in (-1, 0, 3))
    found = join(make_repository(tmp_path), views, asked)
    assert found == [(None,) * 11, (1.0,) * 11, (*(1.0,) * 10, 2.0)]
    assert found == join_by_feast(tmp_path, views, asked)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_digits_beyond_the_microsecond_are_cut_off_as_feast_cuts_them(tmp_path: Path, zone: str | None) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    columns = {
        "customer_id": pa.array([1, 2]),
        "observed": pa.array([1900, -1900], pa.int64()).cast(pa.timestamp("ns", tz=zone)),
        "value": pa.array([1.0, 2.0]),
    }
    pq.write_table(pa.table(columns), tmp_path / "account.parquet")
    asked = requests((customer, epoch + moment * STEP) for customer in (1, 2) for moment in (-2, -1, 0, 1))
    found = join(make_repository(tmp_path), [make_view()], asked)
    assert [row[0] for row in found] == [None, None, None, 1.0, None, 2.0, 2.0, 2.0]
    assert found == join_by_feast(tmp_path, [make_view()], asked)


def test_the_field_mapping_renames_keys_times_and_features_as_feast_does(tmp_path: Path) -> None:
    columns = {"id": pa.array([1, 2]), "seen": pa.array([START, at(2)], INSTANT), "v": pa.array([1.0, 2.0])}
    pq.write_table(pa.table(columns), tmp_path / "account.parquet")
    view = make_view(field_mapping={"id": "customer_id", "seen": "observed", "v": "value", "absent": "other"})
    asked = requests([(1, START), (2, at(1)), (2, at(2))])
    found = join(make_repository(tmp_path), [view], asked)
    assert found == [(1.0,), (None,), (2.0,)]
    assert found == join_by_feast(tmp_path, [view], asked)


@pytest.mark.parametrize("path", ["parts/*.parquet", "parts/**/*.parquet", "parts/day=*/[ab].parquet", "parts"])
def test_several_files_are_read_as_feast_reads_them(tmp_path: Path, path: str) -> None:
    within = "parts" if path == "parts/*.parquet" else "parts/day=2024-03-01"
    write(tmp_path, f"{within}/a.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    columns = pq.read_table(tmp_path / within / "a.parquet").select(["value", "observed", "customer_id"])
    other = columns.set_column(2, "customer_id", pa.array([2]))
    pq.write_table(other, tmp_path / within / "b.parquet")
    view = make_view(path=path, file_format=ParquetFormat())
    asked = requests([(1, START), (2, START), (3, START)])
    found = join(make_repository(tmp_path), [view], asked)
    assert found == [(1.0,), (1.0,), (None,)]
    assert found == join_by_feast(tmp_path, [view], asked)


def test_a_repository_whose_path_looks_like_a_pattern_is_that_folder_alone(tmp_path: Path) -> None:
    for folder, value in (("shop[1]", 1.0), ("shop1", 2.0)):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "account.parquet", [{"customer_id": 1, "observed": START, "value": value}])
    assert join(make_repository(tmp_path / "shop[1]"), [make_view()], requests([(1, START)])) == [(1.0,)]


def test_no_request_is_lost_or_repeated(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}] * 3)
    asked = requests([(1, START)] * 1000 + [(9, START)] * 1000)
    assert join(make_repository(tmp_path), [make_view()], asked) == [(1.0,)] * 1000 + [(None,)] * 1000


def test_values_of_every_type_come_as_the_file_has_them(tmp_path: Path) -> None:
    fields = {"whole": Int64, "text": String, "moment": UnixTimestamp, "many": Array(Float64)}
    row = {"customer_id": 1, "observed": START, "whole": 2**53 + 1, "text": "é", "moment": at(3), "many": [1.0, None]}
    types = {"whole": pa.int64(), "text": pa.string(), "moment": INSTANT, "many": pa.list_(pa.float64())}
    write(tmp_path, "account.parquet", [row], **types)
    found = join(make_repository(tmp_path), [make_view(fields=fields)], requests([(1, START), (2, START)]))
    assert found == [tuple(row[name] for name in fields), (None,) * 4]


# Where Feast's answer is wrong or arbitrary: docs/point_in_time.md has the list.


def test_rows_that_tie_in_every_time_are_told_apart_by_content_and_by_feast_by_their_place(tmp_path: Path) -> None:
    rows = [{"customer_id": 1, "observed": START, "value": value} for value in (1.0, 3.0, None, 2.0, math.nan)]
    ours, theirs = set(), set()
    for turn in range(5):
        write(tmp_path, "account.parquet", rows[turn:] + rows[:turn])
        ours |= set(join(make_repository(tmp_path), [make_view()], requests([(1, START)])))
        theirs |= set(join_by_feast(tmp_path, [make_view()], requests([(1, START)])))
    assert ours == {(3.0,)}
    assert len(theirs) > 1


def test_which_of_two_tying_rows_answers_does_not_depend_on_what_is_asked(tmp_path: Path) -> None:
    rows = [{"customer_id": 1, "observed": START, "first": f, "value": v} for f, v in ((1.0, 9.0), (2.0, 8.0))]
    write(tmp_path, "account.parquet", rows, first=pa.float64())
    repository, view = make_repository(tmp_path), make_view(fields={"value": Float64, "first": Float64})
    with open_session() as connection:
        asked = requests([(1, START)])
        connection.register("asked", asked)
        for names in (["value"], ["first"], ["value", "first"]):
            answers = read_answers(connection, repository, view, names)
            relation = join_as_of(connection, "asked", [answers], instant="asked_at")
            found = connection.execute(f"SELECT * FROM {relation}").fetchall()
            assert found == [tuple({"value": 8.0, "first": 2.0}[name] for name in names)]


def test_a_feature_called_event_expire_timestamp_is_the_feature_and_to_feast_the_end_of_the_ttl(tmp_path: Path) -> None:
    fields = {"event_expire_timestamp": UnixTimestamp}
    row = {"customer_id": 1, "observed": START, "event_expire_timestamp": at(-7)}
    write(tmp_path, "account.parquet", [row], event_expire_timestamp=INSTANT)
    view, asked = make_view(fields=fields, ttl=TTL), requests([(1, START)])
    assert join(make_repository(tmp_path), [view], asked) == [(at(-7),)]
    assert join_by_feast(tmp_path, [view], asked) == [(at(5),)]


@pytest.mark.parametrize("name", ["velocity_y", "rn", "event_timestamp", "entity_row_id", "shop_code"])
def test_a_feature_whose_name_feast_needs_for_itself_is_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, name: 4.0}], **{name: pa.float64()})
    write(tmp_path, "place.parquet", [{"shop_code": "north", "observed": START, "value": 1.0}], shop_code=pa.string())
    views = [make_view(fields={name: Float64}), make_view("place", entities=[SHOP])]
    asked = requests([(1, "north", START)])
    assert join(make_repository(tmp_path), views, asked) == [(4.0, 1.0)]
    with pytest.raises(Exception, match=name):
        join_by_feast(tmp_path, views, asked)


def test_a_key_that_is_a_fractional_number_in_the_file_matches_itself_alone(tmp_path: Path) -> None:
    keys = [1.0, 1.5, float(2**53), math.nan, math.inf, 2.0**70, None]
    rows = [{"customer_id": key, "observed": START, "value": float(place)} for place, key in enumerate(keys)]
    write(tmp_path, "account.parquet", rows, customer_id=pa.float64())
    asked = requests((key, START) for key in (1, 2, 2**53, 2**53 + 1, 2**63 - 1, None))
    found = join(make_repository(tmp_path), [make_view()], asked)
    assert [row[0] for row in found] == [0.0, None, 2.0, None, None, None]
    assert [row[0] for row in join_by_feast(tmp_path, [make_view()], asked)] == [0.0, None, 2.0, 2.0, None, None]


def test_fractional_keys_of_requests_match_whole_ones(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": key, "observed": START, "value": float(key)} for key in (1, 2)])
    asked = requests([(1.0, START), (1.5, START), (math.nan, START), (None, START), (2.0, START)], pa.float64())
    assert join(make_repository(tmp_path), [make_view()], asked) == [(1.0,), (None,), (None,), (None,), (2.0,)]


def test_times_that_are_whole_numbers_are_refused_and_by_feast_read_as_seconds(tmp_path: Path) -> None:
    milliseconds = round(START.timestamp() * 1000)
    write(
        tmp_path, "account.parquet", [{"customer_id": 1, "observed": milliseconds, "value": 1.0}], observed=pa.int64()
    )
    with pytest.raises(SkewcheckError, match=r"'observed' of view account is BIGINT[^→]*→ Write it as timestamp"):
        join(make_repository(tmp_path), [make_view()], requests([(1, START)]))
    assert join_by_feast(tmp_path, [make_view()], requests([(1, START)])) == [(None,)]


@pytest.mark.parametrize(("order", "value"), [(["value", "mapped"], 5.0), (["mapped", "value"], 6.0)])
def test_a_name_that_stands_for_two_columns_is_refused_and_feast_reads_the_one_further_on(
    tmp_path: Path, order: list[str], value: float
) -> None:
    row = {"customer_id": 1, "observed": START, "value": 6.0, "mapped": 5.0}
    write(tmp_path, "account.parquet", [row], mapped=pa.float64())
    table = pq.read_table(tmp_path / "account.parquet")
    pq.write_table(table.select(["customer_id", "observed", *order]), tmp_path / "account.parquet")
    view = make_view(field_mapping={"mapped": "value"})
    with pytest.raises(SkewcheckError, match=f"'value' of view account stands for two columns.*{' and '.join(order)}"):
        join(make_repository(tmp_path), [view], requests([(1, START)]))
    assert join_by_feast(tmp_path, [view], requests([(1, START)])) == [(value,)]


def test_a_folder_needs_no_stated_format_and_for_feast_does(tmp_path: Path) -> None:
    write(tmp_path, "parts/a.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    assert join(make_repository(tmp_path), [make_view(path="parts")], requests([(1, START)])) == [(1.0,)]
    with pytest.raises(AttributeError):
        join_by_feast(tmp_path, [make_view(path="parts")], requests([(1, START)]))


def test_of_corrections_the_one_created_last_answers_and_with_feast_s_dask_store_another(tmp_path: Path) -> None:
    rows = [
        {"customer_id": customer, "observed": START, "created": at(turn), "value": float(turn)}
        for customer in range(20)
        for turn in random.Random(customer).sample(range(40), 40)
    ]
    write(tmp_path, "account.parquet", rows, created=INSTANT)
    view, asked = make_view(created=True), requests((customer, at(100)) for customer in range(20))
    assert join(make_repository(tmp_path, "dask"), [view], asked) == [(39.0,)] * 20
    assert join_by_feast(tmp_path, [view], asked) != [(39.0,)] * 20


def test_requests_that_are_equal_or_find_only_old_rows_stay_and_feast_s_dask_store_drops_them(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    view, asked = make_view(ttl=TTL), requests([(1, START), (1, START), (1, at(6))])
    assert join(make_repository(tmp_path, "dask"), [view], asked) == [(1.0,), (1.0,), (None,)]
    assert sorted(join_by_feast(tmp_path, [view], asked), key=str) == [("dropped",), ("dropped",), (1.0,)]


# Errors, and what is left to Feast.


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SkewcheckError, match=r"account\.parquet of view account[^→]*→ Put Parquet files there"):
        join(make_repository(tmp_path), [make_view()], requests([(1, START)]))


@pytest.mark.parametrize("column", ["customer_id", "observed", "created", "value"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}], created=INSTANT)
    table = pq.read_table(tmp_path / "account.parquet")
    pq.write_table(table.drop_columns([column]), tmp_path / "account.parquet")
    with pytest.raises(SkewcheckError, match=f"view account needs the column '{column}'[^→]*→ Correct"):
        join(make_repository(tmp_path), [make_view(created=True)], requests([(1, START)]))


def test_a_key_of_another_type_is_named(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": "1", "observed": START, "value": 1.0}], customer_id=pa.string())
    with pytest.raises(SkewcheckError, match="'customer_id' of view account is text in its source and BIGINT"):
        join(make_repository(tmp_path), [make_view()], requests([(1, START)]))


def test_files_of_one_source_with_other_columns_are_an_error_that_names_the_view(tmp_path: Path) -> None:
    write(tmp_path, "parts/a.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    table = pq.read_table(tmp_path / "parts" / "a.parquet")
    pq.write_table(table.drop_columns(["value"]), tmp_path / "parts" / "b.parquet")
    with pytest.raises(SkewcheckError, match=r"could not be read: account: [^→]*→ Check the sources"):
        join(make_repository(tmp_path), [make_view(path="parts/*.parquet")], requests([(1, START)]), keep=True)


def test_requests_without_a_key_are_named(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    with pytest.raises(SkewcheckError, match="lack customer_id"):
        join(make_repository(tmp_path), [make_view()], requests([(1, START)]).drop_columns(["customer_id"]))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    write(tmp_path, "basket.parquet", [{"customer_id": 1, "observed": START, "value": 2.0}])
    with pytest.raises(ValueError, match="one name: #row, value, value"):
        join(make_repository(tmp_path), [make_view(), make_view("basket")], requests([(1, START)]))


def test_a_negative_delay_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "account.parquet", [{"customer_id": 1, "observed": START, "value": 1.0}])
    with pytest.raises(UsageError, match="delay of view account is negative"):
        join(make_repository(tmp_path), [make_view()], requests([(1, START)]), -STEP)


def pushed(view: FeatureView) -> FeatureView:
    """The same view behind a push source."""
    source = PushSource(name=f"{view.name}_push", batch_source=view.batch_source)
    entities = [{"customer": CUSTOMER, "shop": SHOP}[name] for name in view.entities]
    return FeatureView(name=view.name, entities=entities, schema=view.features, source=source, ttl=view.ttl)


def test_views_on_local_parquet_files_are_joined_here_and_all_others_left_to_feast(tmp_path: Path) -> None:
    for store in ("duckdb", "dask", "file"):
        assert can_join(make_view(), make_repository(tmp_path, store))
        assert can_join(make_view(path="/data/*/parts", file_format=ParquetFormat()), make_repository(tmp_path, store))
    assert not can_join(make_view(), make_repository(tmp_path, "postgres"))
    repository = make_repository(tmp_path)
    assert can_join(pushed(make_view()), repository)
    assert not can_join(make_view(path="s3://bucket/a.parquet"), repository)
    assert not can_join(make_view(file_format=DeltaFormat()), repository)
    assert not can_join(make_view().with_join_key_map({"customer_id": "payer_id"}), repository)


def test_a_repository_that_names_no_offline_store_has_feast_s_own_on_files(tmp_path: Path) -> None:
    repository = make_repository(tmp_path)
    settings = tmp_path / "feature_store.yaml"
    settings.write_text("".join(line for line in settings.open() if "offline_store" not in line))
    assert can_join(make_view(), repository)

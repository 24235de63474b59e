"""Declarations of windows: what they say, and what is refused where it is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Array, Float64, Int64

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.fingerprint import fingerprint, fingerprint_feature, fingerprint_fit
from skewcheck.language.windows.declaration import Windows, describe
from tests.windowed import CUSTOMER, declare, payments

REQUEST = RequestSource(name="request", schema=[Field(name="asked", dtype=Float64)])


def windows_of(build: Callable[..., Any], *, closed: str = "right", name: str = "spent", **events: Any) -> Windows:
    """Windows with one feature."""
    windows = sk.windows("activity", payments(**events), closed=closed)
    windows.feature(named(name, build))
    return windows


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of that name."""
    function.__name__ = name
    return function


def test_a_feature_is_an_aggregate_of_a_column_over_a_window() -> None:
    activity = sk.windows("activity", payments())

    @activity.feature
    def spent_7d(amount: Any) -> Any:
        """What was paid in a week."""
        return amount.sum("7d")

    @activity.feature
    def payments_1h() -> Any:
        return activity.events.count("1h")

    spent, count = activity.features
    assert (spent.name, spent.column, str(spent.type), spent.documentation) == (
        "spent_7d",
        "amount",
        "Float64",
        "What was paid in a week.",
    )
    assert "test_declaration.py" in spent.place
    assert spent.window.length == timedelta(days=7) // timedelta(microseconds=1)
    assert (count.column, str(count.type)) == (None, "Int64")
    assert describe(spent) == "amount.sum(1w)"
    assert describe(count) == "events.count(1h)"


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda amuont: amuont.sum("7d"), "Did you mean 'amount'?"),
        (lambda amount: amount.summ("7d"), "Did you mean 'sum'?"),
        (lambda amount: amount.sum("7 days"), "is not a duration"),
        (lambda amount: amount.sum(), "missing a required argument: 'window'"),
        (lambda amount: amount.sum("7d", 3), "too many positional arguments"),
        (lambda country: country.sum("7d"), "sum takes Float64, Int64, and country is String"),
        (lambda items: items.top_k(3, "7d"), "top_k takes Float64"),
        (lambda amount: amount.top_k(0, "7d"), "k is 0"),
        (lambda amount: amount.last("7d", place=True), "place is True"),
        (lambda amount: amount.last_k(2, "7d", fill=float("nan")), "fill is nan"),
        (lambda amount: amount.quantile(1.5, "7d"), "share is 1.5"),
        (lambda items: items.share("a", "7d"), "category is 'a', expected a Int64"),
        (lambda items: items.share(True, "7d"), "category is True, expected a Int64"),
        (lambda items: items.share(2**63, "7d"), "which is no Int64"),
        (lambda country: country.approximate_distinct_count("7d", size=3), "size is 3"),
        (lambda amount: amount, "returns the column amount, expected an aggregate"),
        (lambda amount: amount.sum("7d") / 2, "its body raised TypeError"),
    ],
)
def test_a_wrong_body_is_refused_with_its_line(build: Callable[..., Any], said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        windows_of(build)
    assert "test_declaration.py:" in str(caught.value)
    assert said in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("name", ["2nd", "a__b", "customer_id", "event_timestamp", "class", "Event_Timestamp"])
def test_a_feature_needs_a_name_of_its_own(name: str) -> None:
    with pytest.raises(DeclarationError, match=name):
        windows_of(lambda amount: amount.sum("7d"), name=name)


def test_two_features_need_two_names() -> None:
    activity = windows_of(lambda amount: amount.sum("7d"))
    with pytest.raises(DeclarationError, match="taken"):
        activity.feature(named("Spent", lambda amount: amount.sum("1d")))


def test_a_service_reads_windows_like_a_view() -> None:
    activity = declare(names=["sum_3s", "country_last_ever", "last_two_3s"])
    service = sk.features("shop", sources=[activity, REQUEST])

    @service.feature
    def share(asked: Any, sum_3s: Any) -> Any:
        return asked / sum_3s

    column = service.sources.columns["sum_3s"]
    assert (column.role, column.source, str(column.type)) == ("store", "activity", "Float64")
    assert str(service.sources.columns["last_two_3s"].type) == "Vector(2)"
    (view,) = service.sources.views
    assert isinstance(view, FeatureView)
    assert [item.name for item in view.features] == ["sum_3s", "country_last_ever", "last_two_3s"]
    assert [item.name for item in view.entity_columns] == ["customer_id"]
    assert service.sources.windows == {"activity": activity}


def test_units_follow_the_values() -> None:
    schema = [Field(name="amount", dtype=Float64, tags={"unit": "EUR"})]
    source = FileSource(path="p.parquet", timestamp_field="paid_at")
    activity = sk.windows("activity", sk.events("payments", source=source, by=CUSTOMER, schema=schema))
    builders = {
        "total": lambda amount: amount.sum("7d"),
        "spread": lambda amount: amount.standard_deviation("7d"),
        "square": lambda amount: amount.variance("7d"),
        "number": lambda amount: amount.count("7d"),
        "quiet": lambda amount: amount.time_since_last("7d"),
    }
    for name, build in builders.items():
        activity.feature(named(name, build))
    units = {column.name: column.unit for column in sk.features("s", sources=[activity]).sources.columns.values()}
    assert units == {"total": "EUR", "spread": "EUR", "square": "EUR ** 2", "number": None, "quiet": "second"}


def test_nothing_can_be_added_once_a_service_has_read_them() -> None:
    activity = windows_of(lambda amount: amount.sum("7d"))
    sk.features("shop", sources=[activity])
    with pytest.raises(DeclarationError, match="after a service"):
        activity.feature(named("late", lambda amount: amount.sum("1d")))


def test_windows_without_features_are_refused() -> None:
    with pytest.raises(DeclarationError, match="no features"):
        sk.features("shop", sources=[sk.windows("activity", payments())])


def test_what_cannot_be_events_is_refused() -> None:
    source = FileSource(path="p.parquet", timestamp_field="paid_at")
    field = Field(name="amount", dtype=Float64)
    untyped = Entity(name="other", join_keys=["other"], value_type=ValueType.DOUBLE)
    for arguments in (
        {"name": "Payments"},
        {"by": untyped},
        {"by": []},
        {"source": REQUEST},
        {"schema": [Field(name="v", dtype=Array(Float64), tags={"size": "2"})]},
        {"schema": [field, Field(name="AMOUNT", dtype=Int64)]},
    ):
        given: dict[str, Any] = {"name": "payments", "source": source, "by": CUSTOMER, "schema": [field]}
        with pytest.raises(DeclarationError):
            sk.events(**{**given, **arguments})
    with pytest.raises(DeclarationError, match="are of Entity, expected events"):
        sk.windows("activity", CUSTOMER)
    with pytest.raises(DeclarationError, match="closed is 'open'"):
        sk.windows("activity", payments(), closed="open")


def definition(activity: Windows) -> tuple[str, str, str]:
    """The fingerprints of a service that reads the feature `spent`, of its one feature and of its fit."""
    service = sk.features("shop", sources=[activity])
    service.feature(named("copy", lambda spent: spent.standardize()))
    (feature,) = service.features
    return fingerprint(service), fingerprint_feature(feature), fingerprint_fit(service)


def test_the_fingerprint_moves_with_everything_that_decides_a_value() -> None:
    versions: list[Windows] = [
        windows_of(lambda amount: amount.quantile(0.5, "7d")),
        windows_of(lambda amount: amount.quantile(0.25, "7d")),
        windows_of(lambda amount: amount.quantile(0.5, "6d")),
        windows_of(lambda amount: amount.quantile(0.5, "unbounded")),
        windows_of(lambda items: items.quantile(0.5, "7d")),
        windows_of(lambda amount: amount.mean("7d")),
        windows_of(lambda amount: amount.quantile(0.5, "7d"), closed="left"),
        windows_of(lambda amount: amount.quantile(0.5, "7d"), created=False),
    ]
    for hashes in zip(*map(definition, versions), strict=True):
        assert len(set(hashes)) == len(versions)


def test_the_fingerprint_is_blind_to_what_decides_none() -> None:
    one = windows_of(lambda amount: amount.mean("7d"))
    other = windows_of(lambda amount: amount.mean("1w"), path="elsewhere.parquet")
    assert definition(one) == definition(other)

"""A wrong declaration fails where it is written: the error names the feature, the line, and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any

import pytest
from feast import Field, RequestSource
from feast.types import Array, Bool, Bytes, Float32, Float64, Int64, String, UnixTimestamp

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.declaring import make_service

COLUMNS = {
    "distance": FLOAT64,
    "duration": FLOAT64,
    "weight": FLOAT64,
    "seats": INT64,
    "late": BOOL,
    "carrier": STRING,
    "departure": TIMESTAMP,
}
UNITS = {"distance": "mile", "duration": "minute", "weight": "kilogram"}


def service() -> sk.Service:
    return make_service(COLUMNS, UNITS)


def truth(distance: Any) -> Any:
    if distance > 5:
        return distance
    return 0.0


def conjunction(distance: Any, duration: Any) -> Any:
    return distance > 5 and duration > 5


def disjunction(distance: Any, duration: Any) -> Any:
    return distance > 5 or duration > 5


def chained(distance: Any) -> Any:
    return 1 < distance < 5


def negated(late: Any) -> Any:
    return not late


def member(carrier: Any) -> Any:
    return carrier in ("UA", "AA")


def shorter(distance: Any, duration: Any) -> Any:
    return min(distance, 5)


@pytest.mark.parametrize("body", [truth, conjunction, disjunction, chained, negated, member, shorter])
def test_pythons_own_choice_and_logic_point_at_when(body: Callable[..., Any]) -> None:
    with pytest.raises(DeclarationError, match="no truth value") as caught:
        service().feature(body)
    assert "sk.when(" in caught.value.remedy
    assert "(a < b) & (b < c)" in caught.value.remedy
    assert body.__name__ in caught.value.message
    assert f"{__file__}:" in caught.value.message


def test_the_line_is_that_of_the_mistake_not_of_the_function() -> None:
    def late_by(distance, seats):
        doubled = distance * 2
        return doubled.lower()

    with pytest.raises(DeclarationError) as caught:
        service().feature(late_by)
    assert f"{__file__}:{late_by.__code__.co_firstlineno + 2}" in caught.value.message


def absent(distanse):
    return distanse


def far_off(zzz):
    return zzz


def raising(distance):
    return distance + {}["nothing"]


def of_nothing(distance):
    distance + 1


def of_a_list(distance):
    return [distance]


WRONG: list[tuple[str, Callable[..., Any], str, str]] = [
    ("a string operator on a number", lambda distance: distance.lower(), "lower takes String", "Convert"),
    ("arithmetic on text", lambda carrier: carrier + 1, "add takes Float64 or Int64", "Convert"),
    ("arithmetic on truth", lambda late: late + 1, "`late` is Bool", "to_number"),
    ("arithmetic on an instant", lambda departure: departure * 2, "`departure` is Timestamp", ".hour()"),
    ("logic on numbers", lambda distance: distance & 1, "both takes Bool", "Convert"),
    ("two types compared", lambda distance, carrier: distance == carrier, "Float64 and String", "equal"),
    ("branches of two types", lambda late: sk.when(late).then(1.0).otherwise("no"), "Float64 and String", "sk.when"),
    ("a filling of another type", lambda carrier: carrier.fill(1), "String and Int64", "one type"),
    ("an unknown operator", lambda distance: distance.standardise(), "no operator 'standardise'", "'standardize'"),
    ("an operator far from any", lambda distance: distance.qqqq(), "no operator 'qqqq'", "standardize"),
    ("two units added", lambda distance, weight: distance + weight, "mile and `weight` in kilogram", "one dimension"),
    ("one dimension, two units", lambda d, distance: d + distance, "add", "Convert one of them"),
    ("an impossible conversion", lambda distance: distance.to("kilogram"), "does not convert", "dimension"),
    ("an unknown unit", lambda distance: distance.to("parsnip"), "'parsnip' is not a unit", "pint"),
    ("a conversion from no unit", lambda seats: seats.to("mile"), "has no unit; state it", "to:"),
    ("two units chosen from", lambda late, d, weight: sk.when(late).then(d).otherwise(weight), "kilogram", "one"),
    ("too few values", lambda distance: sk.minimum(distance), "two or more", "more values"),
    ("too few for cross", lambda carrier: sk.cross(carrier), "takes 2 values and got 1", "cross"),
    ("a missing parameter", lambda distance: distance.quantile_bucket(), "buckets", "quantile_bucket"),
    ("a surplus parameter", lambda distance: distance.log(2), "log", "log"),
    ("an unknown parameter", lambda distance: distance.clip(low=0, high=1, step=2), "step", "clip"),
    ("bounds in the wrong order", lambda distance: distance.clip(2, 1), "low=2.0 is above high=1.0", "clip"),
    ("a bound that is not a number", lambda distance: distance.clip("a", 1), "low must be a finite number", "clip"),
    ("a bound beyond every Float64", lambda distance: distance.clip(0, 10**400), "high must be a finite", "clip"),
    ("a bound that is NaN", lambda distance: distance.clip(math.nan, 1), "low must be a finite number", "clip"),
    ("one bucket", lambda distance: distance.quantile_bucket(1), "at least 2", "quantile_bucket"),
    ("half a bucket", lambda distance: distance.quantile_bucket(2.5), "whole number", "quantile_bucket"),
    ("True buckets", lambda carrier: carrier.hash_bucket(True), "whole number", "hash_bucket"),
    ("too many buckets", lambda carrier: carrier.hash_bucket(2**31 + 1), "at most 2147483648", "hash_bucket"),
    ("no strategy", lambda distance: distance.impute("middle"), '"mean", "median", "mode" or "constant"', "impute"),
    ("an unknown zone", lambda departure: departure.hour("Mars/Olympus"), "IANA", "hour"),
    ("a zone outside the database", lambda departure: departure.hour("../etc/passwd"), "IANA", "hour"),
    ("no categories", lambda carrier: carrier.one_hot([]), "at least one", "one_hot"),
    ("categories in one string", lambda carrier: carrier.one_hot("UA"), "list of at least one", "one_hot"),
    ("categories of two types", lambda carrier: carrier.one_hot(["UA", 1]), "all strings", "one_hot"),
    ("a category twice", lambda carrier: carrier.one_hot(["UA", "UA"]), "'UA' more than once", "one_hot"),
    ("categories of another type", lambda seats: seats.one_hot(["UA"]), "categories are String", "one_hot"),
    ("values of another type", lambda carrier: carrier.is_in([1]), "Int64 constants", "is_in"),
    ("a long period", lambda seats: seats.cyclic_sine(10_001), "at most 10000", "cyclic_sine"),
    ("NaN", lambda distance: distance + math.nan, "finite or missing", "sk.missing"),
    ("an infinity", lambda distance: distance.fill(math.inf), "finite or missing", "sk.missing"),
    ("None", lambda distance: distance.fill(None), "None is no constant", "sk.missing"),
    ("an integer that does not fit", lambda seats: seats + 2**63, "does not fit", "float"),
    ("an integer beyond every Float64", lambda distance: distance + 10**400, "does not fit", "float"),
    ("a local time", lambda departure: departure > datetime(2013, 1, 1), "has no time zone", "tzinfo=UTC"),  # noqa: DTZ001
    ("bytes", lambda carrier: carrier == b"UA", "a bytes", "constant"),
    ("a lone surrogate", lambda carrier: carrier == "\ud800", "lone surrogate", "Remove"),
    ("a lone surrogate among categories", lambda carrier: carrier.one_hot(["\udfff"]), "lone surrogate", "Remove"),
    ("an unknown type", lambda distance: distance.fill(sk.missing("Float")), "'Float' is not a type", "Float64"),
    ("a loop over a value", lambda distance: sum(distance), "one value, not a sequence", "operators"),
    ("Python's float", lambda distance: float(distance), "stands for every row", "log1p"),
    ("Python's math", lambda distance: math.log(distance), "stands for every row", "log1p"),
    ("a number as condition", lambda d: sk.when(d).then(1.0).otherwise(2.0), "choose takes Bool", "Convert"),
    ("a column that is not there", absent, "'distanse'", "Did you mean 'distance'?"),
    ("a column far from any", far_off, "'zzz'", "carrier"),
    ("a body that raises", raising, "KeyError: 'nothing'", "operators"),
    ("a body that returns nothing", of_nothing, "returns None", "Return"),
    ("a body that returns a list", of_a_list, "expected an expression", "Return"),
    ("a default", lambda distance=1.0: distance, "not a plain name", "without defaults"),
    ("a starred parameter", lambda *distance: distance, "not a plain name", "without defaults"),
    ("a keyword-only parameter", lambda *, distance: distance, "not a plain name", "without defaults"),
]  # fmt: skip


def declare(declared: sk.Service, body: Callable[..., Any]) -> Any:
    declared.feature(body)
    return declared.features


@pytest.mark.parametrize(("body", "message", "remedy"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_said_with_the_feature_the_line_and_a_remedy(
    body: Callable[..., Any], message: str, remedy: str
) -> None:
    body.__name__ = "wrong"
    # `d` is a second length, in metres.
    declared = make_service({**COLUMNS, "d": FLOAT64}, {**UNITS, "d": "meter"})
    with pytest.raises(DeclarationError) as caught:
        declare(declared, body)
    assert message in caught.value.message
    assert caught.value.remedy is not None
    assert remedy in caught.value.remedy
    assert caught.value.message.startswith("wrong (")
    line = int(caught.value.message.partition(f"{__file__}:")[2].partition(")")[0])
    assert line - body.__code__.co_firstlineno in (0, 1)
    assert "→ " in str(caught.value)


def test_numbers_and_strings_of_subclasses_become_plain_constants() -> None:
    class Size(IntEnum):
        LARGE = 300

    class Code(str, Enum):  # noqa: UP042 (it prints as its name, unlike a StrEnum)
        UNITED = "UA"

    declared = make_service(
        COLUMNS,
        large=lambda seats: seats >= Size.LARGE,
        united=lambda carrier: carrier == Code.UNITED,
        listed=lambda carrier: carrier.one_hot([Code.UNITED]),
    )
    assert [str(feature.expression) for feature in declared.features] == [
        "(seats >= 300)",
        "(carrier == 'UA')",
        "carrier.one_hot(categories=('UA',))",
    ]


@pytest.mark.parametrize("name", ["class", "None", "lambda", "_hidden", "has__two", "naïve", "1st", "with space", ""])
def test_a_name_that_cannot_be_one_everywhere_is_refused(name: str) -> None:
    def body(distance):
        return distance

    body.__name__ = name
    with pytest.raises(DeclarationError, match="cannot name a feature") as caught:
        service().feature(body)
    assert f"{__file__}:{body.__code__.co_firstlineno}" in caught.value.message
    assert "ASCII letters" in caught.value.remedy


@pytest.mark.parametrize("name", ["distance", "Distance", "CARRIER", "speed", "Speed", "SPEED"])
def test_a_name_that_is_taken_but_for_case_is_refused(name: str) -> None:
    declared = make_service(COLUMNS, speed=lambda distance, duration: distance / duration)

    def body(distance):
        return distance

    body.__name__ = name
    with pytest.raises(DeclarationError, match="is taken by") as caught:
        declared.feature(body)
    assert "rename" in caught.value.remedy


@pytest.mark.parametrize("name", ["select", "order", "table", "from_", "value", "print", "row", "md5", "float", "len"])
def test_words_of_sql_and_pythons_own_functions_can_be_names(name: str) -> None:
    declared = make_service({"x": FLOAT64}, **{name: lambda x: x + 1})
    assert [feature.name for feature in declared.features] == [name]


def test_features_may_be_declared_in_any_order_and_read_each_other() -> None:
    declared = make_service(
        COLUMNS,
        third=lambda second: second + 1,
        second=lambda first: first + 1,
        first=lambda distance: distance + 1,
    )
    assert [feature.name for feature in declared.features] == ["third", "second", "first"]
    assert str(declared.features[0].expression) == "(((distance + 1.0) + 1.0) + 1.0)"
    assert all(feature.reads == ("distance",) for feature in declared.features)


def test_features_that_read_each_other_in_a_circle_are_refused() -> None:
    declared = make_service(COLUMNS, one=lambda two: two + 1, two=lambda three: three + 1, three=lambda one: one + 1)
    with pytest.raises(DeclarationError, match="one → two → three → one") as caught:
        _ = declared.features
    assert __file__ in caught.value.message
    assert caught.value.remedy == "Let one of them read a column instead."


def test_a_feature_that_reads_itself_is_refused() -> None:
    declared = make_service(COLUMNS, own=lambda own: own + 1)
    with pytest.raises(DeclarationError, match="own → own"):
        _ = declared.features


def test_a_service_without_features_is_refused_when_they_are_asked_for() -> None:
    with pytest.raises(DeclarationError, match="trial has no features") as caught:
        _ = service().features
    assert "@" in caught.value.remedy


def test_a_feature_is_a_function() -> None:
    with pytest.raises(DeclarationError, match="a feature is a function"):
        service().feature(len)


def test_a_constant_can_be_a_feature() -> None:
    declared = make_service(COLUMNS, one=lambda: 1.0, copied=lambda distance: distance)
    assert [str(feature.type) for feature in declared.features] == ["Float64", "Float64"]
    assert declared.columns()[0].name == "distance"


class TestTrainingFilter:
    """The rules that say which rows training keeps."""

    def service(self) -> sk.Service:
        training = sk.TrainingSet(entities="rows.parquet", labels=[Field(name="cancelled", dtype=Bool)])
        fields = [Field(name="distance", dtype=Float64)]
        return sk.features("trial", sources=[RequestSource(name="request", schema=fields)], training=training)

    def test_may_read_a_label(self) -> None:
        declared = self.service()

        @declared.trained_on
        def kept(cancelled, distance):
            return ~cancelled & (distance > 0)

        assert [rule.reads for rule in declared.filters] == [("cancelled", "distance")]

    def test_must_be_true_or_false(self) -> None:
        declared = self.service()
        with pytest.raises(DeclarationError, match="gives Float64, expected Bool") as caught:

            @declared.trained_on
            def kept(distance):
                return distance

        assert f"{__file__}:" in caught.value.message
        assert caught.value.remedy == "Return a comparison."

    @pytest.mark.parametrize("build", [lambda x: x.standardize() > 0, lambda x: x.impute("mean") > 0])
    def test_cannot_be_fitted_to_the_rows_that_it_keeps(self, build: Callable[..., Any]) -> None:
        declared = self.service()

        def far(distance):
            return build(distance)

        with pytest.raises(DeclarationError, match="statistics of the rows that it keeps") as caught:
            declared.trained_on(far)
        assert caught.value.message.startswith(f"filter far ({__file__}:")
        assert "constant" in caught.value.remedy

    def test_a_feature_may_not_read_a_label(self) -> None:
        declared = self.service()
        with pytest.raises(DeclarationError, match="'cancelled', a label") as caught:

            @declared.feature
            def leaking(cancelled):
                return cancelled

        assert "serving has" in caught.value.remedy

    @pytest.mark.parametrize("value", ["July", "2013-13-01", 2013, "01/07/2013"])
    def test_the_span_is_of_dates(self, value: Any) -> None:
        with pytest.raises(DeclarationError, match="expected a date") as caught:
            sk.TrainingSet(entities="rows.parquet", start=value)
        assert "ISO 8601" in caught.value.remedy


class TestSources:
    """What a service can read from."""

    @pytest.mark.parametrize("name", ["Trial", "1trial", "a b", "", "class", "a-b"])
    def test_a_service_has_a_plain_name(self, name: str) -> None:
        with pytest.raises(DeclarationError, match="cannot name a service"):
            sk.features(name, sources=[])

    def test_a_source_is_a_feast_object(self) -> None:
        with pytest.raises(DeclarationError, match="is not a source") as caught:
            sk.features("trial", sources=["weather"])
        assert "RequestSource" in caught.value.remedy

    @pytest.mark.parametrize("dtype", [Array(Int64), Bytes])
    def test_a_type_without_a_counterpart_is_refused(self, dtype: Any) -> None:
        source = RequestSource(name="request", schema=[Field(name="x", dtype=dtype)])
        with pytest.raises(DeclarationError, match="field x of request") as caught:
            sk.features("trial", sources=[source])
        assert "Float64" in caught.value.remedy

    def test_an_unknown_unit_names_the_field(self) -> None:
        source = RequestSource(name="request", schema=[Field(name="x", dtype=Float64, tags={"unit": "parsnip"})])
        with pytest.raises(DeclarationError, match="field x of request: 'parsnip' is not a unit") as caught:
            sk.features("trial", sources=[source])
        assert "mile" in caught.value.remedy

    @pytest.mark.parametrize("other", ["x", "X"])
    def test_two_columns_of_one_name_are_refused(self, other: str) -> None:
        sources = [
            RequestSource(name="first", schema=[Field(name="x", dtype=Float64)]),
            RequestSource(name="second", schema=[Field(name=other, dtype=Float64)]),
        ]
        with pytest.raises(DeclarationError, match="of second and column 'x' of first have one name") as caught:
            sk.features("trial", sources=sources)
        assert "Rename" in caught.value.remedy

    @pytest.mark.parametrize("name", ["$x", "#x", "a\x00b", "\ud800", ""])
    def test_a_column_name_that_sql_cannot_hold_is_refused(self, name: str) -> None:
        from skewcheck.language.sources import read_sources

        class Source:
            name = "weather"
            entity_columns: tuple[Any, ...] = ()
            features = (Field(name="fine", dtype=Int64),)

        Source.features[0].name = name
        with pytest.raises(DeclarationError, match="cannot name a column") as caught:
            read_sources("trial", [Source()])
        assert "Rename" in caught.value.remedy

    def test_every_feast_type_with_a_counterpart_is_read(self) -> None:
        fields = [Field(name="a", dtype=Float32), Field(name="b", dtype=String), Field(name="c", dtype=UnixTimestamp)]
        declared = sk.features("trial", sources=[RequestSource(name="request", schema=fields)])
        assert [str(column.type) for column in declared.sources.columns.values()] == ["Float64", "String", "Timestamp"]

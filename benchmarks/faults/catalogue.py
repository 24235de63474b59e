"""Every fault of the bench: single ones at several magnitudes, and pairs on one feature."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.faults.serving import KILOMETRES, Fault

SINGLES: tuple[Fault, ...] = (
    *(Fault("distance_z", "statistics", "statistics", size) for size in (0.1, 1.0, 5.0)),
    *(Fault("fare_robust", "statistics", "statistics", size) for size in (0.1, 1.0, 5.0)),
    *(Fault("distance_scaled", "statistics", "statistics", size) for size in (0.1, 1.0)),
    *(Fault("temperature_z", "statistics", "statistics", size) for size in (0.1, 1.0)),
    Fault("distance_z", "ddof", "statistics", 20_000),
    Fault("distance_z", "identity", "statistics_missing"),
    Fault("fare_robust", "identity", "statistics_missing"),
    *(Fault("distance_z", "rolling", "statistics_rolling", size) for size in (50, 300)),
    Fault("distance_z", "rolling_on_each_pod", "statistics_rolling", 20),
    Fault("distance_z", "kilometres", "unit", KILOMETRES),
    Fault("distance_scaled", "kilometres", "unit", KILOMETRES),
    Fault("distance_scaled", "metres", "unit"),
    Fault("speed", "kilometres", "unit"),
    Fault("speed", "seconds", "unit"),
    Fault("temperature_z", "celsius", "unit"),
    Fault("tip", "cents", "unit"),
    *(Fault("temperature_z", "missing_as", "default", size) for size in (0.0, -1.0, 72.5)),
    *(Fault("rating_filled", "missing_as", "default", size) for size in (0.0, 2.5)),
    Fault("rating_filled", "fill_dropped", "default"),
    Fault("fare_log", "missing_as", "default", 0.0),
    Fault("click_rate", "missing_as", "default", 0.0),
    Fault("city_text", "missing_as", "default"),
    Fault("is_long", "missing_as", "default"),
    Fault("pickup_hour", "utc", "timezone"),
    Fault("pickup_hour", "paris", "timezone"),
    Fault("pickup_hour", "shifted", "timezone", 3),
    Fault("pickup_weekday", "utc", "timezone"),
    Fault("account_days", "local_time", "timezone", -5),
    Fault("account_days", "milliseconds", "epoch_unit"),
    Fault("pickup_weekday", "sunday_first", "recode"),
    Fault("pickup_weekday", "from_one", "recode"),
    Fault("distance_scaled", "other_column", "swapped_column"),
    Fault("speed", "exchanged", "swapped_column"),
    Fault("city_code", "alphabetical", "recode"),
    Fault("city_code", "other_month", "recode"),
    Fault("city_code", "from_zero", "recode"),
    Fault("driver_code", "from_one", "recode"),
    Fault("driver_code", "reversed", "recode"),
    Fault("driver_code", "lost", "recode", 20, also=("out_of_vocabulary",)),
    Fault("payment_one_hot", "alphabetical", "recode"),
    Fault("payment_one_hot", "rotated", "recode"),
    *(Fault("city_code", "unseen", "out_of_vocabulary", size) for size in (-1, 21)),
    Fault("city_code", "not_lowered", "normalization_text"),
    Fault("city_text", "not_lowered", "normalization_text"),
    Fault("city_text", "not_stripped", "normalization_text"),
    Fault("city_text", "uppered", "normalization_text"),
    Fault("distance_z", "float32", "precision"),
    Fault("temperature_z", "float32_input", "precision"),
    Fault("speed", "float32", "precision"),
    *(Fault("distance_z", "round", "rounding", size) for size in (1, 3)),
    *(Fault("speed", "floor", "rounding", size) for size in (1, 2)),
    Fault("tip", "round", "rounding", 0),
    Fault("account_days", "floor", "rounding", 0, also=("cast",)),
    Fault("distance_z", "cut", "cast", 0),
    Fault("click_rate", "overflow", "cast", 16),
    Fault("fare_log", "clip_dropped", "clip"),
    *(Fault("fare_log", "bounds", "clip", size) for size in (40.0, 100.0)),
    Fault("distance_z", "clip_added", "clip", 1.5),
    Fault("distance_z", "log_dropped", "operator_dropped"),
    Fault("fare_log", "log_dropped", "operator_dropped"),
    Fault("demand_root", "root_dropped", "operator_dropped"),
    Fault("fare_robust", "log_first", "operator_added"),
    Fault("demand_root", "log_added", "operator_added"),
    Fault("tip", "negated", "operator_added", also=("unit",)),
    Fault("fare_log", "order", "operator_order"),
    *(Fault("tip", "share", "constant", size) for size in (0.18, 0.1)),
    Fault("tip", "plus", "constant", 2.0),
    Fault("click_rate", "divisor", "constant", 500.0),
    Fault("account_days", "divisor", "constant", 86_164.0),
    Fault("is_long", "limit", "constant", 10.0, also=("bucket_edge",)),
    Fault("is_long", "inclusive", "bucket_edge"),
    Fault("fare_bucket", "right_closed", "bucket_edge"),
    Fault("fare_bucket", "edge_moved", "bucket_edge", 25.0),
    Fault("fare_bucket", "edge_lost", "bucket_edge"),
    Fault("city_hash", "buckets", "hash", 512),
    Fault("city_hash", "crc32", "hash"),
    Fault("city_hash", "sha256", "hash"),
    Fault("city_hash", "whole_md5", "hash"),
    Fault("city_hash", "not_lowered", "normalization_text"),
    Fault("demand_root", "absent", "not_served"),
    Fault("demand_root", "shuffled", "wrong_key"),
    Fault("tip", "shuffled", "wrong_key"),
    Fault("distance_z", "reciprocal", "environment"),
    Fault("distance_z", "plain_log", "environment"),
    Fault("tip", "last_digits", "environment"),
    Fault("demand_root", "last_digits", "environment"),
)
"""One fault each."""


def _pair(feature: str, one: tuple[str, str, float], other: tuple[str, str, float]) -> tuple[Fault, Fault]:
    return Fault(feature, one[0], one[1], one[2]), Fault(feature, other[0], other[1], other[2])


PAIRS: tuple[tuple[Fault, Fault], ...] = (
    _pair("distance_z", ("kilometres", "unit", 0), ("round", "rounding", 3)),
    _pair("distance_z", ("statistics", "statistics", 1), ("float32", "precision", 0)),
    _pair("distance_z", ("statistics", "statistics", 1), ("clip_added", "clip", 1.5)),
    _pair("distance_z", ("log_dropped", "operator_dropped", 0), ("missing_as", "default", 0)),
    _pair("temperature_z", ("celsius", "unit", 0), ("missing_as", "default", 0)),
    _pair("temperature_z", ("statistics", "statistics", 1), ("missing_as", "default", -1)),
    _pair("temperature_z", ("celsius", "unit", 0), ("round", "rounding", 2)),
    _pair("speed", ("kilometres", "unit", 0), ("floor", "rounding", 2)),
    _pair("speed", ("seconds", "unit", 0), ("missing_as", "default", 0)),
    _pair("fare_log", ("clip_dropped", "clip", 0), ("missing_as", "default", 0)),
    _pair("fare_log", ("bounds", "clip", 40), ("round", "rounding", 2)),
    _pair("fare_robust", ("statistics", "statistics", 1), ("round", "rounding", 2)),
    _pair("rating_filled", ("missing_as", "default", 0), ("round", "rounding", 0)),
    _pair("tip", ("share", "constant", 0.18), ("round", "rounding", 1)),
    _pair("tip", ("cents", "unit", 0), ("round", "rounding", 0)),
    _pair("click_rate", ("divisor", "constant", 500), ("missing_as", "default", 0)),
    _pair("account_days", ("local_time", "timezone", -5), ("floor", "rounding", 0)),
    _pair("city_code", ("not_stripped", "normalization_text", 0), ("unseen", "out_of_vocabulary", -1)),
    _pair("city_text", ("not_stripped", "normalization_text", 0), ("missing_as", "default", 0)),
    _pair("is_long", ("limit", "constant", 10), ("missing_as", "default", 0)),
)
"""Two faults on one feature."""


VERSIONS: tuple[Fault, ...] = (
    Fault("distance_z", "another_model", "mixed_versions"),
    Fault("tip", "another_model", "mixed_versions"),
    Fault("click_rate", "another_model", "mixed_versions"),
    Fault("temperature_z", "celsius", "unit"),
    Fault("pickup_hour", "utc", "timezone"),
    Fault("city_code", "alphabetical", "recode"),
)
"""What another version of the service does to some requests; of a model that is not in the repo only that is told."""


@dataclass(frozen=True)
class Shared:
    """One fault of what several features read.

    Attributes:
        kind: The kind of cause that it is.
        faults: What it does to each feature.
    """

    kind: str
    faults: tuple[Fault, ...]

    @property
    def features(self) -> frozenset[str]:
        """The features."""
        return frozenset(fault.feature for fault in self.faults)


SHARED: tuple[Shared, ...] = (
    Shared(
        "unit",
        (
            Fault("distance_z", "kilometres", "unit"),
            Fault("distance_scaled", "kilometres", "unit"),
            Fault("speed", "kilometres", "unit"),
        ),
    ),
    Shared("timezone", (Fault("pickup_hour", "utc", "timezone"), Fault("pickup_weekday", "utc", "timezone"))),
    Shared(
        "normalization_text",
        (
            Fault("city_code", "not_stripped", "normalization_text"),
            Fault("city_text", "not_stripped", "normalization_text"),
        ),
    ),
)
"""Faults of which each has to give one finding, alone and beside another."""

"""The features as they are written with pandas and with scikit-learn: what people have today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from benchmarks.payments.by_hand import read_countries
from benchmarks.payments.declaration import AGE_EDGES, AMOUNT_EDGES, CHANNELS, CROSS_BUCKETS, HASH_BUCKETS

PLACES = ["latitude", "longitude", "merchant_latitude", "merchant_longitude"]


def fit_pipeline(frame: pd.DataFrame) -> ColumnTransformer:
    """A fitted scikit-learn transformer of the twenty features."""
    text = FunctionTransformer(_normalise)
    transformer = ColumnTransformer(
        [
            ("amount_log_z", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["amount"]),
            ("balance_scaled", MinMaxScaler(), ["balance"]),
            ("income_robust", RobustScaler(), ["income"]),
            ("amount_bucket", make_pipeline(SimpleImputer(), KBinsDiscretizer(11, encode="ordinal")), ["amount"]),
            ("channel", OneHotEncoder(categories=[list(CHANNELS)], handle_unknown="ignore"), ["channel"]),
            (
                "merchant_code",
                make_pipeline(
                    text,
                    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=1000),
                ),
                ["merchant"],
            ),
            ("merchant_hash", make_pipeline(text, FunctionTransformer(_hash)), ["merchant"]),
            ("merchant_length", make_pipeline(text, FunctionTransformer(_length)), ["merchant"]),
            ("merchant_country", FunctionTransformer(_cross), ["merchant", "country"]),
            ("age_filled", SimpleImputer(strategy="median", add_indicator=True), ["age"]),
            ("age_bucket", FunctionTransformer(_age_bucket), ["age"]),
            ("income_clipped", FunctionTransformer(_clip), ["income"]),
            ("distance", FunctionTransformer(_haversine), PLACES),
            ("time", FunctionTransformer(_time_parts), ["paid_at"]),
            ("ratio", FunctionTransformer(_ratio), ["amount", "balance"]),
        ],
        sparse_threshold=0.0,
    )
    return transformer.fit(frame)


def transform_frame(state: Mapping[str, Mapping[str, Any]]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The features of a frame, vectorised with pandas and NumPy."""
    amount, balance = state["amount.log1p().standardize()"], state["balance.min_max()"]
    income, age = state["income.robust_scale()"], state["age.impute(strategy='median')"]["median"]
    entries = state["merchant.lower().strip().vocabulary(size=1000)"]["entries"]
    codes = {name: code for code, name in enumerate(entries, 1)}
    countries = read_countries(state["amount.standardize_by(country)"])
    means = {country: mean for country, (mean, _) in countries.items()}
    deviations = {country: std for country, (_, std) in countries.items()}

    def transform(frame: pd.DataFrame) -> pd.DataFrame:
        names = frame["merchant"].str.lower().str.strip()
        hour = frame["paid_at"].dt.hour
        parts = {
            "amount_log_z": (np.log1p(frame["amount"]) - amount["mean"]) / amount["std"],
            "balance_scaled": (frame["balance"] - balance["minimum"]) / balance["range"],
            "income_robust": (frame["income"] - income["median"]) / income["range"],
            "amount_bucket": np.searchsorted(AMOUNT_EDGES, frame["amount"], side="right"),
            "merchant_name": names,
            "merchant_code": names.map(codes).fillna(0),
            "merchant_hash": _hash(names.to_frame()).iloc[:, 0],
            "age_filled": frame["age"].fillna(age),
            "income_clipped": frame["income"].clip(0.0, 250_000.0),
            "distance": _haversine(frame[PLACES]).iloc[:, 0],
            "hour_sine": np.sin(hour * (2 * np.pi / 24)),
            "hour_cosine": np.cos(hour * (2 * np.pi / 24)),
            "weekday": frame["paid_at"].dt.dayofweek,
            "weekend": frame["paid_at"].dt.dayofweek >= 5,
            "amount_to_balance": frame["amount"] / frame["balance"].replace(0.0, np.nan),
            "merchant_length": names.str.len(),
            "merchant_country": _cross(frame[["merchant", "country"]]).iloc[:, 0],
            "age_bucket": np.searchsorted(AGE_EDGES, frame["age"], side="right"),
            "age_missing": frame["age"].isna(),
            "amount_z_in_country": (frame["amount"] - frame["country"].map(means)) / frame["country"].map(deviations),
        }
        parts |= {f"channel_{name}": (frame["channel"] == name).astype(float) for name in CHANNELS}
        return pd.DataFrame(parts, index=frame.index)

    return transform


def _normalise(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.apply(lambda column: column.fillna("").str.lower().str.strip())


def _bucket(text: object, buckets: int) -> int:
    return int(md5(str(text).encode(), usedforsecurity=False).hexdigest()[:8], 16) % buckets


def _hash(frame: pd.DataFrame) -> pd.DataFrame:
    values, places = np.unique(frame.iloc[:, 0].fillna("").to_numpy(dtype=object).astype(str), return_inverse=True)
    codes = np.array([_bucket(value, HASH_BUCKETS) for value in values])
    return pd.DataFrame({"bucket": codes[places]}, index=frame.index)


def _cross(frame: pd.DataFrame) -> pd.DataFrame:
    joined = _normalise(frame[["merchant"]])["merchant"] + "\x1f" + frame["country"].fillna("")
    return pd.DataFrame({"bucket": [_bucket(text, CROSS_BUCKETS) for text in joined]}, index=frame.index)


def _length(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.apply(lambda column: column.str.len())


def _age_bucket(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"bucket": np.searchsorted(AGE_EDGES, frame["age"], side="right")}, index=frame.index)


def _clip(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.clip(0.0, 250_000.0)


def _haversine(frame: pd.DataFrame) -> pd.DataFrame:
    latitude, longitude, to_latitude, to_longitude = (np.radians(frame[name]) for name in PLACES)
    north, east = np.sin((to_latitude - latitude) / 2), np.sin((to_longitude - longitude) / 2)
    chord = north**2 + np.cos(latitude) * np.cos(to_latitude) * east**2
    return pd.DataFrame({"distance": 2 * 6371.0088 * np.arcsin(np.sqrt(chord))}, index=frame.index)


def _time_parts(frame: pd.DataFrame) -> pd.DataFrame:
    at = frame["paid_at"].dt
    angle = at.hour * (2 * np.pi / 24)
    parts = {"sine": np.sin(angle), "cosine": np.cos(angle), "weekday": at.dayofweek, "weekend": at.dayofweek >= 5}
    return pd.DataFrame(parts, index=frame.index)


def _ratio(frame: pd.DataFrame) -> pd.DataFrame:
    ratio = frame["amount"] / frame["balance"].replace(0.0, np.nan)
    return pd.DataFrame({"ratio": ratio}, index=frame.index)

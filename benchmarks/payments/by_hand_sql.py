"""The twenty features as one query for DuckDB, as well as we can write it by hand.

Its values are those of the generated query, bit for bit. Where it is cleverer: texts are worked on once for each
distinct merchant and joined back; a range covers what is not finite; the exponent of a number need not be exact, as
long as the number is divided by the power of two that was guessed; absolute values and roots are plain calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.payments.by_hand import COSINES, DIAMETER, SINES, read_countries
from benchmarks.payments.declaration import AGE_EDGES, AMOUNT_EDGES, CHANNELS, CROSS_BUCKETS, HASH_BUCKETS

_SPACE = "' ' || chr(9) || chr(10) || chr(13) || chr(12) || chr(11)"
_LETTERS = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'"
_SINE = (-0.16666666666666632, 0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-06)
_SINE += (-2.5050760253406863e-08, 1.58969099521155e-10)
_COSINE = (0.0416666666666666, -0.001388888888887411, 2.480158728947673e-05, -2.7557314351390663e-07)
_COSINE += (2.087572321298175e-09, -1.1359647557788195e-11)
_ARCTANGENT = (0.3333333333333293, -0.19999999999876483, 0.14285714272503466, -0.11111110405462356)
_ARCTANGENT += (0.09090887133436507, -0.0769187620504483, 0.06661073137387531, -0.058335701337905735)
_ARCTANGENT += (0.049768779946159324, -0.036531572744216916, 0.016285820115365782)
_EVEN = (0.3999999999940942, 0.22222198432149784, 0.15313837699209373)
_ODD = (0.6666666666666735, 0.2857142874366239, 0.1818357216161805, 0.14798198605116586)


def write_sql(state: Mapping[str, Mapping[str, Any]], source: str) -> str:
    """The features of every row of `source`, without its columns.

    Args:
        state: The fitted statistics.
        source: A relation, as SQL text.
    """
    levels = [
        _merchants(state, source),
        _countries(state),
        f"""numbers AS NOT MATERIALIZED (
  SELECT {_finite("amount")} AS amount, {_finite("balance")} AS balance, {_finite("age")} AS age,
    {_finite("income")} AS income, latitude, longitude, merchant_latitude, merchant_longitude,
    epoch_us(paid_at) AS paid_at, channel, country, merchant
  FROM {source}
)""",
        *_distance_levels(),
        *_logarithm_levels(),
    ]
    joined = "logarithms LEFT JOIN merchants USING (merchant) LEFT JOIN countries USING (country)"
    return f"WITH {', '.join(levels)}\nSELECT {_outputs(state)}\nFROM {joined}"


def _merchants(state: Mapping[str, Mapping[str, Any]], source: str) -> str:
    """What depends on the merchant's name alone, for each distinct one."""
    entries = state["merchant.lower().strip().vocabulary(size=1000)"]["entries"]
    codes = ", ".join(f"({_text(name)}, {code})" for code, name in enumerate(entries, 1))
    return f"""merchants AS NOT MATERIALIZED (
  SELECT merchant, name, coalesce(code, 0) AS code, {_digest("name")} % {HASH_BUCKETS} AS hashed, length(name) AS length
  FROM (
    SELECT merchant, trim(
      CASE WHEN strlen(merchant) = length(merchant) THEN lower(merchant) ELSE translate(merchant, {_LETTERS}) END,
      {_SPACE}) AS name
    FROM (SELECT DISTINCT merchant FROM {source} WHERE merchant IS NOT NULL)
  ) LEFT JOIN (VALUES {codes}) AS codes(entry, code) ON entry = name
)"""


def _countries(state: Mapping[str, Mapping[str, Any]]) -> str:
    rows = read_countries(state["amount.standardize_by(country)"]).items()
    values = ", ".join(f"({_text(country)}, {_number(mean)}, {_number(std)})" for country, (mean, std) in rows)
    return f"countries(country, mean, std) AS NOT MATERIALIZED (VALUES {values})"


def _distance_levels() -> list[str]:
    """The haversine kernel: `angle` is half the angle between the points, before it is known to be in range."""
    apart = "abs(merchant_longitude - longitude)"
    around = "(180e0 - abs(longitude)) + (180e0 - abs(merchant_longitude))"
    halves = {
        "north": "abs(merchant_latitude - latitude) * 0.5e0",
        "middle": "abs(merchant_latitude + latitude) * 0.5e0",
        "east": f"(CASE WHEN {apart} > 180e0 THEN {around} ELSE {apart} END) * 0.5e0",
    }
    steps: list[dict[str, str]] = [{}, {}, {}, {}, {}]
    for name, half in halves.items():
        x, xx = f"{name}_x", f"{name}_xx"
        steps[0][name] = half
        steps[1][x] = f"(CASE WHEN {name} <= 45e0 THEN {name} ELSE 90e0 - {name} END) * 0.017453292519943295e0"
        steps[2][xx] = f"{x} * {x}"
        steps[3][f"{name}_sine"] = f"{x} + {xx} * {x} * {_polynomial(xx, _SINE)}"
        steps[3][f"{name}_cosine"] = (
            f"(1e0 - {xx} * 0.5e0) + (((1e0 - (1e0 - {xx} * 0.5e0)) - {xx} * 0.5e0)"
            f" + {xx} * ({xx} * {_polynomial(xx, _COSINE)}))"
        )
        sine, cosine = f"{name}_sine * {name}_sine", f"{name}_cosine * {name}_cosine"
        steps[4][f"{name}_s"] = f"CASE WHEN {name} <= 45e0 THEN {sine} ELSE {cosine} END"
        steps[4][f"{name}_c"] = f"CASE WHEN {name} <= 45e0 THEN {cosine} ELSE {sine} END"
    t = "least(chord, rest) / greatest(chord, rest)"
    steps += [
        {
            "chord": "sqrt(north_s * east_c + middle_c * east_s)",
            "rest": "sqrt(north_c * east_c + middle_s * east_s)",
        },
        {"t": t, "steep": "rest < chord"},
        {
            "u": "CASE WHEN t < 0.4375e0 THEN t WHEN t < 0.6875e0 THEN (t * 2e0 - 1e0) / (t + 2e0)"
            " ELSE (t - 1e0) / (t + 1e0) END",
            "high": "CASE WHEN t < 0.4375e0 THEN CASE WHEN steep THEN 1.5707963267948966e0 ELSE 0e0 END"
            " WHEN t < 0.6875e0 THEN CASE WHEN steep THEN 1.1071487177940904e0 ELSE 0.4636476090008061e0 END"
            " ELSE 0.7853981633974483e0 END",
            "low": "CASE WHEN t < 0.4375e0 THEN CASE WHEN steep THEN 6.123233995736766e-17 ELSE 0e0 END"
            " WHEN t < 0.6875e0 THEN CASE WHEN steep THEN 9.40447137356638e-17 ELSE 2.2698777452961687e-17 END"
            " ELSE 3.061616997868383e-17 END",
        },
        {"signed": "CASE WHEN steep THEN -u ELSE u END", "uu": "u * u"},
        {"angle": f"high - ((signed * (uu * {_polynomial('uu', _ARCTANGENT)}) - low) - signed)"},
    ]
    return _chain("numbers", "distances", steps)


def _logarithm_levels() -> list[str]:
    """The kernel of log1p, whose result is `logarithm`."""
    steps = [
        {"total": "CASE WHEN amount > -1e0 THEN amount + 1e0 END"},
        {"guess": "floor(log2(total))"},
        {"quotient": "total / pow(2e0, guess)"},
        {"tall": "quotient > 1.4142135623730951e0"},
        {"k": "CASE WHEN tall THEN guess + 1e0 ELSE guess END"},
        {
            "f": "CASE WHEN k = 0e0 THEN amount WHEN tall THEN quotient * 0.5e0 - 1e0 ELSE quotient - 1e0 END",
            "correction": "CASE WHEN k = 0e0 THEN 0e0 WHEN k > 1e0 THEN (1e0 - (total - amount)) / total"
            " ELSE (amount - (total - 1e0)) / total END",
        },
        {"half": "0.5e0 * f * f", "s": "f / (f + 2e0)"},
        {"z": "s * s"},
        {"w": "z * z"},
        {
            "logarithm": f"k * 0.6931471803691238e0 - ((half - (s * (half + (w * {_polynomial('w', _EVEN)}"
            f" + z * {_polynomial('w', _ODD)})) + (k * 1.9082149292705877e-10 + correction))) - f)"
        },
    ]
    return _chain("distances", "logarithms", steps)


def _outputs(state: Mapping[str, Mapping[str, Any]]) -> str:
    age = state["age.impute(strategy='median')"]["median"]
    amount, balance = state["amount.log1p().standardize()"], state["balance.min_max()"]
    income, everywhere = state["income.robust_scale()"], state["amount.standardize_by(country)"]
    hot = ", ".join(f"CASE WHEN channel = '{name}' THEN 1e0 ELSE 0e0 END" for name in CHANNELS)
    latitudes = "latitude BETWEEN -90e0 AND 90e0 AND merchant_latitude BETWEEN -90e0 AND 90e0"
    longitudes = "longitude BETWEEN -180e0 AND 180e0 AND merchant_longitude BETWEEN -180e0 AND 180e0"
    hour = "paid_at // 3600000000 % 24"
    weekday = "(paid_at // 86400000000 + 3) % 7"
    in_country = (
        f"(amount - coalesce(mean, {_number(everywhere['mean'])})) / coalesce(std, {_number(everywhere['std'])})"
    )
    outputs = {
        "amount_log_z": f"(logarithm - {_number(amount['mean'])}) / {_number(amount['std'])}",
        "balance_scaled": _finite(f"(balance - {_number(balance['minimum'])}) / {_number(balance['range'])}"),
        "income_robust": _finite(f"(income - {_number(income['median'])}) / {_number(income['range'])}"),
        "amount_bucket": _ladder("amount", AMOUNT_EDGES),
        "channel_one_hot": f"[{hot}]",
        "merchant_name": "name",
        "merchant_code": "code",
        "merchant_hash": "coalesce(hashed, 0)",
        "age_filled": f"coalesce(age, {_number(age)})",
        "income_clipped": "CASE WHEN income < 0e0 THEN 0e0 WHEN income > 250000e0 THEN 250000e0 ELSE income END",
        "distance": f"CASE WHEN {latitudes} AND {longitudes} THEN angle * {_number(DIAMETER)} END",
        "hour_sine": f"[{', '.join(map(_number, SINES))}][{hour} + 1]",
        "hour_cosine": f"[{', '.join(map(_number, COSINES))}][{hour} + 1]",
        "weekday": weekday,
        "weekend": f"{weekday} >= 5",
        "amount_to_balance": _finite("amount / nullif(balance, 0e0)"),
        "merchant_length": "length",
        "merchant_country": f"{_digest('name || chr(31) || country')} % {CROSS_BUCKETS}",
        "age_bucket": _ladder("age", AGE_EDGES),
        "age_missing": "age IS NULL",
        "amount_z_in_country": _finite(in_country),
    }
    return ",\n  ".join(f"{text} AS {name}" for name, text in outputs.items())


def _chain(first: str, last: str, steps: Sequence[Mapping[str, str]]) -> list[str]:
    """Common table expressions, each of which adds columns to the one before."""
    names = [first, *(f"{last}_{place}" for place in range(1, len(steps))), last]
    return [
        f"{name} AS NOT MATERIALIZED (SELECT *, {_select(step)} FROM {below})"
        for below, name, step in zip(names, names[1:], steps, strict=False)
    ]


def _select(step: Mapping[str, str]) -> str:
    return ", ".join(f"{text} AS {column}" for column, text in step.items())


def _polynomial(x: str, coefficients: Sequence[float]) -> str:
    *rest, last = coefficients
    text = _number(last)
    for coefficient in reversed(rest):
        text = f"({_number(coefficient)} + {x} * {text})"
    return text


def _finite(expression: str) -> str:
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"


def _ladder(column: str, edges: Sequence[float]) -> str:
    """How many edges are not above the column."""
    steps = " ".join(f"WHEN {column} < {_number(edge)} THEN {place}" for place, edge in enumerate(edges))
    return f"CASE {steps} WHEN {column} IS NOT NULL THEN {len(edges)} END"


def _digest(text: str) -> str:
    """The first 32 bits of the MD5, big-endian, of which DuckDB gives the bytes in the other order."""
    number = f"CAST(md5_number({text}) & 4294967295 AS BIGINT)"
    return f"((({number} & 255) << 24) + (({number} & 65280) << 8) + (({number} >> 8) & 65280) + ({number} >> 24))"


def _number(value: float) -> str:
    text = repr(value)
    return f"({text}{'' if 'e' in text else 'e0'})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""Payments that nobody made: the same rows for the same seed, on any machine with the same DuckDB."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.payments.declaration import PLACES, payments
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_text
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State
from skewcheck.generate.generation import Generated, generate

TRAINING_ROWS = 200_000
MERCHANTS = 3000


def write_payments(path: Path, rows: int, seed: int, merchants: int = MERCHANTS) -> None:
    """Write payments as Parquet: 3 % nulls in each column, three years, names spelled in several ways, a few not ASCII.

    Args:
        path: The file.
        rows: How many.
        seed: Two files with different seeds have no row in common.
        merchants: How many names there are; the first ones are met most often.
    """

    def uniform(place: int) -> str:
        return f"(hash(row, {seed}, {place}) % 1000000007 / 1000000007e0)"

    def nullable(place: int, expression: str) -> str:
        return f"CASE WHEN {uniform(100 + place)} >= 0.03 THEN {expression} END"

    merchant = (
        "list_extract(['Shop ', 'Bakery ', 'CINEMA ', 'Hotel ', 'Garage ', 'Books & ', 'Taxi ', 'Café '],"
        " 1 + CAST(CASE WHEN number % 50 = 0 THEN 7 ELSE number % 7 END AS INT)) || number"
    )
    spelled = f"list_extract([name, upper(name), ' ' || name, name || chr(9)], 1 + CAST({uniform(2)} * 3.999 AS INT))"
    start = "epoch_us(TIMESTAMP '2022-01-01')"
    columns = {
        "amount": f"floor(exp({uniform(3)} * 9 - 1) * 100) / 100",
        "balance": f"floor(({uniform(4)} - 0.1) * 2000000) / 100",
        "age": f"CAST(14 + floor({uniform(5)} * 80) AS DOUBLE)",
        "income": f"floor({uniform(6)} * {uniform(7)} * 400000)",
        "latitude": f"35 + {uniform(8)} * 30",
        "longitude": f"-10 + {uniform(9)} * 40",
        "merchant_latitude": f"35 + {uniform(10)} * 30",
        "merchant_longitude": f"-10 + {uniform(11)} * 40",
        "merchant": spelled,
        "channel": (
            f"list_extract(['app', 'atm', 'online', 'phone', 'shop', 'mail'], 1 + CAST({uniform(12)} * 5.9 AS INT))"
        ),
        "country": (
            "list_extract(['AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'NL', 'NO', 'PL',"
            f" 'PT', 'SE', 'SI', 'SK', 'XX'], 1 + CAST(floor({uniform(13)} * 20) AS INT))"
        ),
        "paid_at": f"make_timestamptz({start} + CAST(floor({uniform(14)} * 3 * 365 * 86400e6) AS BIGINT))",
    }
    selected = ", ".join(f"{nullable(place, text)} AS {name}" for place, (name, text) in enumerate(columns.items()))
    number = f"CAST(floor(pow({uniform(1)}, 2) * {merchants}) AS BIGINT)"
    numbers = f"SELECT row, {number} AS number FROM range({rows}) r(row)"
    with open_session() as connection:
        connection.execute(
            f"COPY (SELECT {selected} FROM (SELECT row, {merchant} AS name FROM ({numbers})) ORDER BY row) "
            f"TO {quote_text(str(path))} (FORMAT parquet)"
        )


@cache
def training_set() -> Path:
    """A training set, written once for all benchmarks of this process."""
    path = Path(mkdtemp(prefix="skewcheck-benchmarks-"), "training.parquet")
    write_payments(path, TRAINING_ROWS, seed=1)
    return path


@cache
def fit_payments() -> State:
    """The fitted state of the twenty features."""
    return fit(payments, training_set())


@cache
def generate_payments() -> Generated:
    """The generated code of the twenty features."""
    return generate(payments, fit_payments(), PLACES, {})

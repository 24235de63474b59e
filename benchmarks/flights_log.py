"""A clean log of any length: real flights with the weather of their hour, their features by the generated query."""

from __future__ import annotations

from pathlib import Path

from skewcheck.demo.world import World, make_world
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.generate.manifest import read_manifest

GENERATED = Path(__file__).parent.parent / "codegen" / "departure_delay"
ROWS_PER_FILE = 1_000_000


def departures(world: World) -> str:
    """SQL text of the flights, with values for the windowed columns: any will do, they are read like other columns."""
    return (
        "(SELECT *, CAST(arrival_delay AS DOUBLE) AS airline_delay_24h, hour(event_timestamp) % 4 AS plane_flights_24h "
        f"FROM read_parquet({quote_text(str(world.departures))}))"
    )


def write_log(folder: Path, rows: int) -> None:
    """Write `rows` rows as Parquet files of a million rows."""
    world = make_world(folder.parent / "data")
    manifest = read_manifest(GENERATED / "manifest.json")
    query = (GENERATED / "features.sql").read_text(encoding="utf-8")
    folder.mkdir(parents=True)
    with open_session() as connection:
        columns = ", ".join(quote_name(column.name) for column in manifest.columns)
        connection.execute(
            f"CREATE TABLE requests AS SELECT {columns}, departures.event_timestamp AS requested_at "
            f"FROM {departures(world)} AS departures "
            f"LEFT JOIN read_parquet({quote_text(str(world.weather))}) AS weather "
            "ON weather.origin = departures.origin "
            "AND weather.event_timestamp = date_trunc('hour', departures.event_timestamp) "
            f"LEFT JOIN read_parquet({quote_text(str(world.planes))}) AS planes ON planes.tailnum = departures.tailnum"
        )
        logged = [f"{quote_name(c.name)} AS {quote_name(f'{c.role}.{c.name}')}" for c in manifest.columns]
        logged += [f"{quote_name(f.name)} AS {quote_name(f'feature.{f.name}')}" for f in manifest.features]
        for first in range(0, rows, ROWS_PER_FILE):
            count = min(ROWS_PER_FILE, rows - first)
            inputs = (
                f"SELECT requests.*, 'request-' || ({first} + row_number() OVER ()) AS request_id "
                f"FROM requests, range({ROWS_PER_FILE // 300_000 + 1}) LIMIT {count}"
            )
            connection.execute(
                f"COPY (WITH inputs AS ({inputs}) SELECT request_id, requested_at, '{manifest.definition}' AS "
                f"definition_hash, '{manifest.state}' AS state_hash, {', '.join(logged)} FROM ({query})) "
                f"TO {quote_text(str(folder / f'{first:010}.parquet'))}"
            )

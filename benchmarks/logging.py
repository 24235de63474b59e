"""What logging costs the request path: one call of the writer, while it writes in the background."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime

from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter

LIMIT_SECONDS = 20e-6
CALLS = 20_000
PAUSE_SECONDS = 100e-6


def measure() -> list[tuple[str, float, float]]:
    """Time `LogWriter.log_request` at up to 10,000 requests a second.

    Returns:
        One figure: the median time of a call, over the 20 µs that it may take.

    Raises:
        RuntimeError: Rows were dropped, so that the figure would not be one of logging.
    """
    keys = {"origin": "String", "tail_number": "String"}
    request = {"carrier": "String", "destination": "String", "distance": "Float64", "seats": "Int64"}
    store = {f"field_{number}": "Float64" for number in range(10)}
    features = {f"feature_{number}": "Float64" for number in range(20)}
    schema = LogSchema(
        "benchmark", keys, request, store, features, {"weather": list(store)[:6], "plane": list(store)[6:]}
    )
    row = {
        "keys": {"origin": "JFK", "tail_number": "N14228"},
        "request": {"carrier": "UA", "destination": "IAH", "distance": 1400.0, "seats": 2},
        "store": {name: float(number) for number, name in enumerate(store)},
        "event_times": dict.fromkeys(schema.views, datetime(2013, 7, 1, tzinfo=UTC)),
        "statuses": dict.fromkeys(store, "PRESENT"),
        "features": {name: number / 7 for number, name in enumerate(features)},
    }
    seconds = []
    with tempfile.TemporaryDirectory() as folder, LogWriter(schema, folder) as writer:
        for number in range(CALLS):
            request_id = str(number)
            before = time.perf_counter()
            writer.log_request(request_id=request_id, prediction=0.5, **row)
            after = time.perf_counter()
            seconds.append(after - before)
            time.sleep(PAUSE_SECONDS)
        writer.flush()
        if writer.dropped:
            raise RuntimeError(f"rows were dropped while measuring: {writer.statistics()}")
    return [("log one request, median over 20 µs", statistics.median(seconds) / LIMIT_SECONDS, 1.0)]

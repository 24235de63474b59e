"""A function from a table of inputs to one of features, or a fitted pipeline, as a training path (room: compare)."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from skewcheck.errors import SkewcheckError, TableError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

Frame = Literal["pandas", "arrow"]
"""What a function is given: a pandas frame or an Arrow table."""

REQUEST_ID = "request_id"


class FunctionError(SkewcheckError):
    """A training function raised an error, or gave no table whose rows can be told."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a function gives for some rows.

    Attributes:
        table: The features, one row for each row that it kept, in the order of the inputs.
        kept: The places of those rows among the inputs.
    """

    table: pa.Table
    kept: pa.Array


@dataclass(frozen=True, slots=True)
class TrainingFunction:
    """A training path.

    Attributes:
        name: Where it was found.
        call: The function.
        frame: What it is given.
        inputs: The columns that it asks for by name; None where it does not say.
        names: The names of its outputs where it gives them none itself.
    """

    name: str
    call: Callable[[Any], Any]
    frame: Frame
    inputs: tuple[str, ...] | None = None
    names: Callable[[], Any] | None = None

    def compute(self, inputs: pa.Table) -> Features:
        """The features of some rows.

        A function may leave rows out, or change their order, if its result has their index (pandas) or their
        "request_id".

        Raises:
            FunctionError: It raises an error, or its rows cannot be told.
        """
        if self.frame == "arrow":
            return self._align(self._call(inputs), inputs)
        given = inputs.to_pandas()
        result = self._as_frame(self._call(given))
        if len(result) < len(given) and result.index.equals(_count_from(0, len(result))):
            # Rows were left out at the end, or the others were counted anew: another index tells.
            result = self._as_frame(self._call(given.set_axis(_count_from(len(given), len(given)))))
            result = result.set_axis(result.index - len(given))
        return self._align(result, inputs)

    def _call(self, given: Any) -> Any:
        try:
            return self.call(given)
        except Exception as error:
            raise FunctionError(
                f"{self.name} raised {type(error).__name__}: {error}{self._find_line(error)}",
                remedy="Call it with a table of the log's inputs; a column that it needs has to be logged.",
            ) from error

    def _find_line(self, error: Exception) -> str:
        """Where in the function's own file the error arose; empty where its file is not known."""
        try:
            file = inspect.getsourcefile(self.call)
        except TypeError:
            return ""
        lines = [place.lineno for place in traceback.extract_tb(error.__traceback__) if place.filename == file]
        return f" ({Path(file).name}, line {lines[-1]})" if file and lines else ""

    def _align(self, result: Any, inputs: pa.Table) -> Features:
        """The rows of a result, by their index or their request's id."""
        import pyarrow as pa

        if self.frame == "arrow" and isinstance(result, pa.Table):
            return self._place(result, inputs)
        frame = self._as_frame(result)
        try:
            table = pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, TypeError) as error:
            raise FunctionError(
                f"{self.name} gave a column of mixed values: {error}", remedy="Give each column values of one type."
            ) from error
        index = list(frame.index)
        if REQUEST_ID in table.column_names or index == list(range(inputs.num_rows)):
            return self._place(table, inputs)
        if len(set(index)) < len(index) or not set(index) <= set(range(inputs.num_rows)):
            raise self._unknown_rows(len(index), inputs.num_rows)
        order = sorted(range(len(index)), key=lambda place: index[place])
        return Features(table.take(order), pa.array(sorted(index), pa.int64()))

    def _as_frame(self, result: Any) -> Any:
        """A frame of whatever a function of frames gives: a frame, a series, an array, a sparse matrix."""
        import pandas as pd
        import pyarrow as pa

        if isinstance(result, pa.Table):
            return result.to_pandas()
        if isinstance(result, pd.Series):
            return result.to_frame(result.name if result.name is not None else self.name.rpartition(":")[2])
        if isinstance(result, pd.DataFrame):
            return result.set_axis([str(name) for name in result.columns], axis=1)
        array = result.toarray() if hasattr(result, "toarray") else result
        if getattr(array, "ndim", 0) == 2 and self.names is not None:
            return pd.DataFrame(array, columns=[str(name) for name in self.names()])
        raise FunctionError(
            f"{self.name} gave {type(result).__name__}, expected a table of features",
            remedy="Return a pandas frame or a pyarrow.Table with a column for each feature.",
        )

    def _place(self, table: pa.Table, inputs: pa.Table) -> Features:
        """The rows of a table that has the request ids, or all rows in their order."""
        import pyarrow as pa
        from pyarrow import compute

        if REQUEST_ID in table.column_names and REQUEST_ID in inputs.column_names:
            found = compute.index_in(table[REQUEST_ID], inputs[REQUEST_ID].combine_chunks()).combine_chunks()
            distinct = len(compute.unique(inputs[REQUEST_ID])) == inputs.num_rows
            if distinct and not found.null_count and len(compute.unique(found)) == len(found):
                order = compute.sort_indices(found)
                return Features(table.take(order), found.take(order).cast(pa.int64()))
        if table.num_rows != inputs.num_rows:
            raise self._unknown_rows(table.num_rows, inputs.num_rows)
        return Features(table, pa.array(range(table.num_rows), pa.int64()))

    def _unknown_rows(self, given: int, wanted: int) -> FunctionError:
        return FunctionError(
            f"{self.name} gave {given:,} rows for {wanted:,}, and nothing says which they are",
            remedy=f'Keep the index of the frame, or the column "{REQUEST_ID}".',
        )


def load_function(name: str, frame: Frame | None = None) -> TrainingFunction:
    """Find a training path by name.

    Args:
        name: "package.module:function", or the name of a fitted pipeline there; found from the working directory too.
        frame: What to give it. By default what its first parameter is annotated with, otherwise a pandas frame.

    Raises:
        UsageError: There is no such thing, or it is neither a function nor a fitted pipeline.
    """
    module_name, sign, path = name.partition(":")
    if not (module_name and sign and path):
        raise UsageError(
            f"--replay {name}: expected MODULE:FUNCTION", remedy="Such as --replay features.training:build."
        )
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise UsageError(
            f"--replay {name}: importing {module_name} raised {type(error).__name__}: {error}",
            remedy="Run it where the module can be imported.",
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise UsageError(f"--replay {name}: {module_name} has no {path}", remedy="Check the name after the colon.")
        found = getattr(found, part)
    if hasattr(found, "transform") or hasattr(found, "steps"):
        return _wrap_pipeline(name, found)
    if not callable(found):
        raise UsageError(
            f"--replay {name} is {type(found).__name__}, expected a function of a table or a fitted pipeline",
            remedy="Give a function from a table of inputs to a table of features.",
        )
    return TrainingFunction(name, found, frame or _find_frame(found))


def _find_frame(function: Callable[..., Any]) -> Frame:
    """What a function's first parameter is annotated with; pandas, if it is installed, where that says nothing."""
    if importlib.util.find_spec("pandas") is None:
        return "arrow"
    try:
        first = next(iter(inspect.signature(function).parameters.values()))
    except (StopIteration, TypeError, ValueError):
        return "pandas"
    annotation = first.annotation
    text = annotation if isinstance(annotation, str) else f"{annotation.__module__}.{annotation.__qualname__}"
    if text.rpartition(".")[2] == "Table" or text.startswith(("pyarrow.", "pa.")):
        return "arrow"
    return "pandas"


def _wrap_pipeline(name: str, pipeline: Any) -> TrainingFunction:
    """A fitted scikit-learn pipeline or transformer; a model at its end is left out."""
    if hasattr(pipeline, "steps") and not hasattr(pipeline, "transform"):
        pipeline = pipeline[:-1]
    inputs = getattr(pipeline, "feature_names_in_", None)
    if inputs is None:
        raise UsageError(
            f"--replay {name} does not say which columns it was fitted to",
            remedy="Fit it to a pandas frame, whose columns have names, before you hand it over.",
        )
    columns = [str(column) for column in inputs]

    def transform(frame: Any) -> Any:
        if absent := [column for column in columns if column not in frame.columns]:
            raise TableError(
                f"the log lacks {', '.join(absent)}, which the pipeline was fitted to",
                remedy="Log them; where the log calls one otherwise, say so with --rename NAME=COLUMN.",
            )
        result = pipeline.transform(frame[columns])
        return result.set_axis(frame.index) if hasattr(result, "set_axis") and len(result) == len(frame) else result

    return TrainingFunction(name, transform, "pandas", tuple(columns), getattr(pipeline, "get_feature_names_out", None))


def _count_from(start: int, count: int) -> Any:
    """An index of so many rows."""
    import pandas as pd

    return pd.RangeIndex(start, start + count)

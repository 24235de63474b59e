"""Target encoding: exact smoothed means of a label."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from skewcheck.errors import DeclarationError, StateError
from skewcheck.language.types import FLOAT64, STRING
from tests.both_engines import column
from tests.fitted import fit_and_apply, statistics_of

ROWS = [("abc"[n % 3] if n % 7 else "d", float(n * n % 11)) for n in range(60)]


@pytest.mark.parametrize("smoothing", [0.0, 1.0, 20.0, 0.5])
def test_the_encoding_is_scikit_learns(smoothing: float) -> None:
    reference = TargetEncoder(smooth=smoothing, target_type="continuous")
    reference.fit([[category] for category, _ in ROWS], [label for _, label in ROWS])
    given_rows = ["a", "b", "c", "d", "new"]
    found = fit_and_apply(lambda s, y: s.target_encode("y", smoothing=smoothing), ROWS, [(c, None) for c in given_rows])
    expected = reference.transform(np.array(given_rows, dtype=object)[:, None])[:, 0]
    assert found == pytest.approx(expected.tolist(), rel=1e-12)


pairs = st.tuples(st.sampled_from(["a", "b", None]), st.none() | st.floats(-1e200, 1e200))


@given(st.lists(pairs, max_size=12).map(lambda rows: [("a", 1.5), *rows]), st.sampled_from([0.0, 0.1, 20.0]))
@settings(max_examples=30)
def test_means_are_exact_and_rounded_once(rows: list[Any], smoothing: float) -> None:
    groups: dict[str, list[Fraction]] = {}
    for category, label in rows:
        if category is not None and label is not None:
            groups.setdefault(category, []).append(Fraction(label))
    labels = [label for group in groups.values() for label in group]
    overall, weight = sum(labels, Fraction(0)) / len(labels), Fraction(smoothing)
    means = [[c, float((sum(groups[c]) + weight * overall) / (len(groups[c]) + weight))] for c in sorted(groups)]
    found = statistics_of(lambda s, y: s.target_encode("y", smoothing=smoothing), rows)
    assert found == {"overall": float(overall), "means": means}


@pytest.mark.parametrize("labels", [[True, False, True, None], [1, 0, 1, None], [1.0, 0.0, 1.0, None]])
def test_a_label_is_any_number_or_truth_value(labels: list[Any]) -> None:
    training = list(zip([7, 7, 8, 8], labels, strict=True))
    found = fit_and_apply(lambda n, y: n.target_encode("y", smoothing=0.0), training, [(7, None), (8, None), (9, None)])
    assert found == [0.5, 1.0, pytest.approx(2 / 3)]


def test_a_label_that_is_not_there_or_no_number_is_an_error() -> None:
    with pytest.raises(StateError, match=r"feature result .*label 'delay', which is no column"):
        statistics_of(lambda s, y: s.target_encode("delay"), [("a", 1.0)])
    with pytest.raises(StateError, match=r"feature result .*label 'y', which is a String"):
        statistics_of(lambda s, y: s.target_encode("y"), [("a", "b")])


def test_without_any_label_there_is_no_mean() -> None:
    with pytest.raises(StateError, match="no row with both a value and a label"):
        statistics_of(lambda s, y: s.target_encode("y"), [("a", None)])


@pytest.mark.parametrize("arguments", [(), ("",), (3,), ("y", -1.0), ("y", float("nan")), ("y", "20"), ("y", True)])
def test_parameters_that_cannot_be_meant_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(DeclarationError, match=r"target_encode: .*(label|smoothing)"):
        column("s", STRING).target_encode(*arguments)


def test_serving_does_not_read_the_label() -> None:
    assert str(column("s", STRING).target_encode("late")) == "s.target_encode(label='late')"
    with pytest.raises(DeclarationError, match="takes String or Int64"):
        column("x", FLOAT64).target_encode("late")

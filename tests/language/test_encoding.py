"""Categories as codes, indicators and weights: what was not in training has a stated outcome each time."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import skewcheck as sk
from skewcheck.errors import DeclarationError, StateError
from skewcheck.language.expressions import expand
from skewcheck.language.types import FLOAT64, INT64, STRING, vector
from tests.adversarial import STRINGS
from tests.both_engines import apply, column
from tests.fitted import fit_and_apply, statistics_of

S = column("s", STRING)
WORDS = ["b", "a", "b", "é", "Z", "😀", "\uffff", "", "b", "a", None]


def hashed(text: str, buckets: int) -> int:
    return int(hashlib.md5(text.encode()).hexdigest()[:8], 16) % buckets


@pytest.mark.parametrize("buckets", [1, 2, 7])
def test_unseen_strings_are_shared_out_before_the_codes_of_the_vocabulary(buckets: int) -> None:
    unseen = [text for text in STRINGS if text is not None and text not in WORDS]
    found = fit_and_apply(lambda s: s.vocabulary(out_of_vocabulary=buckets), WORDS, ["b", "a", "", None, *unseen])
    assert found[:4] == [buckets, buckets + 1, buckets + 2, None]
    assert found[4:] == [hashed(text, buckets) for text in unseen]


def test_one_bucket_for_unseen_strings_is_the_default_and_does_not_show() -> None:
    assert str(S.vocabulary(out_of_vocabulary=1)) == "s.vocabulary()"


def test_ordinal_is_scikit_learns() -> None:
    rows = ["b", "a", "é", "Z", "new", "A", ""]
    training = [word for word in WORDS if word is not None]
    reference = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit([[w] for w in training])
    assert fit_and_apply(lambda s: s.ordinal(), WORDS, rows) == reference.transform([[r] for r in rows])[:, 0].tolist()


def test_ordinal_and_frequency_know_whole_numbers() -> None:
    training = [5, -(2**63), 5, 2**63 - 1, None]
    assert fit_and_apply(lambda n: n.ordinal(), training, [5, -(2**63), 2**63 - 1, 6, None]) == [1, 0, 2, -1, None]
    assert fit_and_apply(lambda n: n.frequency_encode(), training, [5, 6, None]) == [0.5, 0.0, None]


def test_frequencies_are_shares_of_the_rows_that_have_a_value() -> None:
    found = fit_and_apply(lambda s: s.frequency_encode(), WORDS, ["b", "a", "😀", "new", None])
    assert found == [0.3, 0.2, 0.1, 0.0, None]
    shares = statistics_of(lambda s: s.frequency_encode(), WORDS)["shares"]
    assert [value for value, _ in shares] == sorted({word for word in WORDS if word is not None})


def test_one_hot_of_the_training_values_is_scikit_learns_in_the_order_of_frequency() -> None:
    reference = OneHotEncoder(categories=[["b", "a", "c"]], handle_unknown="ignore", sparse_output=False)
    rows = ["a", "b", "c", "new"]
    expected = reference.fit([["a"]]).transform([[row] for row in rows]).tolist()
    assert fit_and_apply(lambda s: s.one_hot_encode(3), ["c", "b", "b", "a", "b", "a"], rows) == expected


def test_the_length_of_a_one_hot_is_what_was_declared() -> None:
    assert S.one_hot_encode(5).type == vector(5)
    assert fit_and_apply(lambda n: n.one_hot_encode(3), [4, 4], [4, 5, None]) == [[1.0, 0.0, 0.0], [0.0] * 3, [0.0] * 3]


ITEMS = ["a", "b", "ab", "", "é", "😀", "\x00", "'", "\\", " "]
DELIMITERS = [",", ";;", "|", "é", ".", "\n", "%"]


@given(st.lists(st.sampled_from(ITEMS), max_size=6), st.sampled_from(DELIMITERS))
@settings(max_examples=25)
def test_a_multi_hot_is_of_the_pieces_between_delimiters(pieces: list[str], delimiter: str) -> None:
    text = delimiter.join(pieces)
    categories = [item for item in ITEMS if delimiter not in item]
    expected = [float(item in text.split(delimiter)) for item in categories]
    found = apply(lambda s: s.multi_hot(categories, delimiter=delimiter), [(text,), (None,)])
    assert found == [expected, [0.0] * len(categories)]


def test_tf_idf_is_scikit_learns_without_normalisation() -> None:
    training = ["red green red", "green", "blue green  ", "", "red  red"]
    rows = [*training, "unknown red", "red red red blue"]
    items = ["blue", "green", "red", "never"]
    reference = TfidfVectorizer(vocabulary=items, tokenizer=str.split, token_pattern=None, norm=None).fit(training)
    found = fit_and_apply(lambda s: s.tf_idf(items), [*training, None], rows)
    for mine, theirs in zip(found, reference.transform(rows).toarray().tolist(), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-15)


@given(st.lists(st.sampled_from(ITEMS), max_size=6), st.sampled_from(DELIMITERS))
@settings(max_examples=10)
def test_fit_and_use_cut_a_text_alike(pieces: list[str], delimiter: str) -> None:
    text = delimiter.join(pieces)
    items = [item for item in ITEMS if delimiter not in item]
    weights = statistics_of(lambda s: s.tf_idf(items, delimiter=delimiter), [text])["weights"]
    # With one document a weight is 1 where the document has the item.
    counted = apply(lambda s: s.multi_hot(items, delimiter=delimiter), [(text,)])[0]
    assert [float(weight == 1.0) for weight in weights] == counted


@pytest.mark.parametrize("build", [
    lambda s: s.vocabulary(), lambda s: s.ordinal(), lambda s: s.frequency_encode(), lambda s: s.one_hot_encode(2),
    lambda s: s.tf_idf(("a",)), lambda s: s.impute("mode"),
])  # fmt: skip
def test_an_empty_column_is_an_error_that_names_the_feature(build: Any) -> None:
    with pytest.raises(StateError, match=r"feature result .*no value"):
        statistics_of(lambda s: build(s.concat(sk.missing("String"))), ["a"])


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: S.vocabulary(out_of_vocabulary=0), "out_of_vocabulary must be a whole number of at least 1"),
        (lambda: S.vocabulary(out_of_vocabulary=2**31 + 1), "out_of_vocabulary must be at most"),
        (lambda: S.one_hot_encode(), "size"),
        (lambda: S.one_hot_encode(0), "size must be"),
        (lambda: S.one_hot_encode(3, minimum_count=0), "minimum_count must be"),
        (lambda: S.multi_hot(()), "at least one"),
        (lambda: S.multi_hot(("a", "a")), "more than once"),
        (lambda: S.multi_hot(("a,b",)), "has the delimiter"),
        (lambda: S.multi_hot(("a",), delimiter=""), "delimiter must be"),
        (lambda: S.multi_hot(("a",), delimiter=None), "delimiter must be"),
        (lambda: S.multi_hot((1, 2)), "must be strings"),
        (lambda: S.multi_hot("abc"), "list"),
        (lambda: S.tf_idf(("a b",)), "has the delimiter"),
        (lambda: S.tf_idf([]), "at least one"),
        (lambda: column("x", FLOAT64).ordinal(), "takes String or Int64"),
        (lambda: column("n", INT64).multi_hot(("1",)), "takes String"),
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(build: Any, reason: str) -> None:
    with pytest.raises(DeclarationError, match=reason):
        build()


def test_the_shape_of_an_unfitted_encoding_is_known() -> None:
    for expression in (S.ordinal(), S.frequency_encode(), S.one_hot_encode(2), S.tf_idf(("a",)), S.vocabulary()):
        assert expand(expression, None).type == expression.type

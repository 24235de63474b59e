"""A repo and its edits: each is classified as what it is, and what only looks like a change is not called one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from skewcheck.changes.configuration import Configuration
from skewcheck.changes.describing import describe_repository
from skewcheck.changes.diffing import Options, Version, diff_versions
from skewcheck.changes.libraries import read_libraries
from skewcheck.changes.snapshot import Snapshot
from skewcheck.diff_verdict import DiffVerdict
from tests.changes.small_repository import edit, fit_and_generate

SHOP, CONSTANTS, HELPERS, RATES = (f"features/{n}" for n in ("shop.py", "constants.py", "helpers.py", "rates.json"))

TIER = '        Field(name="tier", dtype="String"),\n'
ORDERS = '        Field(name="orders", dtype="Int64"),\n'
FILTERED = ("return amount > 0\n", "return amount > 1\n")


@dataclass(frozen=True)
class Edit:
    """One edit: what is replaced where, and what becomes of which feature; every other one stays unchanged."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    verdicts: dict[str, str] = field(default_factory=dict)
    rules: frozenset[str] = frozenset()
    fitted: bool = False


def harmless(name: str, *changes: tuple[str, str, str], **verdicts: str) -> Edit:
    return Edit(name, changes, verdicts)


def harmful(name: str, rules: str, *changes: tuple[str, str, str], fitted: bool = False, **verdicts: str) -> Edit:
    return Edit(name, changes, {k: v.replace("_", "-") for k, v in verdicts.items()}, frozenset(rules.split()), fitted)


VIEW = {"usual_ratio": "values-changed", "tier_gold": "values-changed", "usual_filled": "values-changed"}
WHOLE_VIEW = {**VIEW, "orders_v1": "values-changed"}

EDITS = [
    # What only looks like a change.
    harmless("nothing"),
    harmless("comment", (SHOP, "BASE = 2.0", "# the base\nBASE = 2.0")),
    harmless("comment in an opaque function", (SHOP, "# a comment", "# another comment\n")),
    harmless("formatting", (SHOP, "return amount / usual", "return (\n        amount\n        / usual\n    )")),
    harmless("annotation", (SHOP, "def weight(amount):", "def weight(amount: float) -> float:")),
    harmless("renamed helper", (SHOP, "scaled", "damped"), (HELPERS, "scaled", "damped")),
    harmless("renamed helper of an opaque function", (SHOP, "weight", "heft"), risk="equal"),
    harmless("renamed constant of an opaque function", (SHOP, "BASE", "FACTOR"), risk="equal"),
    harmless("renamed local of an opaque function", (SHOP, "total", "result"), risk="equal"),
    harmless("renamed constant", (SHOP, "LARGE", "BIG"), (CONSTANTS, "LARGE", "BIG")),
    harmless("constant written otherwise", (CONSTANTS, "LARGE = 500", "LARGE = 5 * 100")),
    harmless("inlined helper", (SHOP, "return scaled(amount)", "return amount.log1p()")),
    harmless("docstring", (SHOP, "Whether it is a large one.", "At least five hundred."), large="metadata"),
    harmless("commuted", (SHOP, "return orders + 1", "return 1 + orders"), orders_v1="equal"),
    harmless("negated", (SHOP, "return amount >= LARGE", "return ~(amount < LARGE)"), large="equal"),
    harmless("swapped sides", (SHOP, "return amount >= LARGE", "return ~(LARGE > amount)"), large="equal"),
    harmless(
        "filled by hand",
        (SHOP, "return usual.fill(0.0)", "return sk.when(usual.is_missing()).then(0.0).otherwise(usual)"),
        usual_filled="equal",
    ),
    harmless("times one", (SHOP, "return amount_log * 2", "return amount_log * 2 * 1.0"), double_log="equal"),
    harmless("added instead", (SHOP, "return amount_log * 2", "return amount_log + amount_log"), double_log="equal"),
    harmless("order of a look-up file", (RATES, '{"FR": 0.2, "DE": 0.19}', '{"DE": 0.19,\n "FR": 0.20}')),
    harmless("view description", (SHOP, "ttl=timedelta(days=7),", "ttl=timedelta(hours=168), description='Accounts',")),
    harmless("order of fields", (SHOP, f"{TIER}{ORDERS}", f"{ORDERS}{TIER}")),
    harmless("library that gives what it gave", ("requirements.txt", "tzdata==2025.1", "tzdata==2025.2")),
    harmless(
        "unused column",
        (SHOP, 'Field(name="channel"', 'Field(name="note", dtype="String"),\n        Field(name="channel"'),
    ),
    harmless("unused constant", (CONSTANTS, "LARGE = 500", "SMALL = 5\nLARGE = 500")),
    # What changes values.
    harmful("edge of a comparison", "VALUES_SAME", (SHOP, "amount >= LARGE", "amount > LARGE"), large="values_changed"),
    harmful(
        "constant in another file", "VALUES_SAME", (CONSTANTS, "LARGE = 500", "LARGE = 501"), large="values_changed"
    ),
    harmful(
        "helper in another file",
        "VALUES_SAME VALUES_INDIRECT",
        (HELPERS, "return value.log1p()", "return (value + 1e-9).log1p()"),
        amount_log="values_changed",
        double_log="values_changed",
    ),
    harmful("constant of an opaque function", "VALUES_SAME", (SHOP, "BASE = 2.0", "BASE = 2.5"), risk="values_changed"),
    harmful(
        "helper of an opaque function", "VALUES_SAME", (SHOP, "amount * BASE", "amount + BASE"), risk="values_changed"
    ),
    harmful("body of an opaque function", "VALUES_SAME", (SHOP, '== "FR" else', '== "GB" else'), risk="values_changed"),
    harmful("value in a look-up file", "VALUES_SAME", (RATES, "0.19", "0.16"), tax="values_changed"),
    harmful("key in a look-up file", "VALUES_SAME", (RATES, '"DE"', '"AT"'), tax="values_changed"),
    harmful("entry added to a look-up file", "VALUES_SAME", (RATES, '"DE"', '"AT": 0.2, "DE"'), tax="values_changed"),
    harmful("time zone", "VALUES_SAME", (CONSTANTS, "Europe/Paris", "Europe/London"), hour="values_changed"),
    harmful("default", "VALUES_SAME", (SHOP, "fill(0.0)", "fill(-1.0)"), usual_filled="values_changed"),
    harmful("bucket edge", "VALUES_SAME", (SHOP, "[10, 100, 1000]", "[10, 100, 1001]"), band="values_changed"),
    harmful("category", "VALUES_SAME", (SHOP, '== "gold"', '== "Gold"'), tier_gold="values_changed"),
    harmful(
        "order of operations",
        "VALUES_SAME",
        (SHOP, "amount / usual", "1 / (usual / amount)"),
        usual_ratio="values_changed",
    ),
    harmful(
        "unit of the result",
        "VALUES_SAME FEATURE_SAME_UNIT",
        (SHOP, '.to("kilometer")', '.to("meter")'),
        kilometres="values_changed",
    ),
    harmful(
        "dropped step before a fitted operator",
        "VALUES_SAME STATISTICS_FITTED",
        (SHOP, "amount.log1p().standardize()", "amount.standardize()"),
        amount_z="values_changed",
    ),
    harmful(
        "dropped step, and fitted",
        "VALUES_SAME",
        (SHOP, "amount.log1p().standardize()", "amount.standardize()"),
        fitted=True,
        amount_z="values_changed",
    ),
    harmful("training filter", "STATISTICS_FITTED VALUES_KNOWN", (SHOP, *FILTERED), amount_z="unknown"),
    harmful(
        "training filter, and fitted", "STATISTICS_SAME", (SHOP, *FILTERED), fitted=True, amount_z="values_changed"
    ),
    harmful("training span", "TRAINING_SAME_ROWS", (SHOP, 'end="2024-03-20"', 'end="2024-04-20"')),
    # What changes retrieval.
    harmful("shorter time to live", "VIEW_SAME_TTL", (SHOP, "days=7", "days=6"), **WHOLE_VIEW),
    harmful("no time to live", "VIEW_SAME_TTL", (SHOP, "ttl=timedelta(days=7)", "ttl=None"), **WHOLE_VIEW),
    harmful(
        "timestamp column",
        "VIEW_SAME_TIMESTAMP",
        (SHOP, 'timestamp_field="event_timestamp"', 'timestamp_field="created"'),
        **WHOLE_VIEW,
    ),
    harmful("no created column", "VIEW_SAME_CREATED", (SHOP, ', created_timestamp_column="created"', ""), **WHOLE_VIEW),
    harmful("created column", "VIEW_SAME_CREATED", (SHOP, 'column="created"', 'column="loaded"'), **WHOLE_VIEW),
    harmful(
        "field mapping",
        "VIEW_SAME_COLUMNS",
        (
            SHOP,
            'created_timestamp_column="created"',
            'created_timestamp_column="created", field_mapping={"mean": "usual"}',
        ),
        usual_ratio="values_changed",
        usual_filled="values_changed",
    ),
    harmful(
        "source path",
        "VIEW_SAME_SOURCE",
        (SHOP, "account.parquet", "accounts.parquet"),
        usual_ratio="unknown",
        tier_gold="unknown",
        usual_filled="unknown",
        orders_v1="unknown",
    ),
    harmful(
        "view setting",
        "VIEW_SAME_SETTINGS",
        (SHOP, "ttl=timedelta(days=7)", "ttl=timedelta(days=7), online=False"),
        usual_ratio="unknown",
        tier_gold="unknown",
        usual_filled="unknown",
        orders_v1="unknown",
    ),
    harmful(
        "renamed view",
        "VIEW_SAME_NAME",
        (SHOP, 'name="account"', 'name="accounts"'),
        usual_ratio="equal",
        tier_gold="equal",
        usual_filled="equal",
        orders_v1="equal",
    ),
    harmful(
        "join key",
        "VIEW_SAME_KEYS REQUEST_SAME_INPUTS",
        (SHOP, 'join_keys=["customer_id"]', 'join_keys=["client_id"]'),
        usual_ratio="breaking",
        tier_gold="breaking",
        usual_filled="breaking",
        orders_v1="breaking",
    ),
    # What changes columns.
    harmful(
        "unit of a column", "COLUMN_SAME_UNIT VALUES_SAME", (SHOP, '"mile"', '"kilometer"'), kilometres="values_changed"
    ),
    harmful(
        "unit of a column that nothing converts",
        "COLUMN_SAME_UNIT FEATURE_SAME_UNIT",
        (
            SHOP,
            'Field(name="usual", dtype="Float64", tags={"unit": "EUR"})',
            'Field(name="usual", dtype="Float64", tags={"unit": "centiEUR"})',
        ),
        usual_ratio="unknown",
        usual_filled="unknown",
    ),
    harmful(
        "type of a column",
        "COLUMN_SAME_TYPE FEATURE_SAME_TYPE",
        (SHOP, 'Field(name="orders", dtype="Int64")', 'Field(name="orders", dtype="Float64")'),
        orders_v1="breaking",
    ),
    harmful(
        "width of a column",
        "COLUMN_SAME_TYPE",
        (SHOP, 'Field(name="usual", dtype="Float64"', 'Field(name="usual", dtype="Float32"'),
        usual_ratio="values_changed",
        usual_filled="values_changed",
    ),
    # What changes names and types.
    harmful("deleted feature", "FEATURE_NO_DELETE", (SHOP, "@shop.feature\ndef large", "def large"), large="breaking"),
    harmful(
        "renamed feature",
        "FEATURE_NO_DELETE FEATURE_ADDED",
        (SHOP, "def band", "def range_of"),
        band="breaking",
        range_of="additive",
    ),
    harmful(
        "type of a feature",
        "FEATURE_SAME_TYPE",
        (SHOP, "return orders + 1", "return orders + 1.5"),
        orders_v1="breaking",
    ),
    harmful(
        "new feature",
        "FEATURE_ADDED",
        (SHOP, "BASE = 2.0", "@shop.feature\ndef small(amount):\n    return amount < 1\n\n\nBASE = 2.0"),
        small="additive",
    ),
    harmful(
        "new version beside the old one",
        "FEATURE_ADDED",
        (SHOP, "BASE = 2.0", "@shop.feature\ndef orders_v2(orders):\n    return orders + 2\n\n\nBASE = 2.0"),
        orders_v2="additive",
    ),
    harmful(
        "new input of the request",
        "FEATURE_ADDED REQUEST_SAME_INPUTS",
        (SHOP, "BASE = 2.0", "@shop.feature\ndef web(channel):\n    return channel == 'web'\n\n\nBASE = 2.0"),
        web="additive",
    ),
    # What surrounds the declarations.
    harmful(
        "random constant",
        "DECLARATION_STABLE VALUES_SAME",
        (CONSTANTS, "LARGE = 500", "import random\nLARGE = 500 + random.random()"),
        large="values_changed",
    ),
]


@pytest.mark.parametrize("case", EDITS, ids=lambda case: case.name)
def test_every_edit_is_classified(case: Edit, repo: Path, before: Snapshot) -> None:
    edit(repo, *case.changes)
    if case.fitted:
        fit_and_generate(repo)
    verdict = compare(before, repo)
    found = {feature.name: feature.verdict for feature in verdict.features if feature.verdict != "unchanged"}
    assert found == case.verdicts
    assert {finding.rule for finding in verdict.findings} == case.rules
    for feature in verdict.features:
        witness = feature.witness
        assert (witness is not None) == (feature.verdict == "values-changed")
        assert witness is None or witness.old != witness.new


def test_a_third_of_the_edits_only_look_like_changes() -> None:
    alike = [case for case in EDITS if not case.rules]
    assert len(EDITS) >= 60
    assert len(alike) * 3 >= len(EDITS)


def compare(before: Snapshot, root: Path) -> DiffVerdict:
    """The verdict on a folder, whose declarations are loaded here."""
    after = Snapshot.from_json(describe_repository(root, root).to_json())
    libraries = {"libraries": read_libraries([root])}
    old = replace(before, libraries={"pint": "==0.24", "skewcheck": "", "tzdata": "==2025.1"})
    versions = (Version("old", None, old), Version("new", None, replace(after, **libraries)))
    return diff_versions(*versions, Configuration(), Options(rows=500))

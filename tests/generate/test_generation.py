"""Generated code: the same bytes for the same declaration and state, and stale as soon as either moves."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import skewcheck as sk
from skewcheck.errors import StateError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State
from skewcheck.generate.generation import Generated, generate, load_row_module
from skewcheck.generate.golden import differing_rows, from_json_value
from skewcheck.generate.manifest import read_manifest
from skewcheck.language.fingerprint import fingerprint
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.adversarial import STRINGS
from tests.declaring import PLACES, empty_state, make_service, write_rows

COLUMNS = {"x": FLOAT64, "n": INT64, "b": BOOL, "s": STRING, "t": TIMESTAMP}


def declare() -> sk.Service:
    """Every type in and out, tables of every kind, and every import that a row module can need."""
    return make_service(
        COLUMNS,
        root=lambda x: x.sqrt(),
        logarithm=lambda x: x.log1p().standardize(),
        bucket=lambda x: x.quantile_bucket(3),
        hour=lambda t: t.hour("America/New_York"),
        turned=lambda hour: hour.cyclic_sine(24),
        when=lambda t: t,
        text=lambda s: s.strip().lower(),
        code=lambda s: s.vocabulary(),
        hashed=lambda s: s.hash_bucket(10),
        hot=lambda s: s.one_hot(["a", "b"]),
        truth=lambda b, n: b & (n > 3),
        whole=lambda n: n * 2,
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    service = declare()
    values = [value for value in STRINGS if value is not None and len(value) < 100]
    rows = [{"x": float(place), "n": None, "b": None, "s": text, "t": None} for place, text in enumerate(values)]
    return fit(service, write_rows(tmp_path_factory.mktemp("training") / "rows.parquet", service, rows))


@pytest.fixture(scope="module")
def generated(state: State) -> Generated:
    return generate(declare(), state, PLACES, {})


def test_the_same_declaration_and_state_give_the_same_bytes(generated: Generated, state: State) -> None:
    assert generate(declare(), state, PLACES, {}).files == generated.files


def test_every_process_gives_the_same_bytes(generated: Generated, state: State, tmp_path: Path) -> None:
    state.write(tmp_path / "state.json")
    script = (
        "import sys, json, hashlib\nfrom pathlib import Path\nfrom tests.generate import test_generation as here\n"
        "state = here.read_state(Path(sys.argv[1]))\n"
        "files = here.generate(here.declare(), state, here.PLACES, {}).files\n"
        "print(hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest())"
    ).replace("here.read_state", "__import__('skewcheck.fit.state', fromlist=['read_state']).read_state")
    root = Path(__file__).resolve().parents[2]
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "state.json")],
        capture_output=True, text=True, check=True, cwd=root,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": str(root)},
    ).stdout.strip()  # fmt: skip
    import hashlib

    assert found == hashlib.sha256(json.dumps(generated.files, sort_keys=True).encode()).hexdigest()


def test_files_are_stale_until_they_are_written_and_again_once_one_changes(
    generated: Generated, tmp_path: Path
) -> None:
    assert generated.stale(tmp_path) == list(generated.files)
    generated.write(tmp_path)
    assert generated.stale(tmp_path) == []
    (tmp_path / "row.py").write_text(generated.files["row.py"] + "\n")
    (tmp_path / "features.sql").unlink()
    (tmp_path / "golden.json").write_bytes(b"\xff\xfe")
    assert generated.stale(tmp_path) == ["row.py", "features.sql", "golden.json"]


def test_only_files_whose_text_is_new_are_written(generated: Generated, tmp_path: Path) -> None:
    generated.write(tmp_path)
    before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    (tmp_path / "row.py").write_text("")
    generated.write(tmp_path)
    after = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"row.py"}


def test_every_file_says_from_which_declaration_and_state_it_was_made(generated: Generated, state: State) -> None:
    definition = fingerprint(declare())
    for name in ("row.py", "features.sql", "feast_objects.py", "manifest.json", "golden.json"):
        assert definition in generated.files[name]
        assert state.hash in generated.files[name]


def test_a_state_that_is_not_the_declarations_own_is_refused(state: State) -> None:
    with pytest.raises(StateError, match="of service 'other'"):
        generate(declare(), dataclasses.replace(state, service="other"), PLACES, {})


def test_the_row_module_needs_the_standard_library_only(generated: Generated, tmp_path: Path) -> None:
    (tmp_path / "row.py").write_text(generated.files["row.py"])
    script = (
        "import sys; before = set(sys.modules)\n"
        f"namespace = {{'__name__': 'row'}}; exec(open({str(tmp_path / 'row.py')!r}).read(), namespace)\n"
        "row = {'x': 2.0, 'n': 2, 'b': True, 's': 'a', 't': None}\n"
        "assert namespace['transform_row'](row)['whole'] == 4\n"
        "print(' '.join(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(found) <= sys.stdlib_module_names


def test_an_unused_helper_or_import_is_not_written() -> None:
    service = make_service({"x": FLOAT64}, doubled=lambda x: x * 2)
    text = generate(service, empty_state(service), PLACES, {}).files["row.py"]
    assert "import" not in text
    assert "_timestamp" not in text
    assert "ASCII" not in text


def test_the_golden_rows_are_what_the_row_module_gives(generated: Generated) -> None:
    manifest_types = {c["name"]: c["type"] for c in json.loads(generated.files["manifest.json"])["columns"]}
    golden = json.loads(generated.files["golden.json"])["rows"]
    transform_row = load_row_module(generated.files["row.py"])["transform_row"]
    inputs = [{name: from_json_value(v, manifest_types[name]) for name, v in row["inputs"].items()} for row in golden]
    types = {f["name"]: f["type"] for f in json.loads(generated.files["manifest.json"])["features"]}
    expected = [{name: from_json_value(v, types[name]) for name, v in row["features"].items()} for row in golden]
    assert differing_rows([transform_row(row) for row in inputs], expected) == []
    for feature in types:
        assert len({repr(row[feature]) for row in expected}) > 1, f"{feature} has one value on every golden row"


def test_the_manifest_is_read_back_as_it_was_written(generated: Generated, tmp_path: Path) -> None:
    generated.write(tmp_path)
    manifest = read_manifest(tmp_path / "manifest.json")
    assert manifest.to_json() == generated.files["manifest.json"]
    assert [str(column.type) for column in manifest.columns] == ["Float64", "Int64", "Bool", "String", "Timestamp"]
    assert next(f for f in manifest.features if f.name == "hot").type.size == 2


@pytest.mark.parametrize("text", ["", "[]", '{"format": "skewcheck/manifest/0"}', '{"format": "skewcheck/manifest/1"}'])
def test_a_file_that_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StateError) as caught:
        read_manifest(tmp_path / "manifest.json")
    assert "skewcheck generate" in caught.value.remedy
    with pytest.raises(StateError, match="there is no manifest"):
        read_manifest(tmp_path / "nowhere.json")


def test_the_feast_objects_are_python_that_names_every_feature_with_its_type(generated: Generated) -> None:
    tree = ast.parse(generated.files["feast_objects.py"])
    fields = {
        node.keywords[0].value.value: node.keywords[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field"
    }
    assert list(fields) == [feature.name for feature in declare().features]
    assert ast.unparse(fields["hot"]) == "Array(Float64)"


def test_a_service_may_read_no_column_at_all() -> None:
    service = make_service({"x": FLOAT64}, one=lambda: 1.0, doubled=lambda one: one + one)
    row_module = load_row_module(generate(service, empty_state(service), PLACES, {}).files["row.py"])
    assert row_module["transform_row"]({}) == {"one": 1.0, "doubled": 2.0}
    assert row_module["transform"]({"x": [1.0, 2.0]}) == {"one": [1.0, 1.0], "doubled": [2.0, 2.0]}


def test_two_features_may_be_the_same_value() -> None:
    service = make_service({"x": FLOAT64}, one=lambda x: x + 1, other=lambda x: x + 1, same=lambda x: x)
    row_module = load_row_module(generate(service, empty_state(service), PLACES, {}).files["row.py"])
    assert row_module["transform_row"]({"x": 1.0}) == {"one": 2.0, "other": 2.0, "same": 1.0}

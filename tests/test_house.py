"""The rules of the house: who may import whom, what loads what, and how files look. See docs/house.md."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "skewcheck"
FILES = sorted(PACKAGE.rglob("*.py"))
OURS = sorted(
    path
    for folder in ("skewcheck", "tests", "benchmarks", "features", "docs")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".jinja", ".template", ".css", ".js"}
)
HEAVY = {"feast", "pandas", "duckdb", "pyarrow"}
LONGEST = 400


def read_floors() -> dict[str, int]:
    """The floor of every room, from the table in docs/house.md."""
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", (ROOT / "docs" / "house.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {
        room.rstrip("/").removesuffix(".py"): int(floor)
        for floor, cell in rows
        for room in re.findall(r"`(.*?)`", cell)
    }


FLOORS = read_floors()
GROUND = {"errors", "files"}
NEIGHBOURS = {
    "serving": GROUND,
    "report": {"verdict", "diff_verdict", "contracts", "causes", "errors", "files"},
    "errors": set(),
    "causes": set(),
    "contracts": {"errors"},
    "verdict": {"contracts", "causes"},
    "diff_verdict": {"contracts"},
}
"""Rooms that know fewer others than their floor would let them."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def room_of(module: str) -> str:
    """The room of a module: `skewcheck.report.page` is in `report`. The package itself is the face of the language."""
    return module.split(".")[1] if "." in module else "language"


@functools.cache
def find_imports(module: str) -> dict[str, bool]:
    """The modules of ours that a module imports, wherever it does; True where that happens when it is loaded."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found: dict[str, bool] = {}
    for node, at_once in walk_statements(tree, at_once=True):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [name if name in MODULES else str(node.module) for name in names]
        elif isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        else:
            continue
        for target in targets:
            if target.split(".")[0] == "skewcheck":
                found[target] = found.get(target, False) or at_once
    return found


def walk_statements(node: ast.AST, *, at_once: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        later = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
            isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        )
        yield child, at_once
        yield from walk_statements(child, at_once=at_once and not later)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module: str) -> None:
    room = room_of(module)
    for target in find_imports(module):
        assert target in MODULES, f"{module} imports {target}, which is not there"
        other = room_of(target)
        if other == room:
            continue
        assert other in NEIGHBOURS.get(room, FLOORS), f"{module} may not know {target}"
        assert FLOORS[other] < FLOORS[room], f"{module} (floor {FLOORS[room]}) imports {target} (floor {FLOORS[other]})"


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in MODULES} == set(FLOORS)


def test_no_module_needs_itself_to_be_loaded() -> None:
    graph = {module: {other for other, at_once in find_imports(module).items() if at_once} for module in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_imports_are_found_wherever_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from skewcheck import verdict\n"
    source += "def f():\n    import skewcheck.errors\nfrom skewcheck.files import write_text\n"
    (tmp_path / "example.py").write_text(source)
    monkeypatch.setitem(MODULES, "skewcheck.example", tmp_path / "example.py")
    assert find_imports("skewcheck.example") == {
        "skewcheck.verdict": False,
        "skewcheck.errors": False,
        "skewcheck.files": True,
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_says_what_it_is_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert len(text.splitlines()) <= LONGEST
    assert path.name != "utils.py"


def test_the_project_speaks_of_itself_alone() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/\w")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in [*OURS, ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "Makefile", ROOT / "pyproject.toml"]
        for match in machine.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME)\b")
    assert [str(path) for path in OURS if marks.search(path.read_text(encoding="utf-8"))] == []


def loaded_by(code: str, cwd: Path = ROOT) -> set[str]:
    """Top-level modules that a fresh process has loaded when the code is through."""
    script = f"import atexit, sys\natexit.register(lambda: print('\\nLOADED', *sorted(sys.modules)))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    last = done.stdout.rpartition("\nLOADED ")
    assert last[1], done.stderr
    return {name.split(".")[0] for name in last[2].split()}


def run_command(*arguments: str) -> str:
    return f"sys.argv = ['skewcheck', *{arguments!r}]\nfrom skewcheck.cli import main\nmain()"


@pytest.mark.parametrize(
    "code",
    [
        "import skewcheck",
        run_command("--help"),
        run_command("audit", "--help"),
        run_command("fit", "--help"),
        run_command("nonsense"),
        "import skewcheck.serving.schema, skewcheck.serving.reader",
        "import skewcheck.verdict",
    ],
)
def test_what_needs_no_data_loads_nothing_heavy(code: str) -> None:
    assert loaded_by(code) & HEAVY == set()


def test_loaded_modules_are_seen() -> None:
    assert "pyarrow" in loaded_by("import pyarrow.parquet")


def test_a_new_repo_is_written_without_a_feature_store(tmp_path: Path) -> None:
    loaded = loaded_by(run_command("init", str(tmp_path / "new")))
    assert "pyarrow" in loaded
    assert not loaded & {"feast", "duckdb"}


def test_the_transform_cut_needs_no_feature_store(tmp_path: Path) -> None:
    from tests.scaffold.foreign_log import write_foreign_repository

    root = write_foreign_repository(tmp_path)
    loaded = loaded_by(run_command("audit", "log", "--stages", "transform", "--out", "report"), cwd=root)
    assert "duckdb" in loaded
    assert not loaded & {"feast", "pandas"}
    assert (root / "report" / "payments.html").is_file()


def test_a_service_that_reads_no_store_is_audited_without_one(tmp_path: Path) -> None:
    from tests.scaffold.foreign_log import write_foreign_repository

    root = write_foreign_repository(tmp_path)
    assert not loaded_by(run_command("audit", "log"), cwd=root) & {"feast", "pandas"}

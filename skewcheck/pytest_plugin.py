"""The pytest plugin: `pytest --skew` adds tests of the generated code to any suite.

Each feature has two: its golden rows, and its parity (the row function against DuckDB on them). Each saved case of a
past change is one more. Nothing else of the package is loaded before the option is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from skewcheck.parity.golden_rows import Wrong

_MOST_SHOWN = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--skew` and `--skew-repo`, which pytest's settings may name as `skew_repo`."""
    group = parser.getgroup("skewcheck")
    group.addoption("--skew", action="store_true", help="also test the features that skewcheck generated")
    group.addoption("--skew-repo", metavar="FOLDER", help="the feature repo (default: where pytest's settings are)")
    parser.addini("skew_repo", "the feature repo, for --skew", default=".")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests before other plugins choose among them.

    Raises:
        pytest.UsageError: There is no generated code.
    """
    if not config.getoption("skew"):
        return
    given = config.getoption("skew_repo")
    root = config.invocation_params.dir / given if given else config.rootpath / config.getini("skew_repo")
    manifests = sorted(root.glob("codegen/*/manifest.json"))
    if not manifests:
        raise pytest.UsageError(
            f"--skew: {root / 'codegen'} has no generated code; run `skewcheck fit` and `skewcheck generate`, or name "
            "the feature repo with --skew-repo"
        )
    for path in manifests:
        items.extend(session.genitems(SkewService.from_parent(session, path=path)))


class SkewService(pytest.File):
    """The generated code of one service."""

    def collect(self) -> Iterator[pytest.Item]:
        """Two tests of each feature, and one of each saved case."""
        from skewcheck.errors import SkewcheckError
        from skewcheck.parity.golden_rows import GeneratedService

        try:
            service = GeneratedService(self.path.parent)
        except SkewcheckError as error:
            raise self.CollectError(str(error)) from error
        for feature in service.features:
            for kind, check in (("golden", service.check_golden), ("parity", service.check_parity)):
                yield SkewItem.from_parent(self, name=f"{feature}::{kind}", check=check, subject=feature)
        for case in service.cases:
            yield SkewItem.from_parent(self, name=f"case::{case.stem}", check=service.check_case, subject=case)


class SkewItem(pytest.Item):
    """One test of a feature."""

    def __init__(self, *, check: Callable[[Any], list[Wrong] | None], subject: str | Path, **rest: Any) -> None:
        super().__init__(**rest)
        self._check = check
        self._subject = subject
        self.add_marker("skew")

    def runtest(self) -> None:
        """Run the generated code.

        Raises:
            SkewError: A value is not the one that it must be.
            SkewcheckError: A generated file cannot be read, or was changed.
        """
        found = self._check(self._subject)
        if found is None:
            pytest.skip("its feature has another declaration now, or it was found on made-up statistics")
        if found:
            more = [f"and {len(found) - _MOST_SHOWN:,} more"] if len(found) > _MOST_SHOWN else []
            raise SkewError("\n".join([*map(str, found[:_MOST_SHOWN]), *more]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, without a traceback into this package."""
        from skewcheck.errors import SkewcheckError

        if isinstance(excinfo.value, (SkewError, SkewcheckError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it is from: the manifest of its service."""
        return self.path, None, f"{self.path.parent.name}::{self.name}"


class SkewError(AssertionError):
    """A feature has not the value that it must have."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, for `-m skew` and `-m "not skew"`."""
    config.addinivalue_line("markers", "skew: a test of generated features, which `--skew` adds")

"""Git: which two versions a range names, and each of them in a folder of its own (room: changes).

A version is checked out as a temporary worktree, without the repository's hooks, and removed again whatever happens.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.git import run_git

WORKTREE = "the working folder"
"""What the version is called that is no commit: the files as they lie there."""

DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where the default branch is looked for, in this order."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A version: as it was named, and its commit; None for the files as they lie there."""

    name: str
    commit: str | None


class Git:
    """The git repository that a folder lies in.

    Raises:
        UsageError: It lies in none, or git is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = self._run("rev-parse", "--show-toplevel")
        if found.returncode:
            raise UsageError(
                f"{folder} is in no git repository: {found.stderr.strip()}",
                remedy="Run this in a clone, or name two folders of generated code.",
            )
        self.root = Path(found.stdout.rstrip("\n"))

    def read_range(self, text: str) -> tuple[Reference, Reference]:
        """The old and the new version of `OLD..NEW`, `OLD...NEW` (from where they parted), or `OLD` (the folder).

        Raises:
            UsageError: A name is no commit of this repository.
            SkewcheckError: The history is cut off before it.
        """
        for sign in ("...", ".."):
            if sign in text:
                left, right = (name or "HEAD" for name in text.split(sign, 1))
                new = self.read_commit(right)
                old = self.read_commit(left)
                return (self.find_parting(old, new), new) if sign == "..." else (old, new)
        return self.read_commit(text), Reference(WORKTREE, None)

    def read_commit(self, name: str) -> Reference:
        """The commit that a name stands for.

        Raises:
            UsageError: There is none.
            SkewcheckError: The clone is shallow, which may be why there is none.
        """
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode == 0:
            return Reference(name, found.stdout.strip())
        if self.is_shallow():
            raise SkewcheckError(
                f"there is no commit {name!r} in this clone, which is shallow: it has the last commits alone",
                remedy=_deepen(name),
            )
        raise UsageError(
            f"there is no commit {name!r} in {self.root}",
            remedy="Give a branch, tag or commit, such as main..HEAD; fetch it first if it is on a remote.",
        )

    def find_parting(self, old: Reference, new: Reference) -> Reference:
        """The last commit that two versions share.

        Raises:
            SkewcheckError: There is none, or the clone does not reach back to it.
        """
        found = self._run("merge-base", str(old.commit), str(new.commit))
        if found.returncode == 0:
            return Reference(f"{old.name} where {new.name} left it", found.stdout.strip())
        if self.is_shallow():
            raise SkewcheckError(
                f"this clone is shallow and does not reach back to where {new.name} left {old.name}",
                remedy=_deepen(old.name),
            )
        raise SkewcheckError(
            f"{old.name} and {new.name} share no commit", remedy=f"Compare them as they are: {old.name}..{new.name}."
        )

    def find_default_branch(self) -> str:
        """The default branch, as far as this clone knows it.

        Raises:
            UsageError: It has none of the usual names.
        """
        for name in DEFAULT_BRANCHES:
            if self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
                return name
        if self.is_shallow():
            raise SkewcheckError(
                "this clone is shallow and has no default branch to compare with", remedy=_deepen("the default branch")
            )
        raise UsageError(
            f"no default branch: there is none of {', '.join(DEFAULT_BRANCHES)}", remedy="Name one with --against."
        )

    def is_shallow(self) -> bool:
        """Whether the history is cut off."""
        return self._run("rev-parse", "--is-shallow-repository").stdout.strip() == "true"

    def list_files(self, commit: str) -> dict[str, str]:
        """Every file of a commit by its path, with git's hash of its content."""
        found = self._run("ls-tree", "-r", "-z", "--full-tree", commit)
        entries = (entry.partition("\t") for entry in found.stdout.split("\0") if entry)
        return {path: fields.split()[2] for fields, _, path in entries}

    def list_folder(self) -> dict[str, str]:
        """Every file as it lies there, apart from those that git ignores, with git's hash of its content."""
        listed = self._run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", ":/")
        paths = (path for path in dict.fromkeys(listed.stdout.split("\0")) if path)
        return {path: _hash_blob(self.root / path) for path in paths if (self.root / path).is_file()}

    def read_file(self, commit: str, path: str) -> str | None:
        """The text of a file of a commit; None where it is not there or is no text."""
        found = self._run("cat-file", "blob", f"{commit}:{path}")
        # What is no UTF-8 was read as lone surrogates.
        is_text = not found.returncode and not re.search("[\ud800-\udfff]", found.stdout)
        return found.stdout if is_text else None

    @contextmanager
    def check_out(self, commit: str) -> Iterator[Path]:
        """The files of a commit in a temporary folder, which is removed again on every way out.

        Raises:
            SkewcheckError: Git cannot check it out.
        """
        above = Path(tempfile.mkdtemp(prefix="skewcheck-"))
        place = above / "tree"
        try:
            done = self._run("-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--detach", str(place), commit)
            if done.returncode:
                lines = done.stderr.strip().splitlines()
                raise SkewcheckError(
                    f"commit {commit[:12]} cannot be checked out: {lines[-1] if lines else 'git gave no reason'}",
                    remedy="Check that the disk has space and that git may write to .git.",
                )
            yield place
        finally:
            self._run("worktree", "remove", "--force", "--force", str(place))
            shutil.rmtree(above, ignore_errors=True)
            self._run("worktree", "prune")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_git(self.folder, *arguments)


def _hash_blob(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _deepen(name: str) -> str:
    return (
        f"Fetch more of it: `git fetch --depth=1000 origin`, then {name} once it is on this side, or everything with "
        "`git fetch --unshallow`; in GitHub Actions give actions/checkout `fetch-depth: 0`."
    )

"""Fenced blocks of Markdown pages: what they say can be run, and what it is said to print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

_BLOCK = re.compile(
    r"(?:^<!-- test: (?P<test>.*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `group`, `exit_code` and `file` come from a comment `<!-- test: … -->` above it."""

    language: str
    text: str
    line: int
    group: str | None = None
    exit_code: int = 0
    file: str | None = None


def read_blocks(page: Path) -> list[Block]:
    """Every fenced block of a page in order."""
    content = page.read_text(encoding="utf-8")
    blocks = []
    for match in _BLOCK.finditer(content):
        group, _, rest = (match["test"] or "").partition(", ")
        kind, _, value = rest.partition(" ")
        assert kind in {"", "exit", "file"}, match["test"]
        blocks.append(
            Block(
                match["language"],
                match["text"],
                content.count("\n", 0, match.start()) + 1,
                group or None,
                int(value) if kind == "exit" else 0,
                value if kind == "file" else None,
            )
        )
    return blocks


def pair_commands(blocks: Sequence[Block]) -> list[tuple[Block, Block | None]]:
    """Each block of commands with the output that stands right below it, if any."""
    following = [*blocks[1:], None]
    return [
        (block, after if after is not None and after.language == "text" else None)
        for block, after in zip(blocks, following, strict=True)
        if block.language == "sh"
    ]


def run_blocks(page: Path, group: str, folder: Path) -> None:
    """Do what a group of blocks says, in order, in one folder to begin with; compare what is printed."""
    place = folder
    blocks = read_blocks(page)
    printed = {command.line: output for command, output in pair_commands(blocks)}
    for block in blocks:
        if block.group != group:
            continue
        if block.file is not None:
            (place / block.file).write_text(block.text, encoding="utf-8")
            continue
        done, place = _run(block.text, place, folder / ".place")
        where = f"{page.name}:{block.line}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == block.exit_code, where
        if expected := printed[block.line]:
            assert matches(expected.text, done.stdout), where


def matches(expected: str, printed: str) -> bool:
    """Whether the output is as shown; a line `...` stands for any lines."""
    lines = [line.rstrip() for line in expected.rstrip().splitlines()]
    found = "\n".join(line.rstrip() for line in printed.rstrip().splitlines()) + "\n"
    pattern = "".join("(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in lines)
    return re.fullmatch(pattern, found) is not None


def _run(commands: str, place: Path, note: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A real shell; it stops at the first command that fails, and says where it stands at the end."""
    script = f'set -euo pipefail\ntrap "pwd > {note}" EXIT\n{commands}'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done, Path(note.read_text(encoding="utf-8").strip())

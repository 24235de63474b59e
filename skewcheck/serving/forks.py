"""Background threads and `os.fork`, which copies none of them (room: serving)."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with background threads that goes on working on both sides of a fork."""

    def hold(self) -> None:
        """Before a fork: bring the threads to rest."""

    def release(self) -> None:
        """After a fork, in the parent: let the threads go on."""

    def restart(self) -> None:
        """After a fork, in the child: begin afresh without them."""


def survive_forks(forkable: Forkable) -> None:
    """Have this object told of every fork for as long as it lives."""
    _alive.add(forkable)


_alive: weakref.WeakSet[Forkable] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[Forkable] = []


def _before_fork() -> None:
    _forking.acquire()
    _held[:] = list(_alive)
    for forkable in _held:
        forkable.hold()


def _after_fork_in_parent() -> None:
    for forkable in _held:
        forkable.release()
    _held.clear()
    _forking.release()


def _after_fork_in_child() -> None:
    for forkable in _held:
        forkable.restart()
    _held.clear()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)

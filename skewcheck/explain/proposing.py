"""Every way in which edits are proposed, in the order in which they are asked (room: explain)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from skewcheck.explain.edits.base import Edit, Setting
from skewcheck.explain.edits.categories import propose_tables
from skewcheck.explain.edits.clock import propose_zones
from skewcheck.explain.edits.edges import propose_edges
from skewcheck.explain.edits.hashing import propose_hashes
from skewcheck.explain.edits.inputs import propose_columns, propose_exchanges, propose_text_forms
from skewcheck.explain.edits.instants import propose_cut_instants
from skewcheck.explain.edits.keyed import propose_keyed_statistics
from skewcheck.explain.edits.missing import propose_defaults
from skewcheck.explain.edits.rounding import propose_bounds, propose_narrow, propose_other_rounding, propose_rounding
from skewcheck.explain.edits.scaling import propose_lines
from skewcheck.explain.edits.steps import propose_stepped_constants
from skewcheck.explain.edits.structure import (
    propose_added,
    propose_constant_result,
    propose_dropped,
    propose_order,
)
from skewcheck.explain.edits.vectors import propose_orders

PROPOSERS: tuple[Callable[[Setting], Iterator[Edit]], ...] = (
    propose_lines,
    propose_stepped_constants,
    propose_defaults,
    propose_dropped,
    propose_added,
    propose_order,
    propose_constant_result,
    propose_keyed_statistics,
    propose_zones,
    propose_cut_instants,
    propose_columns,
    propose_exchanges,
    propose_text_forms,
    propose_tables,
    propose_narrow,
    propose_rounding,
    propose_other_rounding,
    propose_bounds,
    propose_edges,
    propose_hashes,
    propose_orders,
)

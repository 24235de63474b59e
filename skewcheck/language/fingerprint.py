"""Fingerprints: when has the meaning of a declaration changed?

The hash is over the expansion into primitives, statistics standing as placeholders with the definition of how they
are computed. Names of helpers, comments, documentation and the order of features do not enter; every constant,
operator, type, source column and filter that can change a value does.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from skewcheck.language.declaration import Feature, Service
from skewcheck.language.expressions import Expression, expand, fitted_nodes, key_of
from skewcheck.language.operator import FittedOperator, Placeholder
from skewcheck.language.terms import Term
from skewcheck.language.terms import walk as walk_terms

FORMAT = "skewcheck/definition/1"


def fingerprint(service: Service) -> str:
    """The hash of everything that decides the values of a service's features (64 hexadecimal digits)."""
    columns = {column.name: [column.source, str(column.type), column.role] for column in service.columns()}
    return _hash(
        {
            "format": FORMAT,
            "features": {feature.name: describe(feature) for feature in service.features},
            "filters": sorted(json.dumps(describe(rule), sort_keys=True) for rule in service.filters),
            "columns": columns,
        }
    )


def fingerprint_feature(feature: Feature) -> str:
    """The hash of one feature's own meaning."""
    return _hash({"format": FORMAT, "feature": describe(feature)})


def fingerprint_fit(service: Service) -> str:
    """The hash of everything that decides the values of a service's statistics, apart from the training rows."""
    fitted = {
        key_of(node): _describe_fit(node, chosen)
        for feature in service.features
        for node, chosen in fitted_nodes(feature.expression)
    }
    rules = sorted(json.dumps(describe(rule), sort_keys=True) for rule in service.filters)
    windows = {text for feature in service.features if fitted_nodes(feature.expression) for text in feature.windows}
    return _hash(
        {"format": FORMAT, "fitted": fitted, "filters": rules, **({"windows": sorted(windows)} if windows else {})}
    )


def describe(feature: Feature) -> dict[str, Any]:
    """A feature's meaning as plain data: its graph of primitives, and the statistics and windows that it needs."""
    return {
        **({"windows": sorted(feature.windows)} if feature.windows else {}),
        "type": str(feature.type),
        "graph": _graph(expand(feature.expression, None)),
        "statistics": {key_of(node): _plain_statistics(chosen) for node, chosen in fitted_nodes(feature.expression)},
    }


def _describe_fit(node: Expression, chosen: FittedOperator) -> list[Any]:
    """What a fitted operator's statistics are computed from, and how; further operands stand last."""
    first, *others = (_graph(expand(operand, None)) for operand in node.operands)
    return [first, _plain_statistics(chosen), *others]


def _plain_statistics(chosen: FittedOperator) -> list[Any]:
    return [[kind.name, kind.kind, list(kind.parameters)] for kind in chosen.statistics()]


def _graph(root: Term) -> list[Any]:
    """The terms in order, each naming its arguments by their place."""
    places: dict[int, int] = {}
    rows = []
    for term in walk_terms(root):
        places[id(term)] = len(places)
        arguments = [places[id(argument)] for argument in term.arguments]
        rows.append([term.kind, str(term.type), term.name, arguments, _plain(term.parameter)])
    return rows


def _plain(parameter: Any) -> Any:
    if isinstance(parameter, tuple):
        return [_plain(item) for item in parameter]
    if isinstance(parameter, Placeholder):
        return {"statistic": [parameter.key, parameter.name]}
    return parameter.hex() if isinstance(parameter, float) else parameter


def _hash(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

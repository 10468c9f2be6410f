"""Weights, groups and whatever else belongs to the rows: who gets it, and the part that belongs to some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from .contenders import Place
from .metrics import Metric

CALLER = "compare_losses"

Metadata = dict[str, Any]


@dataclass(frozen=True)
class Routed:
    """What each consumer of metadata gets, for all rows."""

    fit: Metadata
    split: Metadata
    inner_split: Metadata
    score: dict[str, Metadata] = field(default_factory=dict)  # by the metric's name


def route(
    place: Place, metrics: list[Metric], splitter: Any, inner_splitter: Any, groups: Any, metadata: Metadata
) -> Routed:
    """Who gets what: as requested where scikit-learn's routing is on, else all but groups goes to the model's fit."""
    metadata = {name: value for name, value in metadata.items() if value is not None}
    if get_config()["enable_metadata_routing"]:
        known = {} if groups is None else {"groups": groups}
        return _as_requested(place, metrics, splitter, inner_splitter, metadata | known)
    split = {} if groups is None else {"groups": groups}
    # "scaler__sample_weight" names a step of a pipeline by itself
    addressed = {name if place.prefix and "__" in name else place.prefix + name: metadata[name] for name in metadata}
    return Routed(addressed, split, split)


def _as_requested(
    place: Place, metrics: list[Metric], splitter: Any, inner_splitter: Any, metadata: Metadata
) -> Routed:
    def mapping(callee: str) -> MethodMapping:
        return MethodMapping().add(caller="fit", callee=callee)

    router = MetadataRouter(owner=CALLER)
    router.add(splitter=splitter, method_mapping=mapping("split"))
    router.add(inner_splitter=inner_splitter, method_mapping=mapping("split"))
    router.add(estimator=place.estimator, method_mapping=mapping("fit"))
    asking = [metric for metric in metrics if metric.asks is not None]
    for metric in asking:
        router.add(**{f"metric {metric.name}": metric.asks}, method_mapping=mapping("score"))
    try:
        routed = process_routing(router, "fit", **metadata)
    except UnsetMetadataPassedError as error:
        raise UnsetMetadataPassedError(
            message=str(error).replace(f"{CALLER}.fit", CALLER),
            unrequested_params=error.unrequested_params,
            routed_params=error.routed_params,
        ) from error
    return Routed(
        routed["estimator"]["fit"],
        routed["splitter"]["split"],
        routed["inner_splitter"]["split"],
        {metric.name: routed[f"metric {metric.name}"]["score"] for metric in asking},
    )


def rows_of(values: Any, rows: np.ndarray) -> Any:
    """Some rows of an array, a sparse matrix, a frame or a list."""
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if isinstance(values, list | tuple):
        return [values[row] for row in rows]
    return values.tocsr()[rows] if sparse.issparse(values) else values[rows]


def parts_of(metadata: Metadata, rows: np.ndarray, n_rows: int) -> Metadata:
    """The metadata of some rows: what has a value for each row is cut, the rest is passed on."""
    return {name: rows_of(value, rows) if _length(value) == n_rows else value for name, value in metadata.items()}


def _length(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return shape[0] if shape else None
    return len(value) if isinstance(value, list | tuple) else None

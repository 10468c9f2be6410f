"""How fits approach their minimum, and what they can prove about it on the way."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning

from .axes import GRID, axes_for, legend_outside, without_frame

REFERENCE_TOLERANCE = 1e-12  # of the fit that says where the minimum is
UNLIKE = 8.0  # the longest trace over the shortest, from which on a linear axis hides the latter
NOT_OF_THE_OBJECTIVE = ("solver", "tol", "max_iter", "warm_start", "random_state", "verbose")


@dataclass(frozen=True)
class Trace:
    """The objective, and the certified gap (nan without one), after so many passes over the data."""

    passes: NDArray
    values: NDArray
    gaps: NDArray


class ConvergenceDisplay:
    """F - min F and the certified gap against the passes over the data.

    A point is a fit that was stopped after so many iterations, with what it returns: so the gap is the certificate that
    a user holds then, and but for rounding never below F - min F.

    Use `from_estimators` to make one.

    Parameters
    ----------
    traces : dict of str to Trace
        What fits returned, by the labels of their estimators.
    minima : dict of str to float
        The least value of each one's objective that was found.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure around it.
    lines_ : list of matplotlib Line2D
        F - min F, a line for each estimator.
    gap_lines_ : list of matplotlib Line2D
        The certified gaps, empty where there are none.
    legend_ : matplotlib Legend
        The labels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from sklearn_losses import LogisticRegressor
    >>> from sklearn_losses.displays import ConvergenceDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> models = {"auto": LogisticRegressor(), "CG": LogisticRegressor(solver="CG")}
    >>> display = ConvergenceDisplay.from_estimators(models, scale(X), y)
    >>> trace, least = display.traces["auto"], display.minima["auto"]
    >>> bool((trace.gaps + 1e-15 >= trace.values - least).all())
    True
    >>> plt.close(display.figure_)
    """

    def __init__(self, traces: dict[str, Trace], minima: dict[str, float]):
        self.traces = traces
        self.minima = minima

    @classmethod
    def from_estimators(
        cls, estimators: Any, X: Any, y: Any, *, sample_weight: Any = None, ax: Any = None
    ) -> ConvergenceDisplay:
        """Fit copies of estimators, stopped after 1, 2, 3, ... iterations, and draw what they return.

        Parameters
        ----------
        estimators : list of estimators, or dict
            Models of this package; a dict gives them labels, a list their repr. Each is fitted about ten times.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ConvergenceDisplay
        """
        labelled = _labelled(estimators)
        traces = {label: trace_of(estimator, X, y, sample_weight) for label, estimator in labelled.items()}
        least: dict[str, float] = {}
        for label, estimator in labelled.items():
            objective = _objective_of(estimator)
            if objective not in least:
                least[objective] = _reference(estimator, X, y, sample_weight)
            least[objective] = min(least[objective], traces[label].values.min())
        minima = {label: least[_objective_of(estimator)] for label, estimator in labelled.items()}
        return cls(traces, minima).plot(ax)

    def plot(self, ax: Any = None) -> ConvergenceDisplay:
        """Draw the traces, on a logarithmic scale; what is zero to rounding is drawn at the size of rounding.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        ConvergenceDisplay
            The display itself.
        """
        self.ax_ = axes_for(ax)
        self.figure_ = self.ax_.figure
        self.lines_, self.gap_lines_ = [], []
        for i, (label, trace) in enumerate(self.traces.items()):
            rounding = np.finfo(float).eps * max(abs(self.minima[label]), np.finfo(float).tiny)
            excess = np.maximum(trace.values - self.minima[label], rounding)
            gaps = np.where(np.isnan(trace.gaps), np.nan, np.maximum(trace.gaps, rounding))
            style = {"color": f"C{i % 10}", "marker": "o", "markersize": 3}
            self.lines_ += self.ax_.plot(trace.passes, excess, label=label, **style)
            self.gap_lines_ += self.ax_.plot(trace.passes, gaps, linestyle="--", markerfacecolor="none", **style)
        self.ax_.plot([], [], color="0.4", label="solid: F − min F")
        self.ax_.plot([], [], color="0.4", linestyle="--", label="dashed: certified gap")
        self.ax_.set(
            title="Distance from the minimum, and its certificate",
            xlabel="passes over the data",
            ylabel="F − min F, certified gap",
            yscale="log",
        )
        lengths = [trace.passes[-1] for trace in self.traces.values()]
        self.ax_.set_xscale("log" if max(lengths) > UNLIKE * min(lengths) else "linear")
        self.ax_.grid(**GRID)
        without_frame(self.ax_)
        self.legend_ = legend_outside(self.ax_)  # lines cross the axes from one corner to the other
        return self


def trace_of(estimator: Any, X: Any, y: Any, sample_weight: Any = None) -> Trace:
    """What copies of an estimator return that are stopped after 1, 2, 3, 4, 6, ... iterations, and in the end."""
    found, limit, stopped = [], 1, True
    while stopped and limit < estimator.max_iter:
        fitted, stopped = _fitted(clone(estimator).set_params(max_iter=limit), X, y, sample_weight)
        found.append(fitted)
        limit += max(1, 2 ** (limit.bit_length() - 2))
    last = _fitted(clone(estimator), X, y, sample_weight)[0]
    found = [fitted for fitted in found if fitted.result_.n_passes < last.result_.n_passes] + [last]
    return Trace(
        np.array([fitted.result_.n_passes for fitted in found]),
        np.array([fitted.objective_value_ for fitted in found]),
        np.array([fitted.dual_gap_ for fitted in found]),
    )


def _reference(estimator: Any, X: Any, y: Any, sample_weight: Any) -> float:
    """The objective of a fit that goes on for longer than anybody needs."""
    parameters = {"solver": "auto", "tol": REFERENCE_TOLERANCE, "max_iter": 10 * estimator.max_iter}
    return _fitted(clone(estimator).set_params(**parameters), X, y, sample_weight)[0].objective_value_


def _fitted(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, bool]:
    """The fitted estimator, and whether it warned that it was stopped."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, y, sample_weight=sample_weight)
    return estimator, any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def _labelled(estimators: Any) -> dict[str, Any]:
    if isinstance(estimators, BaseEstimator):
        estimators = [estimators]
    pairs = estimators.items() if isinstance(estimators, Mapping) else [(repr(each), each) for each in estimators]
    labelled = {" ".join(label.split()): estimator for label, estimator in pairs}
    if not labelled:
        raise ValueError("estimators is empty: give at least one.")
    for estimator in labelled.values():
        if not (isinstance(estimator, BaseEstimator) and {"solver", "max_iter"} <= set(estimator.get_params())):
            raise TypeError(
                "ConvergenceDisplay shows models of this package, which say how often they read the data; got "
                f"{estimator!r}. Of a pipeline, give the last step and the data that reach it."
            )
    return labelled


def _objective_of(estimator: Any) -> str:
    """Estimators that minimise the same function have the same."""
    parameters = {name: value for name, value in estimator.get_params().items() if name not in NOT_OF_THE_OBJECTIVE}
    return f"{type(estimator).__name__}({parameters!r})"

"""A mean over folds, and how sure one can be of it: Student's t with a variance that knows that folds overlap."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class CorrectedMean:
    r"""The mean of one number a fold, with the corrected resampled t of Nadeau and Bengio.

    .. math:: \frac{\bar d}{\sqrt{(1/J + n_\text{test} / n_\text{train})\, s^2}} \sim t_{J - 1}

    The training parts of folds share rows, so their results are not independent and :math:`s^2 / J` is too small a
    variance for their mean. The same distribution, read the other way round, is the posterior of the Bayesian
    correlated t-test: Student's t around the mean, with this scale.

    Parameters
    ----------
    mean : float
        The mean over the folds; nan without any.
    scale : float
        Its standard error; nan with fewer than two folds.
    n_folds : int
        J.

    References
    ----------
    C. Nadeau and Y. Bengio, Inference for the generalization error, *Machine Learning* 52, 2003.

    G. Corani and A. Benavoli, A Bayesian approach for comparing cross-validated algorithms on multiple data sets,
    *Machine Learning* 100, 2015.

    Examples
    --------
    >>> from sklearn_losses.corrected_t import CorrectedMean
    >>> differences = [0.02, 0.01, 0.03, 0.00, 0.02]
    >>> sizes = {"n_train": [80] * 5, "n_test": [20] * 5}
    >>> difference = CorrectedMean.over_folds(differences, **sizes)
    >>> print(f"{difference.mean:.3f}, p = {difference.p_value:.3f}")
    0.016, p = 0.105
    """

    mean: float
    scale: float
    n_folds: int

    @classmethod
    def over_folds(cls, values: ArrayLike, n_train: ArrayLike, n_test: ArrayLike) -> CorrectedMean:
        """The mean of finite values, one a fold, with the numbers of rows that each fold trained and tested on.

        Where these differ between folds, their means count.
        """
        values = np.asarray(values, dtype=float)
        n_folds = len(values)
        mean = float(values.mean()) if n_folds else np.nan
        if n_folds < 2:
            return cls(mean, np.nan, n_folds)
        overlap = np.asarray(n_test).mean() / np.asarray(n_train).mean()
        return cls(mean, float(np.sqrt((1 / n_folds + overlap) * values.var(ddof=1))), n_folds)

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the 95 % interval."""
        if self.n_folds < 2:
            return np.nan, np.nan
        half = float(student_t.ppf(0.5 + CONFIDENCE / 2, self.n_folds - 1)) * self.scale
        return self.mean - half, self.mean + half

    @property
    def p_value(self) -> float:
        """Two-sided, for the hypothesis that the mean is zero; 1 where every value is zero."""
        if self.n_folds < 2:
            return np.nan
        return 2 * self._tail(abs(self.mean)) if self.scale > 0 else float(self.mean == 0)

    def beyond(self, rope: float) -> tuple[float, float, float]:
        """Posterior probabilities of a mean below -rope, within, and above rope."""
        if self.n_folds < 2:
            return np.nan, np.nan, np.nan
        if self.scale == 0:
            return float(self.mean < -rope), float(abs(self.mean) <= rope), float(self.mean > rope)
        worse, better = self._tail(self.mean + rope), self._tail(rope - self.mean)
        return worse, max(0.0, 1.0 - worse - better), better

    def _tail(self, distance: float) -> float:
        """Probability beyond a distance from the centre, on one side."""
        return float(student_t.sf(distance / self.scale, self.n_folds - 1))


def holm(p_values: ArrayLike) -> NDArray:
    """Holm's step-down adjustment for as many tests as have a finite p-value; the others stay nan.

    References
    ----------
    S. Holm, A simple sequentially rejective multiple test procedure, *Scandinavian Journal of Statistics* 6, 1979.

    Examples
    --------
    >>> from sklearn_losses.corrected_t import holm
    >>> holm([0.01, float("nan"), 0.04, 0.03])
    array([0.03,  nan, 0.06, 0.06])
    """
    adjusted = np.array(p_values, dtype=float)
    finite = np.flatnonzero(np.isfinite(adjusted))
    order = finite[np.argsort(adjusted[finite], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * adjusted[order]))
    return adjusted


def table_of_differences(means: list[CorrectedMean], adjust: str | None, rope: float | None) -> dict[str, NDArray]:
    """Columns about mean differences, a row each: estimate, interval, test, and the posterior beside a region."""
    p_values = np.array([mean.p_value for mean in means])
    intervals = np.array([mean.interval for mean in means]).reshape(-1, 2)
    columns = {
        "mean_difference": np.array([mean.mean for mean in means]),
        "lower": intervals[:, 0],
        "upper": intervals[:, 1],
        "p_value": holm(p_values) if adjust == "holm" else p_values,
        "n_folds": np.array([mean.n_folds for mean in means], dtype=int),
    }
    if rope is not None:
        shares = np.array([mean.beyond(rope) for mean in means]).reshape(-1, 3)
        columns |= dict(zip(("worse", "equivalent", "better"), shares.T, strict=True))
    return columns


def check_adjustment(adjust: Any) -> None:
    """Raise a ValueError for an adjustment that is not there."""
    if adjust is not None and adjust != "holm":
        raise ValueError(f"adjust must be 'holm' or None; got {adjust!r}.")


def check_rope(rope: Any) -> None:
    """Raise a ValueError for half a width that is none."""
    if rope is not None and not (isinstance(rope, Real) and 0 <= float(rope) < np.inf):
        raise ValueError(
            f"rope must be a finite number, not negative: half the width of the region in which a difference means "
            f"nothing, in the units of the metric; got {rope!r}."
        )

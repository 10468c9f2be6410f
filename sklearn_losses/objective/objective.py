"""The objective: weighted mean of a loss over linear scores, plus the penalty."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.gram import gram
from ..data.rows import Rows
from ..losses import Loss
from ..losses.metric import one_hot
from ..losses.on_scores import Array, Composition, absolute


class Meter:
    """Counts passes over the data of one fit; reading a part of it is a part of a pass."""

    def __init__(self, rows: Rows):
        self._entries = rows.n_rows * rows.n_features
        self.passes = 0.0

    def count(self, rows: Rows, share: float = 1.0) -> None:
        """Add the reading of some rows; a product in one direction only is half of it."""
        self.passes += share * rows.n_rows * rows.n_features / self._entries


class Objective:
    r"""What a fit minimises, as a function of one flat parameter vector.

    .. math:: F(W, b) = \frac{\sum_i s_i \ell(y_i, \phi(x_i W' + b))}{\sum_i s_i} + \frac{\alpha}{2} \|W\|^2

    The intercept b is not penalised. A parameter vector theta is W row by row, then b; `pack` and `unpack`
    translate. Made by the estimators' ``objective(X, y)``; minimise it with any optimiser you like.

    Parameters
    ----------
    rows : Rows
        The data.
    y : ndarray
        Targets (n,); class codes (n,) of integers for K > 2 classes, or soft rows (n, K).
    weights : ndarray of shape (n,)
        Non-negative, of sum one.
    loss : Loss
        For the mean's transformation (`Loss.total`).
    composition : Composition
        The loss on scores.
    penalty : float or ndarray of shape (p,)
        Strength of the penalty on W, for every feature.
    n_outputs : int
        Rows of W.
    fit_intercept : bool
        Whether there is a b.
    regression : bool
        Whether `unpack` returns coefficients (p,) and a float.
    meter : Meter, optional
        Counts the passes; shared by objectives over parts of the same data.

    Attributes
    ----------
    n_parameters : int
        Length of theta.
    """

    def __init__(
        self,
        rows: Rows,
        y: NDArray,
        weights: Array,
        *,
        loss: Loss,
        composition: Composition,
        penalty: float | Array,
        n_outputs: int,
        fit_intercept: bool,
        regression: bool = False,
        meter: Meter | None = None,
    ):
        self.rows, self.y, self.weights = rows, y, weights
        self.loss, self.composition = loss, composition
        self.penalty, self.n_outputs, self.fit_intercept = penalty, n_outputs, fit_intercept
        self.regression = regression
        self.n_weights = n_outputs * rows.n_features
        self.n_parameters = self.n_weights + n_outputs * fit_intercept
        self.meter = meter or Meter(rows)

    def over(self, rows: Rows, y: NDArray | None = None, weights: Array | None = None) -> Objective:
        """The same objective over other rows."""
        return Objective(
            rows,
            self.y if y is None else y,
            self.weights if weights is None else weights,
            loss=self.loss,
            composition=self.composition,
            penalty=self.penalty,
            n_outputs=self.n_outputs,
            fit_intercept=self.fit_intercept,
            regression=self.regression,
            meter=self.meter,
        )

    @property
    def n_passes(self) -> float:
        """Passes over the data so far."""
        return self.meter.passes

    def with_shift(self, theta: Array, sign: float) -> Array:
        """Parameters for rows less the shift (sign +1) from those for the rows themselves, or back (sign -1)."""
        if self.rows.shift is None:
            return theta
        coef, intercept = self.split(theta)
        return self.join(coef, intercept + sign * (coef @ self.rows.shift))

    def pack(self, coef: ArrayLike, intercept: ArrayLike = 0.0) -> Array:
        """The parameter vector of coefficients (1, p), (K, p) or (p,) and an intercept (1,), (K,) or a float."""
        coef = np.asarray(coef, dtype=np.float64)
        if coef.size != self.n_weights:
            raise ValueError(f"coef must hold {self.n_outputs} x {self.rows.n_features} numbers; got {coef.size}.")
        if not self.fit_intercept:
            return coef.ravel().copy()
        return np.concatenate([coef.ravel(), np.broadcast_to(intercept, self.n_outputs).astype(np.float64)])

    def unpack(self, theta: ArrayLike) -> tuple[Array, Array | float]:
        """Coefficients and intercept, of the fitted attributes' shapes; an intercept of zero where there is none."""
        coef, intercept = self.split(theta)
        return (coef[0], float(intercept[0])) if self.regression else (coef, intercept)

    def split(self, theta: ArrayLike) -> tuple[Array, Array]:
        """Coefficients (K, p) and intercepts (K,)."""
        theta = np.asarray(theta, dtype=np.float64)
        if theta.shape != (self.n_parameters,):
            raise ValueError(f"theta must have shape ({self.n_parameters},); got {theta.shape}.")
        coef = theta[: self.n_weights].reshape(self.n_outputs, -1)
        return coef, theta[self.n_weights :] if self.fit_intercept else np.zeros(self.n_outputs)

    def join(self, coef: Array, intercept: Array) -> Array:
        """The parameter vector of coefficients (K, p) and intercepts (K,)."""
        return np.concatenate([coef.ravel(), intercept]) if self.fit_intercept else coef.ravel()

    def value(self, theta: ArrayLike) -> float:
        """F at theta."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: ArrayLike) -> tuple[float, Array]:
        """F and its gradient, in one pass over the data."""
        coef, intercept = self.split(theta)

        def of_rows(rows):
            block = self.rows.block(rows)
            values, gradient = self.composition.value_and_gradient(
                self.targets(rows), self._scores(block, coef, intercept)
            )
            weights = self.weights[rows]
            return np.dot(weights, values), *self._pull_back(block, _scaled(gradient, weights))

        # an infinite or undefined F is an answer that solvers understand; they step back from it
        with np.errstate(over="ignore", invalid="ignore"):
            mean, coef_gradient, intercept_gradient = self.rows.sum(of_rows)
            self.meter.count(self.rows)
            value, slope, _ = self.loss.total(float(mean))
            penalised = (np.sqrt(self.penalty) * coef).ravel()
            value += 0.5 * float(np.dot(penalised, penalised))
            self.rows.see(coef_gradient)
            coef_gradient = slope * coef_gradient + self.penalty * coef
            return value, self.join(coef_gradient, slope * intercept_gradient)

    def hessian_product(self, theta: ArrayLike, v: ArrayLike) -> Array:
        """The Hessian of F at theta times a vector.

        Raises
        ------
        ValueError
            When the loss has no curvature.
        """
        return self.hessian_at(theta)(v)

    def hessian_at(self, theta: ArrayLike, scores: Array | None = None) -> Callable[[ArrayLike], Array]:
        """The Hessian of F at theta as a function of a vector; a product takes one pass over the data."""
        self._require_curvature()
        scores = self.scores(theta) if scores is None else scores
        curved = self._curved(scores)
        mean_and_gradient = None if self.loss.separable else self._mean_and_gradient(scores)

        def product(v: ArrayLike) -> Array:
            coef, intercept = self.split(v)

            def of_rows(rows):
                block = self.rows.block(rows)
                moved = self._scores(block, coef, intercept)
                return self._pull_back(block, _scaled(curved[rows.start](moved), self.weights[rows]))

            result = self.join(*self.rows.sum(of_rows))
            self.meter.count(self.rows)
            if mean_and_gradient is not None:
                mean, gradient = mean_and_gradient
                _, slope, bend = self.loss.total(mean)
                result = slope * result + bend * (gradient @ self.join(coef, intercept)) * gradient
            result[: self.n_weights] += (self.penalty * coef).ravel()
            return result

        return product

    def hessian(self, theta: ArrayLike, *, convex: bool = True) -> Array:
        """The Hessian of F, dense; where the loss is not convex, with every row's curvature made positive."""
        hessian = self.data_hessian(theta, convex=convex)
        diagonal = np.arange(self.n_weights)
        hessian[diagonal, diagonal] += np.tile(np.broadcast_to(self.penalty, self.rows.n_features), self.n_outputs)
        return hessian

    def data_hessian(
        self, theta: ArrayLike, *, convex: bool, transform: Callable | None = None, dtype: type = np.float64
    ) -> Array:
        """The same without the penalty, with respect to the weights of transformed rows if there is a transform.

        The products of every block's rows are computed in ``dtype``.
        """
        self._require_curvature()
        coef, intercept = self.split(theta)

        def of_rows(rows):
            block = self.rows.block(rows)
            y, scores = self.targets(rows), self._scores(block, coef, intercept)
            blocks = self.composition.blocks(y, scores)
            blocks = blocks if convex else absolute(blocks)
            features = self._with_ones(block, transform, dtype)
            sums = (gram(features, _scaled(blocks, self.weights[rows]), ones=self.fit_intercept),)
            if self.loss.separable:
                return sums
            values, _ = self.composition.value_and_gradient(y, scores)
            return *sums, np.dot(self.weights[rows], values)

        hessian, *mean = self.rows.sum(of_rows)
        self.meter.count(self.rows)
        if mean:
            hessian *= self.loss.total(float(mean[0]))[1]
        return hessian

    def scores(self, theta: ArrayLike) -> Array:
        """All rows' scores, (n,) or (n, K)."""
        coef, intercept = self.split(theta)
        scores = np.empty((self.rows.n_rows, self.n_outputs), order="F")
        flat = scores[:, 0] if self.n_outputs == 1 else scores

        def of_rows(rows):
            block = self.rows.block(rows)
            flat[rows] = self._scores(block, coef, intercept)
            return ()

        self.rows.sum(of_rows)
        self.meter.count(self.rows, 0.5)
        return flat

    def of_scores(self, scores: Array) -> tuple[float, Array]:
        """The weighted mean loss at given scores and every row's derivative in them; no pass over X."""
        gradient = np.empty_like(scores)

        def of_rows(rows):
            values, gradient[rows] = self.composition.value_and_gradient(self.targets(rows), scores[rows])
            return (np.dot(self.weights[rows], values),)

        return float(self.rows.sum(of_rows)[0]), gradient

    def adjoint(self, dual: Array) -> Array:
        """The transpose of `scores`, weighted: the sum over rows of weight x dual x row, in the order of theta."""
        coef, intercept = self.rows.sum(
            lambda rows: self._pull_back(self.rows.block(rows), _scaled(dual[rows], self.weights[rows]))
        )
        self.meter.count(self.rows, 0.5)
        self.rows.see(coef)
        return self.join(coef, intercept)

    def gram(self, blocks: Array, dtype: type) -> Array:
        """The sum over rows of weight x block x (row row'), dense, in the order of theta, computed in ``dtype``."""

        def of_rows(rows):
            features = self._with_ones(self.rows.block(rows), dtype=dtype)
            return (gram(features, _scaled(blocks[rows], self.weights[rows]), ones=self.fit_intercept),)

        return self.rows.sum(of_rows)[0]

    def _curved(self, scores: Array) -> dict[int, Callable[[Array], Array]]:
        """The second derivatives in the scores, ready for many products: a function for every block of rows."""
        curved: dict[int, Callable[[Array], Array]] = {}

        def of_rows(rows):
            y, some = self.targets(rows), scores[rows]
            if self.n_outputs == 1:
                curved[rows.start] = partial(np.multiply, self.composition.blocks(y, some))
            else:
                curved[rows.start] = self.composition.curvature_at(y, some)
            return ()

        self.rows.sum(of_rows)
        return curved

    def _mean_and_gradient(self, scores: Array) -> tuple[float, Array]:
        mean, dual = self.of_scores(scores)
        return mean, self.adjoint(dual)

    def only(self, indices: NDArray[np.intp]) -> Objective:
        """The objective's terms for some rows; their weights stay what they are."""
        rows = Rows(self.rows.only(indices), self.n_outputs, self.rows.shift, self.rows.workers)
        return self.over(rows, self.y[indices], self.weights[indices])

    def targets(self, rows: slice | NDArray[np.intp]) -> NDArray:
        """The targets of some rows, as losses take them."""
        y = self.y[rows]
        return one_hot(y, self.n_outputs) if y.dtype.kind in "iu" else y

    # Products with small results are written np.dot, which lets the other thread work; matmul does so for large ones.
    # Scores of several outputs are kept column by column, which is the order that reductions over classes like.

    def _scores(self, block, coef: Array, intercept: Array) -> Array:
        if self.n_outputs == 1:
            return block @ coef[0] + intercept[0]
        scores = (coef @ block.T).T if isinstance(block, np.ndarray) else np.asfortranarray(block @ coef.T)
        scores += intercept
        return scores

    def _pull_back(self, block, gradient: Array) -> tuple[Array, Array]:
        """The sums over rows of gradient x row and of gradient, shapes (K, p) and (K,)."""
        product = np.dot(gradient.T, block) if isinstance(block, np.ndarray) else (block.T @ gradient).T
        return product.reshape(self.n_outputs, -1), gradient.sum(axis=0).reshape(self.n_outputs)

    def _with_ones(self, block, transform: Callable | None = None, dtype: type = np.float64) -> Array:
        dense = block if isinstance(block, np.ndarray) else block.toarray()
        dense = dense if transform is None else transform(dense)
        if not self.fit_intercept:
            return dense.astype(dtype, copy=False)
        features = np.empty((len(dense), dense.shape[1] + 1), dtype)
        features[:, :-1], features[:, -1] = dense, 1.0
        return features

    def _require_curvature(self) -> None:
        if not self.composition.has_curvature:
            raise ValueError(
                f"{self.loss} has no curvature(y, prediction), so its Hessian is not known. Give it one, or use a "
                "solver that needs gradients only."
            )


def _scaled(rows: Array, weights: Array) -> Array:
    return rows * weights.reshape(-1, *(1,) * (rows.ndim - 1))

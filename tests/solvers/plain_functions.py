"""Functions to minimise, each with value, gradient and Hessian, and what all solvers are called with."""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize, rosen, rosen_der, rosen_hess

from sklearn_losses.solvers import gradient_descent, newton, quasi_newton, truncated_newton

SOLVERS = (gradient_descent, newton, quasi_newton, truncated_newton)


@dataclass
class Function:
    """A function with its derivatives, which counts its evaluations."""

    value: callable
    gradient: callable
    hessian: callable
    evaluations: int = field(default=0, init=False)

    def value_and_gradient(self, x):
        self.evaluations += 1
        return self.value(x), self.gradient(x)

    def hessian_product(self, x, v):
        return self.hessian(x) @ v

    def minimize(self, solver, start, callback=None, **options):
        """Through SciPy, the way the package does it."""
        derivatives = {newton: {"hess": self.hessian}, truncated_newton: {"hessp": self.hessian_product}}
        return minimize(
            self.value_and_gradient,
            start,
            jac=True,
            method=solver,
            callback=callback,
            options=options,
            **derivatives.get(solver, {}),
        )


def quadratic(matrix, minimiser, least=1.0):
    """``least + 0.5 * (x - minimiser)' matrix (x - minimiser)``."""
    return Function(
        lambda x: least + 0.5 * (x - minimiser) @ matrix @ (x - minimiser),
        lambda x: matrix @ (x - minimiser),
        lambda x: matrix,
    )


def logistic(n_rows=200, n_columns=5, alpha=1e-2, seed=0, separable=False):
    """Mean logistic loss with an L2 penalty on all coefficients."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n_rows, n_columns))
    score = x @ random.standard_normal(n_columns)
    noise = 0.0 if separable else random.logistic(size=n_rows)
    signed = np.where(score + noise > 0, 1.0, -1.0)[:, None] * x

    def wrong(w):  # the probability of the wrong class
        return 0.5 * (1.0 - np.tanh(0.5 * signed @ w))

    def hessian(w):
        weight = wrong(w) * (1.0 - wrong(w)) / n_rows
        return signed.T @ (weight[:, None] * signed) + alpha * np.eye(n_columns)

    return Function(
        lambda w: np.logaddexp(0.0, -signed @ w).mean() + 0.5 * alpha * w @ w,
        lambda w: -signed.T @ wrong(w) / n_rows + alpha * w,
        hessian,
    )


def rosenbrock():
    """Plus one, so that a relative tolerance means something."""
    return Function(lambda x: 1.0 + rosen(x), rosen_der, rosen_hess)

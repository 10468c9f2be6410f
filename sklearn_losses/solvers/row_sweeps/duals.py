r"""A dual for every row, the coefficients that follow from them, and the sweep that improves one after the other.

The problem is to minimise :math:`\sum_i s_i f_i(z_i) + \frac12 \sum_j \mathrm{penalty}_j w_j^2` with scores
:math:`z = X w + b`. Whatever the duals a, with a weighted sum of zero if there is an intercept b, it is at least

.. math:: -\sum_i s_i f_i^*(a_i) - \frac12 \sum_j \mathrm{penalty}_j w_j^2 , \qquad
   w_j = -\frac{1}{\mathrm{penalty}_j} \sum_i s_i a_i x_{ij} ,

and the largest of these bounds is the minimum. One dual alone has its best value in closed form where

.. math:: f_i(z) = \max_{\mathrm{low} \le a \le \mathrm{high}} \frac{a (c z - o) - m a^2 / 2}{c} :

a loss with one kink (c = 1, o the kink, m = 0), its Moreau envelope (m > 0), or the parabola that touches a smooth loss
in :math:`z_0` (c the curvature there, o the curvature times :math:`z_0` less the slope, m = 1, no bounds).
"""

import numpy as np
from scipy.optimize import OptimizeResult

from ..descent import CONVERGED, MESSAGES

try:
    from .compiled import joint_sweep, sweep
except ImportError:  # installed without a compiler
    joint_sweep = sweep = None  # type: ignore[assignment]

AVAILABLE = sweep is not None
BLOCK = 32  # consecutive rows that stay together: every row alone at random waits for the memory
RATE = 0.01  # of the intercept as a multiplier, beside the mean squared norm of the rows,
FLOOR = 0.3  # and beside the penalty, where that is strong
TINY = 1e-300  # a divisor that is zero, but for 0 / 0
BALANCING = 10  # rounds, as duals come to their bounds


class Duals:
    """The duals, and the coefficients and the intercept that belong to them.

    Parameters
    ----------
    rows : CSR matrix or array of shape (n, p)
        Without duplicate entries.
    weights : ndarray of shape (n,)
        Not negative.
    penalty : float or ndarray of shape (p,)
        Positive.
    start : ndarray of shape (n,)
        The duals to begin with.
    intercept : float or None
        Where the intercept starts, if there is one.
    random_state : int
        Seed for the order of the rows.
    """

    def __init__(self, rows, weights, penalty, start, intercept=None, random_state=0):
        check_compiled(sweep)
        rows, self._unit, self.strength = with_one_strength(rows, penalty)
        self._rows, self._csr, self.weights = rows, csr_arrays(rows), weights
        norms = squared_norms(*self._csr)
        self.step = weights / self.strength
        self.size = self.step * norms
        self.has_intercept = intercept is not None
        self.intercept = intercept or 0.0
        self._rate = RATE * float(weights @ norms) + FLOOR * self.strength if self.has_intercept else 0.0
        self.pressure = np.zeros(len(weights))
        self.n_sweeps, self.n_passes = 0, 0.0
        self._random = np.random.default_rng(random_state)
        self.dual, self._coef = np.array(start, dtype=float), np.zeros(rows.shape[1])
        if self.dual.any():
            self.find_coef()

    def sweep(self, rows, bend, offset, damping, low, high):
        """Give the dual of each of these rows its best value; return what they were short of it, about the gap.

        ``pressure`` becomes how firmly a dual is held at its bound or, negative, how far it was from its best.
        """
        starts, columns, data = self._csr
        gap, self.intercept = sweep(
            starts,
            columns,
            data,
            self._shuffled(rows),
            bend,
            offset,
            max(damping, TINY),
            low,
            high,
            self.step,
            self.size,
            self.dual,
            self._coef,
            self.intercept,
            self._rate,
            self.pressure,
        )
        if self.has_intercept:
            self.intercept -= self._rate / self.strength * float(self.weights @ self.dual)
        self.n_sweeps += 1
        self.n_passes += len(rows) / len(self.dual)
        return self.strength * gap

    def _shuffled(self, rows):
        """Blocks of neighbours in random order."""
        whole = len(rows) // BLOCK * BLOCK
        blocks = rows[:whole].reshape(-1, BLOCK)
        return np.concatenate([blocks[self._random.permutation(len(blocks))].ravel(), rows[whole:]])

    @property
    def coef(self):
        """The coefficients of the rows as they came."""
        return self._unit * self._coef

    @property
    def penalty(self):
        """What the penalty adds to the value."""
        return 0.5 * self.strength * float(self._coef @ self._coef)

    def scores(self):
        """The scores, without an intercept."""
        if not self._coef.any():
            return np.zeros(len(self.dual))
        self.n_passes += 0.5
        return self._rows @ self._coef

    def penalty_along(self, state):
        """Slope and curvature of the penalty at the beginning of the way from a state to where the duals are."""
        moved = self._coef - state[1]
        return self.strength * float(state[1] @ moved), self.strength * float(moved @ moved)

    def find_coef(self):
        """The coefficients that belong to the duals, without what rounding added in many steps."""
        self.n_passes += 0.5
        self._coef = self._rows.T @ (-self.step * self.dual)

    def gradient(self, slopes):
        """The gradient in the coefficients, and the bound by it, from every row's slope."""
        self.n_passes += 0.5
        mismatch = self._rows.T @ (self.weights * (slopes - self.dual))
        return mismatch / self._unit, 0.5 * float(mismatch @ mismatch) / self.strength

    def balance(self, low, high):
        """Let duals between their bounds take up what is left of the sum that an intercept makes zero."""
        dual = self.dual = self.dual.copy()
        for _ in range(BALANCING):
            rest = float(self.weights @ dual)
            free = np.flatnonzero((dual > low) & (dual < high))
            total = float(self.weights[free].sum())
            if rest == 0.0 or total == 0.0:
                return
            dual[free] = np.clip(dual[free] - rest / total, low[free], high[free])

    def state(self):
        """What `restore` and `move` go back to."""
        return self.dual.copy(), self._coef.copy(), self.intercept

    def restore(self, state):
        """Go back to a state."""
        self.dual, self._coef, self.intercept = state

    def move(self, state, share):
        """Take a share of the way from a state to here."""
        here = self.dual, self._coef, self.intercept
        self.restore([start + share * (end - start) for start, end in zip(state, here, strict=True)])


def check_compiled(loop):
    """Raise an ImportError where a loop is missing."""
    if loop is None:
        raise ImportError("Sweeps need the compiled part of sklearn_losses, which this installation is without.")


def ended(point, duals, status):
    """The SciPy result of sweeps that have ended at a point, which has its dual."""
    return OptimizeResult(
        point,
        nit=duals.n_sweeps,
        n_passes=duals.n_passes,
        status=status,
        success=status == CONVERGED,
        message=MESSAGES[status],
    )


def with_one_strength(rows, penalty):
    """The rows in units of the columns in which the penalty is the same for all; these units, and its strength."""
    strength = float(np.max(penalty))
    if np.min(penalty) == strength:
        return rows, 1.0, strength
    unit = 1.0 / np.sqrt(penalty)
    return type(rows)((rows.data * unit[rows.indices], rows.indices, rows.indptr), shape=rows.shape), unit, 1.0


def csr_arrays(rows):
    """Where rows start, columns and entries, as the compiled loop takes them."""
    index = np.promote_types(rows.indptr.dtype, rows.indices.dtype)
    starts, columns = (np.ascontiguousarray(a, dtype=index) for a in (rows.indptr, rows.indices))
    return starts, columns, np.ascontiguousarray(rows.data, dtype=np.float64)


def squared_norms(starts, columns, data):
    """The squared norm of every row; of one without entries, zero."""
    norms = np.zeros(len(starts) - 1)
    filled = np.flatnonzero(np.diff(starts))
    norms[filled] = np.add.reduceat(np.square(data[: starts[-1]]), starts[filled])
    return norms

r"""A dual vector for every row, and the sweep that gives one after the other its best value.

The problem is to minimise :math:`\sum_i s_i f_i(z_i) + \frac12 \sum_j \mathrm{penalty}_j |w_j|^2` with K scores
:math:`z_i = W x_i` a row. With the right class t, and :math:`u_c = 1 + z_c - z_t` for the violation of a wrong one,

.. math:: f_i(z) = \max_a \sum_{c \ne t} a_c u_c , \qquad 0 \le a_c \le \mathrm{most}, \quad
   \sum_{c \ne t} a_c \le \mathrm{total} .

The dual of the right class is minus the sum of the others, and :math:`w_{cj} = - \sum_i s_i a_{ic} x_{ij} /
\mathrm{penalty}_j`. The best duals of one row are
:math:`a_c = \min(\max(v_c - t, 0), \mathrm{most})` with one t for all classes, the root of a piecewise-linear function
(Keerthi, Sundararajan, Chang, Hsieh and Lin, 2008, A sequential dual method for large scale multi-class linear SVMs).
"""

import numpy as np

from .duals import check_compiled, csr_arrays, joint_sweep, squared_norms, with_one_strength

SMALLEST = 1e-9  # change of a score by a row's own dual that steps count with at least: a smaller one has no digits


class JointDuals:
    """The duals, and the coefficients that belong to them.

    Parameters
    ----------
    rows : CSR matrix or array of shape (n, p)
        Without duplicate entries.
    weights : ndarray of shape (n,)
        Not negative.
    penalty : float or ndarray of shape (p,)
        Positive.
    targets : ndarray of int, shape (n,)
        The right classes.
    n_outputs : int
        K.
    most, total : float
        Bounds of a dual, and of the sum of a row's; one of them is infinite.
    random_state : int
        Seed for the order of the rows.
    """

    def __init__(self, rows, weights, penalty, targets, n_outputs, most, total, random_state=0):
        check_compiled(joint_sweep)
        self._rows, self._unit, self.strength = with_one_strength(rows, penalty)
        self._csr, self.weights = csr_arrays(self._rows), weights
        self._step = weights / self.strength
        self._size = np.maximum(self._step * squared_norms(*self._csr), SMALLEST)
        self.most, self.total = most, total
        shape = len(weights), n_outputs
        self._correct = np.arange(len(weights)), targets
        self._classes = np.tile(np.arange(n_outputs, dtype=np.int32), (len(weights), 1))
        self._classes[self._correct], self._classes[:, 0] = 0, targets  # the right one first
        self._free, self._price = np.empty(len(weights), dtype=np.int32), np.zeros(len(weights))
        self._room = np.empty((3, n_outputs + 4))
        self.dual, self._coef = np.zeros(shape), np.zeros((rows.shape[1], n_outputs))
        self._used = np.flatnonzero(weights > 0.0)
        self._random = np.random.default_rng(random_state)
        self.n_sweeps, self.n_passes = 0, 0.0
        self.wake()

    def wake(self):
        """Let all duals move again."""
        self._free[:] = self.dual.shape[1] - 1
        self.active, self._slack = self._used, np.inf

    def sweep(self):
        """Give the duals of each row their best values; return what they were short of them, about the gap.

        Those held at a bound more firmly than the worst dual was from its best rest until they are woken.
        """
        self.n_sweeps += 1
        self.n_passes += float(self._free[self.active].sum()) / self._free.size / (self.dual.shape[1] - 1)
        starts, columns, data = self._csr
        gap, self._slack = joint_sweep(
            starts,
            columns,
            data,
            self._random.permutation(self.active),
            self.most,
            self.total,
            self._step,
            self._size,
            self.dual,
            self._coef,
            self._classes,
            self._free,
            self._price,
            self._slack,
            self._room,
        )
        self.active = self.active[self._free[self.active] > 0]
        return self.strength * gap

    def clear(self):
        """Duals and coefficients without what rounding added in many steps."""
        self.n_passes += 0.5
        dual = self.dual
        dual[self._correct] = 0.0
        sums = dual.sum(axis=1)
        dual *= (self.total / np.maximum(sums, self.total))[:, None] if self.total < np.inf else 1.0
        dual[self._correct] = -dual.sum(axis=1)
        self._coef = self._rows.T @ (-self._step[:, None] * dual)

    @property
    def coef(self):
        """The coefficients (K, p) of the rows as they came."""
        return self._coef.T * self._unit

    @property
    def penalty(self):
        """What the penalty adds to the value."""
        return 0.5 * self.strength * float(np.square(self._coef).sum())

    def scores(self):
        """The scores (n, K)."""
        self.n_passes += 0.5
        return self._rows @ self._coef

"""Proximal operators of piecewise-linear losses, and where they are not flat.

For one row, ``prox(v) = argmin_u loss(u) + |u - v|^2 / (2 step)``. With ``a = (v - prox(v)) / step``, a
subgradient of the loss at ``prox(v)``, the Jacobian ``I - Dprox(v)`` is ``step * Da``: zero where the dual
``a`` sits at a corner of the set of subgradients, a projection elsewhere. All functions work on all rows at
once; ``step`` is a scalar or has shape (n,).
"""

import numpy as np


def scalar_prox(v, step, kinks, slopes):
    """Proximal operator of losses with ``kinks`` (n, m), rising, and ``slopes`` (n, m + 1), not falling.

    Either array may have a single row, which then holds for every row of ``v`` (n,).
    """
    # Left of kink j the minimiser moves on slope j and stops at the kink: a chain of clips, from the last
    # kink to the first.
    u = v - step * slopes[:, -1]
    for j in reversed(range(kinks.shape[1])):
        u = np.minimum(v - step * slopes[:, j], np.maximum(kinks[:, j], u))
    return u


def scalar_at_kink(v, step, kinks, slopes):
    """Mask (n,) of the rows whose proximal point is a kink: there ``I - Dprox`` is one, elsewhere zero."""
    u = scalar_prox(v, step, kinks, slopes)
    mask = np.zeros(u.shape, dtype=bool)
    for j in range(kinks.shape[1]):
        mask |= (u == kinks[:, j]) & (slopes[:, j] < slopes[:, j + 1])
    return mask


def weston_watkins_prox(v, step, target):
    """Proximal operator of ``sum_{j != t} max(0, 1 + z_j - z_t)``, for scores (n, K) and classes t (n,)."""
    rows, dual = _weston_watkins_dual(v, step, target)
    return _step_back(v, step, rows, dual)


def weston_watkins_curvature(v, step, target):
    """Rows where ``I - Dprox`` of the Weston-Watkins loss is not zero, and that matrix there, (m, K, K)."""
    rows, dual = _weston_watkins_dual(v, step, target)
    wrong = np.arange(v.shape[1]) != target[rows, None]
    support = wrong & (dual > 0.0) & (dual < 1.0)
    curved = support.any(axis=1)
    return rows[curved], _zero_sum_projection(support[curved] | ~wrong[curved])


def crammer_singer_prox(v, step, target):
    """Proximal operator of ``max(0, max_{j != t} 1 + z_j - z_t)``, for scores (n, K) and classes t (n,)."""
    rows, weights = _crammer_singer_weights(v, step, target)
    weights[np.arange(rows.size), target[rows]] -= 1.0
    return _step_back(v, step, rows, weights)


def crammer_singer_curvature(v, step, target):
    """Rows where ``I - Dprox`` of the Crammer-Singer loss is not zero, and that matrix there, (m, K, K)."""
    rows, weights = _crammer_singer_weights(v, step, target)
    support = weights > 0.0
    curved = support.sum(axis=1) > 1
    return rows[curved], _zero_sum_projection(support[curved])


def _step_back(v, step, rows, dual):
    """``v - step * dual``, where the dual is zero but in the given rows."""
    result = np.array(v)
    result[rows] -= _column(step, rows) * dual
    return result


def _column(step, rows):
    """The steps of the given rows, shaped to multiply rows of scores."""
    return step if np.ndim(step) == 0 else step[rows, None]


def _zero_sum_projection(support):
    """Projections (m, K, K) onto the zero-sum vectors on a support q (m, K): diag(q) - q q' / sum(q)."""
    q = support.astype(float)
    blocks = -q[:, :, None] * (q / q.sum(axis=1, keepdims=True))[:, None, :]
    diagonal = np.arange(q.shape[1])
    blocks[:, diagonal, diagonal] += q
    return blocks


def _violations(v, target):
    """The rows with a margin below one, and their ``1 + z_j - z_t`` (0 for j = t)."""
    everything = np.arange(v.shape[0])
    violation = v - (v[everything, target] - 1.0)[:, None]
    violation[everything, target] = 0.0
    rows = np.flatnonzero((violation > 0.0).any(axis=1))
    return rows, violation[rows]


def _weston_watkins_dual(v, step, target):
    """Rows with a nonzero dual, and the dual.

    It is ``a_j = clip(u_j - S, 0, 1)`` with ``u_j = (1 + v_j - v_t) / step`` and ``S = sum_j a_j = -a_t``.
    """
    rows, u = _violations(v, target)
    u /= _column(step, rows)
    correct = (np.arange(rows.size), target[rows])
    u[correct] = -np.inf
    total = _sum_of_clips(u)
    dual = np.clip(u - total[:, None], 0.0, 1.0)
    dual[correct] = 0.0
    dual[correct] = -dual.sum(axis=1)
    return rows, dual


def _sum_of_clips(u):
    """The unique root S of S = sum_j clip(u_j - S, 0, 1) in every row; entries of -inf count for nothing."""
    # h(S) = S - sum_j clip(u_j - S, 0, 1) increases, with slope 1 + (number of terms strictly inside their
    # clip): a term enters at S = u_j - 1 and leaves at S = u_j. At S = 0 h is not positive, so only the
    # breakpoints right of 0 matter.
    terms = u.shape[1]
    breaks = np.maximum(np.concatenate([u - 1.0, u], axis=1), 0.0)
    order = np.argsort(breaks, axis=1)
    breaks = np.take_along_axis(breaks, order, axis=1)
    slope = 1.0 + np.cumsum(np.where(order < terms, 1.0, -1.0), axis=1)
    h = np.cumsum(slope[:, :-1] * np.diff(breaks, axis=1), axis=1)
    h -= np.clip(u, 0.0, 1.0).sum(axis=1, keepdims=True) - breaks[:, :1]
    passed = (h <= 0.0).sum(axis=1)
    start = np.take_along_axis(breaks, passed[:, None], axis=1)[:, 0]
    # Between two breakpoints the terms inside their clip are known: solve for S with them.
    return _solve_between(u, start, passed, breaks)


def _solve_between(u, start, passed, breaks):
    """S on the linear piece that begins at ``start``, from the terms inside their clip there."""
    last = breaks.shape[1] - 1
    end = np.take_along_axis(breaks, np.minimum(passed + 1, last)[:, None], axis=1)[:, 0]
    middle = np.where(passed < last, 0.5 * (start + end), start + 1.0)[:, None]
    full = u - middle >= 1.0
    inside = (u > middle) & ~full
    return (full.sum(axis=1) + np.where(inside, u, 0.0).sum(axis=1)) / (1.0 + inside.sum(axis=1))


def _crammer_singer_weights(v, step, target):
    """Rows with a nonzero dual, and their weights, the dual plus e_t.

    They are the projection of ``e_t + (v + 1 - e_t - v_t) / step`` onto the simplex.
    """
    rows, w = _violations(v, target)
    w /= _column(step, rows)
    w[np.arange(rows.size), target[rows]] = 1.0
    descending = -np.sort(-w, axis=1)
    excess = np.cumsum(descending, axis=1) - 1.0
    size = (descending * np.arange(1, w.shape[1] + 1) > excess).sum(axis=1)
    threshold = np.take_along_axis(excess, size[:, None] - 1, axis=1)[:, 0] / size
    return rows, np.maximum(w - threshold[:, None], 0.0)

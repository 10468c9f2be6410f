# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The loop over sparse rows that NumPy cannot express: every row's step needs the coefficients that the last one left."""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

ctypedef fused index:
    int32_t
    int64_t


def sweep(
    const index[::1] starts,
    const index[::1] columns,
    const double[::1] data,
    const int64_t[::1] rows,
    const double[::1] bend,
    const double[::1] offset,
    double damping,
    const double[::1] low,
    const double[::1] high,
    const double[::1] step,
    const double[::1] size,
    double[::1] dual,
    double[::1] coef,
    double bias,
    double rate,
    double[::1] pressure,
):
    cdef Py_ssize_t position, i
    cdef index j, first, last
    cdef double score, other, residual, old, new, best, move, gap = 0.0
    with nogil:
        for position in range(rows.shape[0]):
            i = rows[position]
            first, last = starts[i], starts[i + 1]
            # two sums, which do not wait for each other
            score, other, j = bias, 0.0, first
            while j + 1 < last:
                score += data[j] * coef[columns[j]]
                other += data[j + 1] * coef[columns[j + 1]]
                j += 2
            if j < last:
                score += data[j] * coef[columns[j]]
            old = dual[i]
            residual = bend[i] * (score + other) - offset[i] - damping * old
            pressure[i] = residual if old >= high[i] else -residual if old <= low[i] else -fabs(residual)
            best = min(max(old + residual / damping, low[i]), high[i]) - old
            gap += step[i] * best * (residual - 0.5 * damping * best) / bend[i]
            new = min(max(old + residual / (bend[i] * (size[i] + step[i] * rate) + damping), low[i]), high[i])
            if new != old:
                dual[i] = new
                move = step[i] * (old - new)
                bias += rate * move
                for j in range(first, last):
                    coef[columns[j]] += move * data[j]
    return gap, bias

# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Coordinate descent, the loop over weights that NumPy cannot express: every step needs the slopes the last one left."""

from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t

ctypedef fused index:
    int32_t
    int64_t


cdef inline double best(double old, double slope, double bend, double kink, bint positive) noexcept nogil:
    """The minimiser of a parabola in one weight plus its kink."""
    cdef double middle = old * bend - slope
    if middle > kink:
        return (middle - kink) / bend
    if middle < -kink and not positive:
        return (middle + kink) / bend
    return 0.0


def of_gram(
    const double[:, ::1] gram,
    const double[::1] kinks,
    double[::1] coef,
    double[::1] slope,
    bint positive,
    double tol,
    Py_ssize_t max_sweeps,
):
    cdef Py_ssize_t sweep, j, k, n = coef.shape[0]
    cdef double move, change, largest, bend
    cdef bint full
    with nogil:
        for sweep in range(max_sweeps):
            largest, full = 0.0, sweep % 5 == 0
            for j in range(n):
                bend = gram[j, j]
                if bend <= 0.0 or not (full or coef[j] != 0.0):
                    continue
                move = best(coef[j], slope[j], bend, kinks[j], positive) - coef[j]
                if move != 0.0:
                    coef[j] += move
                    for k in range(n):
                        slope[k] += move * gram[j, k]
                    change = bend * move * move
                    if change > largest:
                        largest = change
            if largest <= tol and full:
                break
    return sweep + 1


def of_columns(
    const index[::1] starts,
    const index[::1] rows,
    const double[::1] data,
    const double[::1] bends,
    const double[::1] sizes,
    const double[::1] kinks,
    const double[::1] quadratic,
    double[::1] coef,
    double[::1] slopes,
    double intercept,
    double intercept_bend,
    bint positive,
    Py_ssize_t sweeps,
):
    cdef Py_ssize_t sweep, j, i, n_rows = slopes.shape[0]
    cdef index entry
    cdef double slope, move, bend
    with nogil:
        for sweep in range(sweeps):
            if intercept_bend > 0.0:
                move = 0.0
                for i in range(n_rows):
                    move -= slopes[i]
                move /= intercept_bend
                intercept += move
                for i in range(n_rows):
                    slopes[i] += move * bends[i]
            for j in range(coef.shape[0]):
                bend = sizes[j] + quadratic[j]
                if bend <= 0.0:
                    continue
                slope = quadratic[j] * coef[j]
                for entry in range(starts[j], starts[j + 1]):
                    slope += data[entry] * slopes[rows[entry]]
                move = best(coef[j], slope, bend, kinks[j], positive) - coef[j]
                if move != 0.0:
                    coef[j] += move
                    for entry in range(starts[j], starts[j + 1]):
                        slopes[rows[entry]] += move * bends[rows[entry]] * data[entry]
    return intercept

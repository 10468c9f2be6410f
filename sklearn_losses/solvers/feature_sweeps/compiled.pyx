# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Coordinate descent, the loop over weights that NumPy cannot express: every step needs the slopes the last one left."""

from libc.math cimport sqrt
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


def of_groups(
    const double[:, ::1] gram,
    const double[::1] kinks,
    const double[::1] bends,
    double[:, ::1] coef,
    double[::1] slope,
    double[::1] move,
    double tol,
    Py_ssize_t max_sweeps,
):
    cdef Py_ssize_t sweep, j, k, i, at, n_groups = coef.shape[1], n_outputs = coef.shape[0], n = slope.shape[0]
    cdef double bend, size, shrunk, change, largest
    cdef bint full, moved, used
    with nogil:
        for sweep in range(max_sweeps):
            largest, full = 0.0, sweep % 5 == 0
            for j in range(n_groups):
                bend = bends[j]
                used = False
                for k in range(n_outputs):
                    used = used or coef[k, j] != 0.0
                if bend <= 0.0 or not (full or used):
                    continue
                size = 0.0
                for k in range(n_outputs):
                    move[k] = coef[k, j] - slope[k * n_groups + j] / bend
                    size += move[k] * move[k]
                size = sqrt(size)
                shrunk = 1.0 - kinks[j] / (bend * size) if kinks[j] < bend * size else 0.0
                moved, change = False, 0.0
                for k in range(n_outputs):
                    move[k] = move[k] * shrunk - coef[k, j]
                    moved = moved or move[k] != 0.0
                    change += bend * move[k] * move[k]
                if not moved:
                    continue
                for k in range(n_outputs):
                    if move[k] != 0.0:
                        coef[k, j] = coef[k, j] + move[k] if shrunk > 0.0 else 0.0
                        at = k * n_groups + j
                        for i in range(n):
                            slope[i] += move[k] * gram[at, i]
                if change > largest:
                    largest = change
            if largest <= tol and full:
                break
    return sweep + 1


def of_columns(
    const index[::1] starts,
    const index[::1] rows,
    const double[::1] data,
    const double[::1] curvature,
    const double[::1] sums,
    double inverse_total,
    const double[::1] squares,
    const double[::1] bends,
    const double[::1] kinks,
    const double[::1] slope,
    const double[::1] first,
    double[::1] coef,
    double[::1] image,
    bint positive,
    double tol,
    Py_ssize_t max_sweeps,
):
    cdef Py_ssize_t sweep, j, n = coef.shape[0]
    cdef index k, begin, end
    cdef double along, other, move, change, largest, total = 0.0
    cdef bint full
    with nogil:
        for sweep in range(max_sweeps):
            largest, full = 0.0, sweep % 5 == 0
            for j in range(n):
                if bends[j] <= 0.0 or not (full or coef[j] != 0.0):
                    continue
                begin, end = starts[j], starts[j + 1]
                # two sums, which do not wait for each other
                along = slope[j] + squares[j] * (coef[j] - first[j]) - sums[j] * total * inverse_total
                other, k = 0.0, begin
                while k + 1 < end:
                    along += data[k] * image[rows[k]]
                    other += data[k + 1] * image[rows[k + 1]]
                    k += 2
                if k < end:
                    along += data[k] * image[rows[k]]
                move = best(coef[j], along + other, bends[j], kinks[j], positive) - coef[j]
                if move != 0.0:
                    coef[j] += move
                    total += move * sums[j]
                    for k in range(begin, end):
                        image[rows[k]] += move * data[k] * curvature[rows[k]]
                    change = bends[j] * move * move
                    if change > largest:
                        largest = change
            if largest <= tol and full:
                break
    return sweep + 1, total

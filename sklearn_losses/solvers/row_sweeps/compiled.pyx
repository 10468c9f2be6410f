# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Loops over sparse rows that NumPy cannot express: every row's step needs the coefficients that the last one left."""

from libc.math cimport INFINITY, fabs
from libc.stdint cimport int32_t, int64_t

ctypedef fused index:
    int32_t
    int64_t

cdef int MOST_STEPS = 100  # of Newton's method, which takes two to five
cdef double ROUNDING = 1e-15


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


def joint_sweep(
    const index[::1] starts,
    const index[::1] columns,
    const double[::1] data,
    const int64_t[::1] rows,
    double most,
    double total,
    const double[::1] step,
    const double[::1] size,
    double[:, ::1] dual,
    double[:, ::1] coef,
    int32_t[:, ::1] classes,
    int32_t[::1] free,
    double[::1] price,
    double slack,
    double[:, ::1] room,
):
    cdef Py_ssize_t position, i, k, count, kept, moved
    cdef index j, first, last
    cdef int32_t c, a, b, d
    cdef int32_t *order
    cdef double *own
    cdef double x, za, zb, zc, zd, stiff, share, taken, others, largest, positive, at_duals
    cdef double level, old, new, held, sum_of_moves
    cdef double gap = 0.0, worst = 0.0
    cdef double *violation = &room[0, 0]
    cdef double *pull = &room[1, 0]
    cdef double *move = &room[2, 0]
    cdef double *row
    with nogil:
        for position in range(rows.shape[0]):
            i = rows[position]
            first, last, count, share, stiff = starts[i], starts[i + 1], free[i], step[i], 1.0 / size[i]
            order, own = &classes[i, 0], &dual[i, 0]
            # four scores at a time, in registers; the right class comes first
            for k in range(0, count + 1, 4):
                c, a, b, d = order[k], order[min(k + 1, count)], order[min(k + 2, count)], order[min(k + 3, count)]
                zc = za = zb = zd = 0.0
                for j in range(first, last):
                    x, row = data[j], &coef[columns[j], 0]
                    zc += x * row[c]
                    za += x * row[a]
                    zb += x * row[b]
                    zd += x * row[d]
                violation[k], violation[k + 1], violation[k + 2], violation[k + 3] = zc, za, zb, zd
            x = violation[0] - 1.0
            taken = others = -own[order[0]]
            largest = positive = at_duals = 0.0
            for k in range(1, count + 1):
                old = own[order[k]]
                violation[k] -= x
                pull[k] = violation[k] * stiff + old + taken
                others -= old
                at_duals += old * violation[k]
                positive += max(violation[k], 0.0)
                largest = max(largest, violation[k])
            gap += share * ((total * largest if total < most else most * positive) - at_duals)
            others = max(others, 0.0)
            level = common_level(pull + 1, move, count, others, most, total, taken + price[i] * stiff)
            price[i] = max(size[i] * (level - total), 0.0)
            kept = moved = 1
            sum_of_moves = 0.0
            for k in range(1, count + 1):
                c = order[k]
                old, held = own[c], violation[k] - price[i]
                new = min(max(pull[k] - level, 0.0), most)
                if new == old and ((new == 0.0 and held < -slack) or (new == most and held > slack)):
                    continue
                # those that moved come first, then those that may move, then those at rest
                order[k] = order[kept]
                order[kept] = c
                if new != old:
                    worst = max(worst, fabs(held))
                    own[c] = new
                    sum_of_moves += new - old
                    order[kept] = order[moved]
                    order[moved] = c
                    move[moved] = share * (old - new)
                    moved += 1
                kept += 1
            if moved > 1:
                own[order[0]] -= sum_of_moves
                move[0] = share * sum_of_moves
                for j in range(first, last):
                    x, row = data[j], &coef[columns[j], 0]
                    for k in range(moved):
                        row[order[k]] += x * move[k]
            if kept == 2 and own[order[1]] >= total and price[i] > slack:
                kept = 1  # it has all there is
            free[i] = <int32_t>(kept - 1)
    return gap, worst


cdef double common_level(
    const double *pull,
    double *undecided,
    Py_ssize_t count,
    double others,
    double most,
    double total,
    double level,
) noexcept nogil:
    """Where ``sum_k clip(pull_k - level, 0, most) + others = min(level, total)``: Newton's method inside a bracket."""
    cdef double low = 0.0, high = INFINITY, rest, slope, beyond, new
    cdef Py_ssize_t k, kept
    for _ in range(MOST_STEPS):
        rest = others - min(level, total)
        slope = 1.0 if level < total else 0.0
        for k in range(count):
            beyond = pull[k] - level
            rest += min(max(beyond, 0.0), most)
            slope += (beyond > 0.0) & (beyond < most)
        if rest > 0.0:
            low = level
        elif rest < 0.0:
            high = level
        else:
            break
        new = level + rest / slope if slope > 0.0 else high
        if not low < new < high:
            if fabs(rest) <= ROUNDING * (1.0 + fabs(level)):
                break
            new = 0.5 * (low + high) if high < INFINITY else 2.0 * level + 1.0
        if fabs(new - level) <= ROUNDING * fabs(level):
            level = new
            break
        level = new
        # those that the bracket decides are not looked at again
        kept = 0
        for k in range(count):
            if pull[k] >= high + most:
                others += most
            else:
                undecided[kept] = pull[k]
                kept += pull[k] > low
        pull, count = undecided, kept
    return level

"""Shares of slopes with which these sum to zero: without a difference, so that they have all their digits."""

import numpy as np

Array = np.ndarray


def shares_of_signs(weights: Array, slopes: Array) -> Array:
    """A share for every row, (n,), with which the weighted sum of slopes is zero: less of the sign that is heavier."""
    positive = slopes > 0.0
    rises, falls = (float(weights[side] @ np.abs(slopes[side])) for side in (positive, ~positive))
    if rises == falls:
        return np.ones(len(slopes))
    heavier = positive if rises > falls else ~positive
    return np.where(heavier, min(rises, falls) / max(rises, falls), 1.0)


def stationary(flow: Array) -> Array:
    """The vector r >= 0 of largest entry one with ``r @ flow = 0``, for a matrix with rows of sum zero.

    Off the diagonal its entries are not negative, and are all that is read: the elimination subtracts nothing
    (Grassmann, Taksar and Heyman, *Operations Research* 33, 1985).
    """
    rates = flow.copy()
    size = len(rates)
    outflow = np.zeros(size)
    for k in range(size - 1, 0, -1):
        outflow[k] = rates[k, :k].sum()
        if outflow[k] > 0.0:
            rates[:k, :k] += np.outer(rates[:k, k] / outflow[k], rates[k, :k])
    result = np.zeros(size)
    result[0] = 1.0
    for k in range(1, size):
        inflow = result[:k] @ rates[:k, k]
        if outflow[k] > 0.0:
            result[k] = inflow / outflow[k]
        elif inflow > 0.0:  # nothing leaves k, so that all that came before is lost to it
            result[:k], result[k] = 0.0, 1.0
        else:
            result[k] = 1.0
        result /= result.max()
    return result

"""Losses of very different steepness: the same problem, with the steepness of a row moved into its weight."""

import numpy as np


class EvenSplit:
    """A split whose losses all have slopes of about one.

    ``s_i loss_i = (s_i r_i) (loss_i / r_i)`` for any scale ``r_i`` of row i; duals are divided by it as well.
    """

    def __init__(self, split, scale):
        self.split, self.scale = split, scale
        self.n_rows, self.n_outputs, self.n_intercepts = split.n_rows, split.n_outputs, split.n_intercepts
        self.weights, self.penalty, self.work = split.weights * scale, split.penalty, split.work
        self.forward, self.features = split.forward, split.features

    def adjoint(self, a):
        return self.split.adjoint(self.scale * a)

    def value(self, z):
        return self.split.value(z) / self.scale

    def prox(self, v, step):
        return self.split.prox(v, step / self.scale)

    def curvature(self, v, step):
        return self.split.curvature(v, step / self.scale)

    def gram(self, rows, blocks, dtype):
        return self.split.gram(rows, self.scale[rows] * blocks, dtype)

    def product(self, rows, blocks, v):
        return self.split.product(rows, self.scale[rows] * blocks, v)

    def take(self, rows):
        return EvenSplit(self.split.take(rows), self.scale[rows])


def steepness(split):
    """Half the range of the slopes of every loss (n,), for one output."""
    far = np.full(split.n_rows, 1e8)
    short = 1e6
    slopes = [(v - split.prox(v, short)) / short for v in (far, -far)]
    half = 0.5 * np.abs(slopes[0] - slopes[1])
    return np.where(half > 0.0, half, 1.0)

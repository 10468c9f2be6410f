"""What objectives compute on a block of rows: functions of a module, which can be sent to where the rows are.

``loss`` is a loss on scores; coefficients are (K, p), intercepts (K,); scores, slopes and curvature are those of the
block's rows.
"""

from __future__ import annotations

import numpy as np

from ..activations import Curvature, absolute
from ..data import Block
from ..data.sums import Largest
from ..losses.on_scores import Array, LossOnScores


def all_targets(block: Block) -> tuple:
    """The targets as a result for every row."""
    return (block.targets,)


def value_and_gradient(block: Block, loss: LossOnScores, coef: Array, intercept: Array) -> tuple:
    """The mean loss, and its gradient in the coefficients and the intercepts."""
    values, slopes = loss.value_and_gradient(block.targets, block.scores(coef, intercept))
    return block.mean(values), *block.pull_back(slopes)


def scored_value_and_gradient(block: Block, loss: LossOnScores, coef: Array, intercept: Array) -> tuple:
    """The scores, then the same."""
    scores = block.scores(coef, intercept)
    values, slopes = loss.value_and_gradient(block.targets, scores)
    return scores, block.mean(values), *block.pull_back(slopes)


def scores(block: Block, coef: Array, intercept: Array) -> tuple:
    """The scores."""
    return (block.scores(coef, intercept),)


def largest(block: Block, scores: Array) -> tuple:
    """The size of the largest score."""
    return (Largest(np.abs(scores).max()),)


def losses(block: Block, loss: LossOnScores, scores: Array, shift: Array) -> tuple:
    """Every row's loss at scores plus a shift (K,)."""
    return (loss.value_and_gradient(block.targets, shifted(scores, shift))[0],)


def slopes(block: Block, loss: LossOnScores, scores: Array, shift: Array) -> tuple:
    """Every row's slopes at scores plus a shift (K,), the mean loss, the mean slopes and their mean sizes."""
    values, slopes = loss.value_and_gradient(block.targets, shifted(scores, shift))
    return slopes, block.mean(values), block.mean(slopes), block.mean(np.abs(slopes))


def pulled_back(block: Block, slopes: Array) -> tuple:
    """The transpose of `scores`."""
    return block.pull_back(slopes)


def sums_of_classes(block: Block) -> tuple:
    """The weighted sums of every class's rows."""
    return block.pull_back((block.targets > 0.0).astype(np.float64))


def curvature(block: Block, loss: LossOnScores, scores: Array) -> tuple:
    """The second derivatives in the scores, ready for many products."""
    return (loss.curvature(block.targets, scores),)


def bends(block: Block, loss: LossOnScores, scores: Array, made_positive: bool) -> tuple:
    """The rows' Hessians in the scores, (m,) or (m, K, K), perhaps with absolute eigenvalues."""
    matrices = loss.curvature(block.targets, scores).blocks()
    return (absolute(matrices) if made_positive else matrices,)


def sparse_gram(block: Block, curvature: Array) -> tuple:
    """The sums that the Hessian of one output is made of, without an array of dense rows."""
    return block.products(curvature)


def product(block: Block, curvature: Curvature, coef: Array, intercept: Array) -> tuple:
    """The Hessian of the mean loss times a direction."""
    return block.pull_back(curvature.apply(block.scores(coef, intercept)))


def dense_hessian(
    block: Block, loss: LossOnScores, coef: Array, intercept: Array, transform, ones: bool, convex: bool, dtype: type
) -> tuple:
    """The Hessian of the mean loss in the weights of transformed rows; made positive where the loss is not convex."""
    matrices = loss.curvature(block.targets, block.scores(coef, intercept)).blocks()
    matrices = matrices if convex else absolute(matrices)
    return (block.gram(matrices, dtype, ones=ones, transform=transform),)


def curved_gram(block: Block, curvature: Array, transform, ones: bool, dtype: type) -> tuple:
    """The weighted sum of curvature x (row row') for curvature that is given for every row."""
    return (block.gram(curvature, dtype, ones=ones, transform=transform),)


def gram_of_some(block: Block, curvature: Array, transform, ones: bool, some: Array) -> tuple:
    """Some rows of the same matrix."""
    features = block.features(ones=ones, transform=transform)
    return (np.dot((features[:, some] * block.weighted(curvature)[:, None]).T, features),)


def class_gram(block: Block, diagonal: Array, k: int, transform, ones: bool, dtype: type) -> tuple:
    """The same for one of the classes, by the diagonals of the rows' Hessians."""
    curvature = diagonal if diagonal.ndim == 1 else diagonal[:, k]
    return (block.gram(curvature, dtype, ones=ones, transform=transform),)


def even_gram(block: Block, curvature: float, transform, ones: bool) -> tuple:
    """The same with one number for every row."""
    return (block.gram(np.full(len(block.weights), curvature), ones=ones, transform=transform),)


def means(block: Block) -> tuple:
    """The means of the columns and of the targets."""
    return block.mean(block.dense()), block.mean(block.y)


def gram_with_targets(block: Block, center: Array, middle: float) -> tuple:
    """The mean of (row row') for dense rows less their center, with the target less its middle at their end."""
    rows = np.empty((len(block.y), len(center) + 1))
    np.subtract(block.dense(), center, out=rows[:, :-1])
    rows[:, -1] = block.y - middle
    rows *= np.sqrt(block.weights)[:, None]
    return (np.dot(rows.T, rows),)


def sizes_of_diagonal(block: Block, loss: LossOnScores, scores: Array) -> tuple:
    """The sizes of the diagonals of the rows' Hessians in the scores, their mean, the largest, and less the least."""
    sizes = np.abs(loss.curvature(block.targets, scores).diagonal())
    return sizes, block.mean(sizes), Largest(sizes.max(axis=0)), Largest(-sizes.min(axis=0))


def mean_curvature(block: Block, loss: LossOnScores, scores: Array, shift: Array) -> tuple:
    """The mean of the rows' Hessians at scores plus a shift, (K, K)."""
    curvature = loss.curvature(block.targets, shifted(scores, shift))
    return (np.reshape(curvature.weighted_sum(block.weights), (block.n_outputs, block.n_outputs)),)


def between_and_within(block: Block, loss: LossOnScores, scores: Array, transform, ones: bool) -> tuple:
    """The mean of the rows' Hessians, (K, K), their total size, and the Gram matrix of rows by these sizes."""
    curvature = loss.curvature(block.targets, scores)
    sizes = np.abs(curvature.diagonal()).sum(axis=1)
    return (
        curvature.weighted_sum(block.weights),
        block.mean(sizes),
        block.gram(sizes, ones=ones, transform=transform),
    )


def sizes_of_rows(block: Block, transform) -> tuple:
    """Every row's squared norm times its weight, and their sum."""
    features = block.features(transform=transform)
    sizes = block.weighted(np.einsum("ij,ij->i", features, features))
    return sizes, float(sizes.sum())


def chances(block: Block, sizes: Array, total: float) -> tuple:
    """Half by weight and half by these sizes, of so large a sum."""
    return (0.5 * block.weights + 0.5 * (sizes / total),)


def mean_squares(block: Block) -> tuple:
    """The mean squares of the columns."""
    dense = block.dense()
    return (block.mean(np.square(dense)),)


def shifted(scores: Array, shift: Array) -> Array:
    """Scores plus the same (K,) for every row."""
    return scores + (shift if scores.ndim == 2 else shift[0])

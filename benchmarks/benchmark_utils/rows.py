"""The rows of the tables: which problems are measured, and what is aimed at."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import data, races
from .problem import Problem, named_loss
from .races import Race


@dataclass(frozen=True)
class Row:
    """One line of a table: how to make the problem at a scale of its number of rows, and what is aimed at."""

    title: str
    target: float
    build: Callable[[float], Problem]
    max_passes: float = np.inf
    against: Callable[[float], Problem] | None = None  # the peers' problem, where they cannot have ours
    first: bool = False  # whether a first fit in a process of its own is timed too


def classes(n, p, loss="cross_entropy", C=1.0, fit_intercept=True, **shape):
    return lambda scale: Problem.with_C(*data.classification(int(scale * n), p, **shape), loss, C, fit_intercept)


def text(loss, C):
    return lambda scale: Problem.with_C(
        *data.text_like(int(scale * 20_000), int(scale * 50_000)), loss, C, fit_intercept=False
    )


def wide(n, p, correlation):
    return lambda scale: Problem.with_C(
        *data.classification(n, int(scale * p), correlation=correlation), "cross_entropy", 1.0
    )


def bundled(name, loss="cross_entropy", fit_intercept=True):
    return lambda scale: Problem.with_C(*data.bundled(name), loss, 1.0, fit_intercept)


def line(n, p, loss, C, fit_intercept=True):
    return lambda scale: Problem.with_C(*data.noisy_line(int(scale * n), p), loss, C, fit_intercept)


def poisson(n, p):
    return lambda scale: Problem(*data.counts(int(scale * n), p), named_loss("poisson"), alpha=1e-4)


def huber(n, p):
    return lambda scale: Problem(
        *data.noisy_line_of_unit_scale(int(scale * n), p), named_loss("huber_1.35"), alpha=1e-4
    )


def text_with_intercept(loss):
    def build(scale):
        X, y, weights = data.rare_text(int(scale * 20_000), int(scale * 50_000))
        return Problem(X, y, named_loss(loss), 1 / len(y), True, weights=weights)

    return build


def text_of_classes():
    return lambda scale: Problem.with_C(
        *data.text_like(int(scale * 20_000), int(scale * 50_000), n_classes=20), "cross_entropy", 1.0, False
    )


def one_hot(n, fit_intercept):
    return lambda scale: Problem.with_C(
        *data.one_hot(int(scale * n), n_fields=10, n_levels=max(int(scale * 300), 5)), "hinge", 1.0, fit_intercept
    )


def one_hot_line(n, p, loss):
    return lambda scale: Problem.with_C(*data.one_hot_line(int(scale * n), int(scale * p)), loss, np.inf)


def joint(n_classes, loss):
    return lambda scale: Problem.with_C(
        *data.classification(10 * n_classes, 10, n_classes=n_classes), loss, 1.0, fit_intercept=False
    )


def lasso(n, p, share):
    return lambda scale: Problem.sparse(*data.sparse_line(int(scale * n), p), "squared_error", share)


def sparse_classes(n, p, share, loss="cross_entropy", fit_intercept=False):
    return lambda scale: Problem.sparse(
        *data.sparse_classes(int(scale * n), p), loss, share, fit_intercept=fit_intercept
    )


def sparse_text(share):
    return lambda scale: Problem.sparse(
        *data.text_like(int(scale * 20_000), int(scale * 50_000)), "cross_entropy", share
    )


def sparse_errors(n, p, loss, share=0.1):
    return lambda scale: Problem.sparse(*data.sparse_line(int(scale * n), p), loss, share)


def sparse_counts(n, p):
    return lambda scale: Problem.sparse(*data.counts(int(scale * n), p), "poisson", 0.1, l1_ratio=0.5)


def sparse_digits():
    return lambda scale: Problem.sparse(*data.bundled("digits"), "cross_entropy", 0.1)


def sparse_text_of_classes():
    return lambda scale: Problem.sparse(
        *data.text_like(int(scale * 8_000), int(scale * 30_000), n_classes=20), "cross_entropy", 0.1
    )


crammer_singer = bundled("digits", "hinge_crammer_singer", fit_intercept=False)

ROWS = {
    # smooth losses
    "ce": Row("CE 200,000 x 100, mild correlation", 5, classes(200_000, 100), max_passes=8),
    "ce-correlated": Row(
        "CE 200,000 x 100, correlation 0.95", 12, classes(200_000, 100, correlation=0.95), max_passes=8
    ),
    "ce-scaled": Row("CE 200,000 x 100, columns 1e-2 to 1e2", 12, classes(200_000, 100, scales=2), max_passes=8),
    "softmax": Row("softmax CE 100,000 x 60 x 8 classes", 3, classes(100_000, 60, n_classes=8)),
    "softmax-correlated": Row(
        "softmax CE 100,000 x 60 x 8, corr. 0.95", 12, classes(100_000, 60, n_classes=8, correlation=0.95)
    ),
    "poisson": Row("Poisson 200,000 x 50", 5, poisson(200_000, 50)),
    "huber": Row("Huber 200,000 x 50", 5, huber(200_000, 50)),
    "digits": Row("digits, softmax CE, 10 classes", 2.5, bundled("digits")),
    "breast-cancer": Row("breast_cancer, CE", 1.1, bundled("breast_cancer"), first=True),
    "iris": Row("iris, softmax CE", 1, bundled("iris"), first=True),
    "text-1": Row("sparse 20,000 x 50,000 CE, C=1", 1.5, text("cross_entropy", 1.0)),
    "text-100": Row("sparse 20,000 x 50,000 CE, C=100", 1.2, text("cross_entropy", 100.0)),
    "text-10": Row("sparse 20,000 x 50,000 CE, C=10", 1.2, text("cross_entropy", 10.0)),
    "text-intercept": Row(
        "CE, the same text, intercept, 80/20 classes, weights", 1.2, text_with_intercept("cross_entropy")
    ),
    "text-classes": Row("softmax CE, sparse 20,000 x 50,000, 20 classes", 3, text_of_classes()),
    "wide": Row("wide 500 x 20,000 CE", 1, wide(500, 20_000, correlation=0.0)),
    "wide-correlated": Row("wide 1,000 x 5,000 CE, correlation 0.95", 1, wide(1_000, 5_000, correlation=0.95)),
    # losses with kinks
    "hinge": Row("hinge 50,000 x 50, C=1", 6, classes(50_000, 50, "hinge", fit_intercept=False)),
    "hinge-correlated": Row(
        "hinge 50,000 x 50, C=1, correlation 0.95",
        15,
        classes(50_000, 50, "hinge", fit_intercept=False, correlation=0.95),
    ),
    "hinge-large": Row("hinge 200,000 x 100, C=0.01", 4, classes(200_000, 100, "hinge", C=0.01, fit_intercept=False)),
    "hinge-text": Row("hinge sparse 20,000 x 50,000, C=1", 1.3, text("hinge", 1.0), first=True),
    "hinge-text-10": Row("hinge sparse 20,000 x 50,000, C=10", 1.5, text("hinge", 10.0)),
    "hinge-text-100": Row("hinge sparse 20,000 x 50,000, C=100", 1.5, text("hinge", 100.0)),
    "hinge-text-intercept": Row(
        "hinge, the same text, intercept, 80/20 classes, weights", 1.2, text_with_intercept("hinge")
    ),
    "squared-hinge-text": Row("squared hinge sparse 20,000 x 50,000, C=1", 1, text("squared_hinge", 1.0)),
    "hinge-one-hot-20": Row("hinge, 10 one-hot fields of 300, 20,000 rows", 1, one_hot(20_000, False)),
    "hinge-one-hot-100": Row("hinge, 10 one-hot fields of 300, 100,000 rows", 1, one_hot(100_000, False)),
    "hinge-one-hot-20-intercept": Row("the same one-hot fields, 20,000 rows, intercept", 1, one_hot(20_000, True)),
    "hinge-one-hot-100-intercept": Row("the same one-hot fields, 100,000 rows, intercept", 1, one_hot(100_000, True)),
    "crammer-singer": Row("Crammer-Singer, digits", 1.2, crammer_singer),
    "weston-watkins": Row(
        "Weston-Watkins, digits (peer: Crammer-Singer)",
        3,
        bundled("digits", "hinge", fit_intercept=False),
        against=crammer_singer,
    ),
    **{
        f"joint-{K}": Row(f"Crammer-Singer, {10 * K} x 10, {K} classes", 1, joint(K, "hinge_crammer_singer"))
        for K in (20, 40, 80)
    },
    "median-one-hot": Row("median, one-hot 5,000 x 500, alpha=0", 1, one_hot_line(5_000, 500, "absolute_error")),
    "median-one-hot-large": Row(
        "median, one-hot 10,000 x 1,000, alpha=0", 1, one_hot_line(10_000, 1_000, "absolute_error")
    ),
    "quantile-one-hot": Row("quantile 0.9, one-hot 5,000 x 500, alpha=0", 1, one_hot_line(5_000, 500, "quantile_0.9")),
    "quantile-one-hot-large": Row(
        "quantile 0.9, one-hot 10,000 x 1,000, alpha=0", 1, one_hot_line(10_000, 1_000, "quantile_0.9")
    ),
    "median": Row("median 10,000 x 20, alpha=0", 100, line(10_000, 20, "absolute_error", np.inf)),
    "median-large": Row("median 20,000 x 50, alpha=0", 300, line(20_000, 50, "absolute_error", np.inf)),
    "quantile-ridge": Row(
        "quantile 0.9, 200,000 x 50, C=1", 3, line(200_000, 50, "quantile_0.9", 1.0, fit_intercept=False)
    ),
    "quantile": Row("quantile 0.9, 200,000 x 50, alpha=0", 3, line(200_000, 50, "quantile_0.9", np.inf)),
    # penalties with a kink
    **{
        f"lasso-{n}-{part}": Row(f"Lasso {n:,} x {p:,}, alpha_max / {part}", 1, lasso(n, p, 1 / part))
        for n, p in ((10_000, 200), (500, 20_000))
        for part in (10, 100)
    },
    **{
        f"l1-ce-{n}-{part}": Row(f"L1 CE {n:,} x {p:,}, alpha_max / {part}", 1, sparse_classes(n, p, 1 / part))
        for n, p in ((10_000, 200), (500, 20_000))
        for part in (10, 100)
    },
    "l1-text-10": Row("L1 CE, sparse 20,000 x 50,000, intercept, / 10", 1, sparse_text(0.1)),
    "l1-text-100": Row("L1 CE, sparse 20,000 x 50,000, intercept, / 100", 1, sparse_text(0.01)),
    "l1-huber": Row("L1 Huber 10,000 x 200, / 10", 1, sparse_errors(10_000, 200, "huber")),
    "l1-huber-wide": Row("L1 Huber 500 x 5,000, / 10", 1, sparse_errors(500, 5_000, "huber")),
    "net-poisson": Row("elastic net Poisson 10,000 x 200", 1.5, sparse_counts(10_000, 200)),
    "l1-digits": Row("L1 softmax CE, digits", 3, sparse_digits()),
    "l1-text-classes": Row("L1 softmax CE, sparse 8,000 x 30,000, 20 classes", 3, sparse_text_of_classes()),
    "l1-quantile": Row("L1 quantile 0.9, 5,000 x 100", 5, sparse_errors(5_000, 100, "quantile_0.9", 0.02)),
    "l1-quantile-wide": Row("L1 quantile 0.9, 300 x 600", 1, sparse_errors(300, 600, "quantile_0.9", 0.1)),
    "l1-hinge": Row("L1 hinge 5,000 x 100", 5, sparse_classes(5_000, 100, 0.02, "hinge", True)),
    "l1-hinge-wide": Row("L1 hinge 300 x 600", 1, sparse_classes(300, 600, 0.1, "hinge", True)),
}

RACES = {
    "predict": Race("predict, 500,000 x 30", 1, races.predict("predict")),
    "predict-proba": Race("predict_proba, 500,000 x 30", 1, races.predict("predict_proba")),
    "grid": Race("a fit of a grid: 5 folds x 8 strengths x 5 losses", 0.7, races.grid),
    "refit-hinge": Race("hinge refitted, 1 % of rows new (against cold)", 3, races.refit("hinge")),
    "refit-quantile": Race("quantile refitted, 1 % of rows new (against cold)", 3, races.refit("quantile")),
    "joint-pairs": Race("Weston-Watkins, 800 x 10, 80 classes (squared)", 0.1, races.joint_pairs),
    "path-lasso": Race("Lasso path, 100 strengths, 5 folds", 1, races.lasso_path),
    "path-ce": Race("L1 CE path, 100 strengths, 5 folds", 1, races.logistic_path),
    "margins-digits": Race("AM-Softmax, digits (against our CE)", 1 / 3, races.margins("am_softmax", digits=True)),
    "arcface-digits": Race("ArcFace, digits (against our CE)", 1 / 3, races.margins("arcface", digits=True)),
    "margins": Race("AM-Softmax, 100,000 x 60 x 8 (our CE)", 1 / 3, races.margins("am_softmax", digits=False)),
    "arcface": Race("ArcFace, 100,000 x 60 x 8 (our CE)", 1 / 3, races.margins("arcface", digits=False)),
    "strengths": Race("compare_losses, 20 strengths (8 cold fits)", 1, races.strengths),
}

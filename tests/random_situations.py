"""Awkward situations, drawn at random: an estimator with its settings, data, and what it was fitted to before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import scipy
import scipy.sparse as sp
from naive_objective import FORMULAS, Float, NaiveObjective
from scipy.optimize import minimize

import sklearn_losses
from sklearn_losses import Loss, losses

MANY_ROWS = 8000  # enough for a second thread

Array = np.ndarray


# Losses as users write them: a value and a gradient, with or without a bound --------------------------------------


class PseudoHuber(Loss):
    """Straight far out, and nobody says how curved it is."""

    domain = "values"
    convex = True
    lower_bound = 0.0

    def __init__(self, width=1.0):
        self.width = width

    def value(self, y, prediction):
        error = prediction - y
        return error * (error / (np.hypot(self.width, error) + self.width))

    def gradient(self, y, prediction):
        error = prediction - y
        return error / np.hypot(self.width, error)


class GaussianLogLikelihood(Loss):
    """A density may exceed one, and minus its logarithm is then negative."""

    domain = "values"
    convex = True

    def __init__(self, sigma=1.0):
        self.sigma = sigma

    def value(self, y, prediction):
        return 0.5 * ((prediction - y) / self.sigma) ** 2 + np.log(self.sigma) + 0.5 * np.log(2 * np.pi)

    def gradient(self, y, prediction):
        return (prediction - y) / self.sigma**2

    def curvature(self, y, prediction):
        return np.full_like(prediction, self.sigma**-2.0)


class LogisticMargin(Loss):
    """Cross-entropy, as a loss on scores without curvature."""

    domain = "scores"
    convex = True

    def value(self, y, prediction):
        if prediction.ndim == 1:
            return y * np.logaddexp(0, -prediction) + (1 - y) * np.logaddexp(0, prediction)
        others = [np.logaddexp.reduce(np.delete(prediction, k, axis=1), axis=1) for k in range(y.shape[1])]
        return (y * np.logaddexp(0, np.stack(others, axis=1) - prediction)).sum(axis=1)

    def gradient(self, y, prediction):
        if prediction.ndim == 1:
            return np.exp(-np.logaddexp(0, -prediction)) - y
        return np.exp(prediction - np.logaddexp.reduce(prediction, axis=1)[:, None]) - y


class QuarticError(Loss):
    """Of the class docstring of `Loss`; not declared convex."""

    domain = ("probabilities", "values")

    def value(self, y, prediction):
        error = (prediction - y) ** 4
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        return 4 * (prediction - y) ** 3


OF_USERS = (PseudoHuber, GaussianLogLikelihood, LogisticMargin, QuarticError)


def of_the_user(fun, x0, jac=None, callback=None, options=None, **others):
    """A minimiser of the user's own."""
    return minimize(fun, x0, jac=jac, method="BFGS", callback=callback, options={"maxiter": others.get("maxiter", 200)})


# What every loss is ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """How to draw a loss for targets of a unit, and what is true of it."""

    draw: Callable
    convex: bool = True
    attained: bool = True  # whether the minimum exists on separable classes, or without events
    positive: str = ""  # what targets must be: "> 0", ">= 0", "not 0"

    def __call__(self, random, unit: float = 1.0) -> Loss:
        return self.draw(random, unit)


def constant(make: Callable) -> Callable:
    return lambda random, unit: make()


CLASSIFICATION = {
    "CrossEntropy": Kind(constant(losses.CrossEntropy), attained=False),
    "CrossEntropy smoothed": Kind(lambda r, u: losses.CrossEntropy(label_smoothing=number(r.uniform(0.01, 0.5)))),
    "KLDivergence": Kind(constant(losses.KLDivergence), attained=False),
    "Focal": Kind(lambda r, u: losses.Focal(gamma=number(r.uniform(0.1, 4))), convex=False, attained=False),
    "GeneralizedCrossEntropy": Kind(
        lambda r, u: losses.GeneralizedCrossEntropy(q=number(r.uniform(0.1, 1))), convex=False, attained=False
    ),
    "SquaredError": Kind(constant(losses.SquaredError), convex=False, attained=False),
    "AbsoluteError": Kind(constant(losses.AbsoluteError), convex=False, attained=False),
    "Huber": Kind(lambda r, u: losses.Huber(delta=number(r.uniform(0.05, 1))), convex=False, attained=False),
    "LogCosh": Kind(constant(losses.LogCosh), convex=False, attained=False),
    "Hinge": Kind(constant(losses.Hinge)),
    "Hinge crammer-singer": Kind(lambda r, u: losses.Hinge(multiclass="crammer-singer")),
    "SquaredHinge": Kind(constant(losses.SquaredHinge)),
    "ModifiedHuber": Kind(constant(losses.ModifiedHuber)),
    "Exponential": Kind(constant(losses.Exponential), attained=False),
    "LeastSquares": Kind(constant(losses.LeastSquares)),
    "QuarticError": Kind(constant(QuarticError), convex=False, attained=False),
    "LogisticMargin": Kind(constant(LogisticMargin), attained=False),
}
REGRESSION = {
    "SquaredError": Kind(constant(losses.SquaredError)),
    "AbsoluteError": Kind(constant(losses.AbsoluteError)),
    "Huber": Kind(lambda r, u: losses.Huber(delta=number(u * 10 ** r.uniform(-3, 2)))),
    "LogCosh": Kind(constant(losses.LogCosh)),
    "PercentageError": Kind(constant(losses.PercentageError), positive="not 0"),
    "RootMeanSquaredError": Kind(constant(losses.RootMeanSquaredError)),
    "Quantile": Kind(lambda r, u: losses.Quantile(quantile=number(r.choice([0.5, r.uniform(0.01, 0.99)])))),
    "EpsilonInsensitive": Kind(
        lambda r, u: losses.EpsilonInsensitive(epsilon=number(u * r.choice([0, 10 ** r.uniform(-4, 1)])))
    ),
    "SquaredEpsilonInsensitive": Kind(
        lambda r, u: losses.SquaredEpsilonInsensitive(epsilon=number(u * r.choice([0, 10 ** r.uniform(-4, 1)])))
    ),
    "Poisson": Kind(constant(losses.Poisson), attained=False, positive=">= 0"),
    "Gamma": Kind(constant(losses.Gamma), positive="> 0"),
    "Tweedie": Kind(
        lambda r, u: losses.Tweedie(power=number(r.choice([1, 1.5, 1.9, r.uniform(1, 1.94)]))),
        attained=False,
        positive=">= 0",
    ),
    "Tweedie not convex": Kind(
        lambda r, u: losses.Tweedie(power=number(r.choice([2.5, 3]))), convex=False, positive="> 0"
    ),
    "QuarticError": Kind(constant(QuarticError), convex=False),
    "PseudoHuber": Kind(lambda r, u: PseudoHuber(width=number(u * 10 ** r.uniform(-4, 1)))),
    "GaussianLogLikelihood": Kind(lambda r, u: GaussianLogLikelihood(sigma=number(u * 10 ** r.uniform(-2, 1)))),
}

SCIPY = {  # method: the most parameters that it is asked for
    "Nelder-Mead": 3, "Powell": 4, "COBYLA": 3, "COBYQA": 3, "CG": 40, "BFGS": 40, "L-BFGS-B": 200, "TNC": 40,
    "SLSQP": 30, "trust-constr": 12, "Newton-CG": 60, "trust-ncg": 60, "trust-krylov": 60, "trust-exact": 40,
    "dogleg": 40,
}  # fmt: skip
if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 14):
    del SCIPY["COBYQA"]
SECOND = ("Newton-CG", "trust-ncg", "trust-krylov", "trust-exact", "dogleg", "trust-constr")
ONLY_CONVEX = ("dogleg",)


def number(value) -> float:
    """Few digits, for short reproductions."""
    return float(f"{float(value):.2g}")


@dataclass(frozen=True)
class Situation:
    """One fit: everything that decides it, in plain arrays."""

    estimator: str
    loss: Loss
    kind: Kind
    settings: dict
    X: Array
    y: Array
    sample_weight: Array | None = None
    soft_labels: Array | None = None
    storage: str = "dense"
    before: tuple[Array, Array] | None = None  # X and y of the fit that a warm start begins from
    story: tuple[str, ...] = field(default=(), compare=False)

    @property
    def domain(self) -> str:
        if self.estimator == "LinearRegressor":
            return "values"
        domains = [self.loss.domain] if isinstance(self.loss.domain, str) else self.loss.domain
        return "probabilities" if "probabilities" in domains else "scores"

    @property
    def classes(self) -> Array:
        return np.unique(self.y)

    @property
    def n_outputs(self) -> int:
        return 1 if self.domain == "values" or len(self.classes) == 2 else len(self.classes)

    @property
    def alpha(self) -> float:
        return self.settings.get("alpha", 1e-4)

    @property
    def tol(self) -> float:
        return self.settings.get("tol", 1e-6)

    @property
    def solver(self) -> str:
        solver = self.settings.get("solver", "auto")
        return solver if isinstance(solver, str) else "callable"

    def make(self):
        return getattr(sklearn_losses, self.estimator)(self.loss, **self.settings)

    def fit_arguments(self) -> dict:
        return {name: value for name in ("sample_weight", "soft_labels") if (value := getattr(self, name)) is not None}

    def rows(self, X: Array | None = None):
        """X as it is stored."""
        return stored(self.X if X is None else X, self.storage)

    def weights_and_targets(self) -> tuple[Array, Array]:
        """Weights (n,) of sum one, and targets (n,) or (n, K); a soft row is so many rows with a label each."""
        weights = np.ones(len(self.y), Float) if self.sample_weight is None else self.sample_weight.astype(Float)
        weights = weights / weights.max()
        if self.domain == "values":
            return weights / weights.sum(), self.y.astype(Float)
        soft = (self.y[:, None] == self.classes) if self.soft_labels is None else self.soft_labels
        shares = soft.astype(Float)
        shares = shares / shares.sum(axis=1, keepdims=True) * weights[:, None]
        wanted = self.settings.get("class_weight")
        if wanted == "balanced":
            shares /= shares.sum(axis=0)
        elif wanted is not None:
            shares *= [wanted.get(k, 1.0) for k in self.classes]
        weights = shares.sum(axis=1)
        target = shares / np.where(weights > 0, weights, 1)[:, None]
        return weights / weights.sum(), target[:, 1] if len(self.classes) == 2 else target

    def naive(self) -> NaiveObjective:
        weights, target = self.weights_and_targets()
        counts = weights > 0
        return NaiveObjective(
            self.loss,
            self.domain,
            self.X[counts].astype(Float),
            target[counts],
            weights[counts],
            self.alpha,
            self.n_outputs,
            self.settings.get("fit_intercept", True),
        )

    def take(self, rows: Array) -> Situation | None:
        """Some of the rows; None where a class would be lost."""
        if self.domain != "values":
            weights = self.sample_weight if self.sample_weight is not None else np.ones(len(self.y))
            left = np.unique(self.y[rows][weights[rows] > 0])
            if not np.array_equal(left, self.classes):
                return None
        return replace(
            self,
            X=self.X[rows],
            y=self.y[rows],
            sample_weight=None if self.sample_weight is None else self.sample_weight[rows],
            soft_labels=None if self.soft_labels is None else self.soft_labels[rows],
            before=None if self.before is None else (self.before[0][rows], self.before[1][rows]),
        )

    def with_columns(self, columns: Array) -> Situation:
        before = None if self.before is None else (self.before[0][:, columns], self.before[1])
        return replace(self, X=self.X[:, columns], before=before)


def stored(X: Array, storage: str):
    if storage == "dense":
        return X
    if storage == "fortran":
        return np.asfortranarray(X)
    make = sp.csr_array if "csr" in storage else sp.csc_array
    if "repeated" not in storage:
        return make(X)
    # every entry in two halves, out of order, and some explicit zeros: what word counts look like
    X = X if "csr" in storage else X.T
    indptr, indices, data = [0], [], []
    for row in X:
        at = np.flatnonzero(row)
        indices += [*at[::-1], *at, 0]
        data += [*row[at][::-1] / 2, *row[at] / 2, 0.0]
        indptr.append(len(data))
    shape = X.shape if "csr" in storage else X.shape[::-1]
    return make((np.array(data, X.dtype), np.array(indices), np.array(indptr)), shape=shape)


# Drawing ---------------------------------------------------------------------------------------------------------


def draw(seed: int, only: str = "") -> Situation:
    """The situation of a seed; ``only`` is part of the name of a loss."""
    random = np.random.default_rng([seed, 11])
    tables = [
        ("LinearRegressor", REGRESSION),
        ("LogisticRegressor", CLASSIFICATION),
        ("SoftmaxClassifier", CLASSIFICATION),
    ]
    choices = [(name, kind) for name, table in tables for kind in table if only.lower() in kind.lower()]
    if not choices:
        raise ValueError(f"No loss has {only!r} in its name.")
    estimators = sorted({name for name, _ in choices})
    estimator = pick(random, estimators)
    loss_name = pick(random, [kind for name, kind in choices if name == estimator])
    table = dict(tables)[estimator]
    story: list[str] = []
    n, p = draw_shape(random)
    X, signal = draw_rows(random, n, p, story)
    settings: dict = {}
    if estimator == "LinearRegressor":
        y, unit = draw_values(random, signal, table[loss_name].positive, story)
        soft_labels, n_outputs = None, 1
    else:
        n_classes = (
            2
            if estimator == "LogisticRegressor"
            else int(random.integers(2, 1 + (min(6, max(2, n // 2)) if n < MANY_ROWS else 3)))
        )
        y, soft_labels = draw_labels(random, signal, n_classes, story)
        X, n = (X, n) if len(y) == n else (np.resize(X, (len(y), p)), len(y))
        unit, n_outputs = 1.0, 1 if n_classes == 2 else n_classes
        if random.random() < 0.2:
            by_class = {int(k): number(10 ** random.uniform(-2, 2)) for k in np.unique(y)}
            settings["class_weight"] = pick(random, ["balanced", by_class])
    loss = table[loss_name](random, unit)
    sample_weight = draw_weights(random, y, story)
    if random.random() < 0.15:
        X = np.clip(X, -1e30, 1e30).astype(np.float32)
    draw_settings(random, settings, loss, table[loss_name], n_outputs * (p + 1))
    situation = Situation(
        estimator, loss, table[loss_name], settings, X, y, sample_weight, soft_labels, draw_storage(random)
    )
    if random.random() < 0.3:
        situation = with_past(random, situation, unit, story)
    return replace(situation, story=tuple(story))


def pick(random, options):
    return options[int(random.integers(len(options)))]


def draw_shape(random) -> tuple[int, int]:
    if random.random() < 0.01:
        return int(random.integers(MANY_ROWS, 12000)), int(random.integers(64, 80))
    low, high = pick(random, [(2, 12), (12, 60), (60, 150), (150, 400)])
    n = int(random.integers(low, high + 1))
    p = int(pick(random, [1, 1, random.integers(2, 5), random.integers(5, 15), random.integers(1, 2 * min(n, 40) + 1)]))
    return n, p


def draw_rows(random, n: int, p: int, story: list[str]) -> tuple[Array, Array]:
    """X, and the well-behaved columns that y is drawn from."""
    base = {
        "normal": lambda: random.normal(size=(n, p)),
        "integers": lambda: np.round(random.normal(size=(n, p)) * 2),
        "heavy tails": lambda: random.standard_t(1.2, (n, p)),
        "zeros and ones": lambda: (random.random((n, p)) < 0.2).astype(float),
        "few values": lambda: random.normal(size=(max(1, n // 4), p))[random.integers(0, max(1, n // 4), n)],
    }
    name = pick(random, ["normal", *base])
    X = base[name]()
    signal = X.copy()
    story.append(f"{n} x {p} {name}")
    changes = {
        "a column twice": lambda: put(X, random, X[:, int(random.integers(p))]),
        "a constant column": lambda: put(X, random, random.normal()),
        "a column of zeros": lambda: put(X, random, 0.0),
        "a collinear column": lambda: put(
            X, random, X.sum(axis=1) + 10 ** random.uniform(-12, -1) * random.normal(size=n)
        ),
        "an outlier": lambda: X.__setitem__(int(random.integers(n)), X[0] * 10 ** random.uniform(2, 6)),
        "columns in units": lambda: np.multiply(X, 10 ** random.uniform(-6, 6, p), out=X),
        "X in a unit": lambda: np.multiply(X, 10 ** random.uniform(-12, 12), out=X),
        "columns in extreme units": lambda: np.multiply(X, 10 ** random.uniform(-30, 30, p), out=X),
        "an offset": lambda: np.add(X, 10 ** random.uniform(0, 9, p) * np.abs(X).max(axis=0), out=X),
    }
    for change in changes:
        if random.random() < 0.09:
            changes[change]()
            story.append(change)
    return X, signal


def put(X: Array, random, column) -> None:
    X[:, int(random.integers(X.shape[1]))] = column


def draw_scores(random, signal: Array, n_outputs: int) -> Array:
    spread = signal.std(axis=0)
    columns = (signal - signal.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return columns @ random.normal(size=(signal.shape[1], n_outputs)) / np.sqrt(signal.shape[1])


def draw_values(random, signal: Array, positive: str, story: list[str]) -> tuple[Array, float]:
    """Targets, and their spread."""
    n = len(signal)
    noise = pick(random, [random.normal(size=n), random.standard_t(1.2, n), np.zeros(n)])
    y = draw_scores(random, signal, 1)[:, 0] + noise * pick(random, [1, 1, 0.01])
    if positive in ("> 0", ">= 0"):
        y = np.exp(np.clip(y, -8, 8)) * 10 ** pick(random, [0, 0, random.uniform(-6, 6)])
        if positive == ">= 0":
            y = pick(random, [y, random.poisson(np.minimum(y, 1e6)).astype(float), y * (random.random(n) < 0.5)])
            y[0] = max(y[0], 1.0)
        return y, float(y.std() or 1.0)
    unit = 1.0
    if random.random() < 0.4:
        unit = 10 ** pick(random, [random.uniform(-3, 6), random.uniform(-12, 12)])
        story.append(f"y in units of {unit:.2g}")
    y = y * unit
    changes = {
        "an outlier in y": lambda: y.__setitem__(int(random.integers(n)), unit * 10 ** random.uniform(1, 6)),
        "y far from zero": lambda: np.add(y, unit * 10 ** random.uniform(0, 9), out=y),
        "y constant": lambda: y.__setitem__(slice(None), unit * random.normal()),
        "half of y the same": lambda: y.__setitem__(slice(0, n // 2 + 1), 0.0),
        "y in two heaps": lambda: y.__setitem__(slice(None), np.where(np.arange(n) % 2 == 0, 0, unit * 1e3)),
    }
    for change in changes:
        if random.random() < 0.1:
            changes[change]()
            story.append(change)
    if positive == "not 0":
        y[y == 0] = unit
    return y, unit


def draw_labels(random, signal: Array, n_classes: int, story: list[str]) -> tuple[Array, Array | None]:
    """Labels, of which every class has some, and perhaps soft labels."""
    n = max(len(signal), n_classes)
    scores = np.resize(draw_scores(random, signal, n_classes), (n, n_classes))
    how = pick(random, ["noisy", "noisy", "separable", "random", "rare"])
    story.append(f"{n_classes} classes, {how}")
    if how == "noisy":
        scores = scores + random.normal(size=scores.shape)
    y = scores.argmax(axis=1)
    if how == "random":
        y = random.integers(0, n_classes, n)
    if how == "rare":
        y = np.zeros(n, int)
    for k in range(n_classes):
        if not (y == k).any():
            y[k if (y != y[k]).any() or n_classes == 2 else random.integers(n)] = k
    for k in range(n_classes):
        y[k] = k if not (y == k).any() else y[k]
    if len(np.unique(y)) < n_classes:
        y[:n_classes] = np.arange(n_classes)
    if random.random() > 0.15:
        return y, None
    soft = random.dirichlet(np.ones(n_classes), n)
    if random.random() < 0.5:
        soft = np.where(random.random((n, 1)) < 0.7, np.eye(n_classes)[y], soft)
    story.append("soft labels")
    return y, soft


def draw_weights(random, y: Array, story: list[str]) -> Array | None:
    how = pick(random, ["none"] * 6 + ["uniform", "integers", "zeros", "dominating", "wide"])
    if how == "none":
        return None
    n = len(y)
    weights = {
        "uniform": lambda: random.random(n) + 1e-3,
        "integers": lambda: random.integers(1, 4, n).astype(float),
        "zeros": lambda: (random.random(n) < 0.6).astype(float),
        "dominating": lambda: np.where(np.arange(n) == n // 2, 10 ** random.uniform(3, 9), 1.0),
        "wide": lambda: 10 ** random.uniform(-8, 8, n),
    }[how]()
    if y.dtype.kind in "iu":  # every class keeps some weight
        for k in np.unique(y):
            if not weights[y == k].any():
                weights[np.flatnonzero(y == k)[0]] = 1.0
    if not weights.any():
        weights[0] = 1.0
    story.append(f"{how} weights")
    return weights


def draw_settings(random, settings: dict, loss: Loss, kind: Kind, n_parameters: int) -> None:
    settings["alpha"] = number(
        pick(random, [0.0, 1e-4, 1e-4, 1e-12, 10 ** random.uniform(-10, 4), 10 ** random.uniform(-4, 0)])
    )
    if random.random() < 0.25:
        settings["fit_intercept"] = False
    if random.random() < 0.2:
        settings["tol"] = float(pick(random, [1e-3, 1e-8, 1e-10]))
    if random.random() < 0.25:
        settings["max_iter"] = int(pick(random, [1, 2, 3, 5, 10, 50, 200]))
    if random.random() < 0.1:
        settings["random_state"] = int(random.integers(1000))
    if random.random() < 0.35:
        solvers = [name for name, most in SCIPY.items() if n_parameters <= most]
        if loss.curvature is None:
            solvers = [name for name in solvers if name not in SECOND]
        if not kind.convex:
            solvers = [name for name in solvers if name not in ONLY_CONVEX]
        solver = pick(random, [*solvers, "gradient-descent", "callable"])
        settings["solver"] = of_the_user if solver == "callable" else solver
        if SCIPY.get(solver, 99) < 10:
            settings["max_iter"] = min(max(settings.get("max_iter", 100), 5), 100)


def draw_storage(random) -> str:
    return pick(random, ["dense"] * 8 + ["fortran", "csr", "csc", "csr repeated", "csc repeated"])


def other_labels(random, y: Array, weights: Array | None) -> Array:
    """Labels that go to other rows, of which every class keeps some weight."""
    mixed = y.copy()
    counts = np.ones(len(y), bool) if weights is None else weights > 0
    for rows in (np.flatnonzero(counts), np.flatnonzero(~counts)):
        mixed[rows] = random.permutation(y[rows])
    return mixed


def with_past(random, situation: Situation, unit: float, story: list[str]) -> Situation:
    """The same with a warm start from a model of other data."""
    X, y = situation.X, situation.y
    positive = situation.kind.positive
    pasts = {
        "the same": lambda: (X, y),
        "X in other units": lambda: (np.ldexp(X, int(random.choice([-1, 1]) * random.integers(10, 31))), y),
        "X shifted": lambda: (X + X.dtype.type(50 * (X.astype(float).std() or 1)), y),
        "X with other signs": lambda: (-X, y),
        "a part of the rows": lambda: (X[:1].repeat(len(X), axis=0) * 0.5 + X * 0.5, y),
    }
    if situation.domain != "values":
        pasts["other labels"] = lambda: (X, other_labels(random, y, situation.sample_weight))
    elif positive not in ("> 0", ">= 0"):
        pasts["y shifted"] = lambda: (X, y + unit * 10 ** random.uniform(1.5, 6) * random.choice([-1, 1]))
        pasts["y in other units"] = lambda: (X, y * 10.0 ** (random.choice([-1, 1]) * random.integers(1, 7)))
    else:
        pasts["y in other units"] = lambda: (X, y * 10.0 ** random.integers(-3, 4))
    name = pick(random, list(pasts))
    before = pasts[name]()
    if not np.isfinite(before[0]).all():
        return situation
    story.append(f"after a fit of {name}")
    settings = situation.settings | {"warm_start": True}
    return replace(situation, before=before, settings=settings)


assert {type(kind(np.random.default_rng(0))).__name__ for kind in (CLASSIFICATION | REGRESSION).values()} == set(
    FORMULAS
)

"""Every loss, once: a line of CASES is all that the tests need to know of it.

The formulas are the textbook's, written independently of the package on numbers of mpmath: `forms` evaluates them
at any precision. On probabilities and scores they take one row of targets and one of predictions, with two columns
for two classes (1 - p, p or 0, s); on values they take two numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf, nan

import mpmath
from mpmath import acos, cos, cosh, floor, log, mpf, pi

from sklearn_losses import losses
from sklearn_losses.losses import Loss


@dataclass(frozen=True)
class Case:
    """A loss and its formulas, by domain, and what is to be declared and refused.

    ``convex`` names the domains on which it is convex in the scores through the domain's own link. ``out_of_range``
    belongs to the default instance and has bad values for every parameter; ``refuses`` holds bad targets.
    """

    loss: Loss
    formulas: dict[str, Callable]
    convex: tuple[str, ...] = ()
    kinked: bool = False
    out_of_range: dict[str, tuple] = field(default_factory=dict)
    refuses: tuple[float, ...] = ()

    def __str__(self) -> str:
        return repr(self.loss)

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(self.formulas)


@cache
def _power(exponent: mpf, precision: int) -> mpf:
    return mpmath.exp(exponent)


def exp(exponent) -> mpf:
    """The one of mpmath, which takes its time for 1e308 and is asked for it again and again."""
    return _power(mpf(exponent), mpmath.mp.prec)


def true_class(h, smoothing=0):
    """The target-weighted sum of a function of every class's probability."""

    def formula(y, p):
        smooth = [(1 - smoothing) * t + smoothing / len(y) for t in y]
        return sum(t * h(q) for t, q in zip(smooth, p, strict=True) if t)

    return {"probabilities": formula}


def kl_divergence(y, p):
    return sum(t * log(t / q) for t, q in zip(y, p, strict=True) if t)


def error(rho):
    """A function of the error; on probabilities that of class 1 for two classes, summed over the columns for more."""

    def formula(y, p):
        errors = [q - t for t, q in zip(y, p, strict=True)]
        return rho(errors[1]) if len(errors) == 2 else sum(map(rho, errors))

    return {"probabilities": formula, "values": value_error(rho)["values"]}


def value_error(rho):
    return {"values": lambda y, p: rho(p - y)}


def margin(phi, over=sum):
    """A function of how far the true class's score is above each of the others, weighted by the targets."""

    def formula(y, z):
        others = [[j for j in range(len(z)) if j != k] for k in range(len(z))]
        return sum(t * over([phi(z[k] - z[j]) for j in others[k]]) for k, t in enumerate(y) if t)

    return {"scores": formula}


def soft_margin(m):
    """Not the sum rule of the others: one logarithm of the sum over the wrong classes."""

    def of_true(z, k):
        return log(1 + sum(exp(m + z[j] - z[k]) for j in range(len(z)) if j != k))

    return {"scores": lambda y, z: sum(t * of_true(z, k) for k, t in enumerate(y) if t)}


def zero_one(y, p):
    return int(p.index(max(p)) != y.index(max(y)))


def huber(delta):
    return lambda e: e**2 / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2)


def tube(e):
    return max(0, abs(e) - 0.1)


def poisson(y, mu):
    return (y * log(y / mu) if y else 0) - y + mu


def gamma(y, mu):
    return log(mu / y) + y / mu - 1


def tweedie(p):
    return lambda y, mu: (
        max(y, 0) ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)
    )


P, S, V = ("probabilities",), ("scores",), ("values",)
FRACTION = (-0.1, 1.0, nan, "0.5")  # not in [0, 1), with zero left for whom it is one
SIZE = (-0.1, inf, nan, "1")  # not a finite number >= 0

CASES = (
    Case(losses.CrossEntropy(), true_class(lambda p: -log(p)), P, out_of_range={"label_smoothing": FRACTION}),
    Case(losses.CrossEntropy(label_smoothing=0.25), true_class(lambda p: -log(p), smoothing=0.25), P),
    Case(losses.KLDivergence(), {"probabilities": kl_divergence}, P),
    Case(losses.Focal(), true_class(lambda p: -((1 - p) ** 2) * log(p)), out_of_range={"gamma": SIZE}),
    Case(losses.Focal(gamma=0.5), true_class(lambda p: -((1 - p) ** 0.5) * log(p))),
    Case(losses.Focal(gamma=0.0), true_class(lambda p: -log(p)), P),
    Case(
        losses.GeneralizedCrossEntropy(), true_class(lambda p: (1 - p**0.7) / 0.7), out_of_range={"q": (0.0, 1.5, nan)}
    ),
    Case(losses.GeneralizedCrossEntropy(q=1.0), true_class(lambda p: 1 - p)),
    Case(losses.SquaredError(), error(lambda e: e**2), V),
    Case(losses.AbsoluteError(), error(abs), V, kinked=True),
    Case(losses.Huber(), error(huber(1.0)), V, out_of_range={"delta": (0.0, *SIZE)}),
    Case(losses.Huber(delta=0.25), error(huber(0.25)), V),
    Case(losses.LogCosh(), error(lambda e: log(cosh(e))), V),
    Case(losses.Hinge(), margin(lambda m: max(0, 1 - m)), S, True, out_of_range={"multiclass": ("one-vs-rest", None)}),
    Case(losses.Hinge(multiclass="crammer-singer"), margin(lambda m: max(0, 1 - m), over=max), S, True),
    Case(losses.SquaredHinge(), margin(lambda m: max(0, 1 - m) ** 2), S),
    Case(losses.ModifiedHuber(), margin(lambda m: max(0, 1 - m) ** 2 if m >= -1 else -4 * m), S),
    Case(losses.Exponential(), margin(lambda m: exp(-m)), S),
    Case(losses.LeastSquares(), margin(lambda m: (1 - m) ** 2), S),
    Case(losses.SoftMargin(), soft_margin(1), S, out_of_range={"margin": SIZE}),
    Case(losses.SoftMargin(margin=0.0), soft_margin(0), S),
    Case(losses.ZeroOne(), {"probabilities": zero_one}, kinked=True),
    Case(losses.PercentageError(), {"values": lambda y, p: abs(p - y) / abs(y)}, V, True, refuses=(0.0,)),
    Case(losses.RootMeanSquaredError(), value_error(lambda e: e**2), V),  # of a row: the root is taken of the mean
    Case(losses.Quantile(), value_error(lambda e: abs(e) / 2), V, True, out_of_range={"quantile": (0.0, *FRACTION)}),
    Case(losses.Quantile(0.75), {"values": lambda y, p: 0.75 * (y - p) if y >= p else 0.25 * (p - y)}, V, True),
    Case(losses.EpsilonInsensitive(), value_error(tube), V, True, out_of_range={"epsilon": SIZE}),
    Case(losses.EpsilonInsensitive(epsilon=0.0), value_error(abs), V, True),
    Case(losses.SquaredEpsilonInsensitive(), value_error(lambda e: tube(e) ** 2), V, out_of_range={"epsilon": SIZE}),
    Case(losses.Poisson(), {"values": poisson}, V, refuses=(-1.0,)),
    Case(losses.Gamma(), {"values": gamma}, V, refuses=(0.0, -1.0)),
    Case(losses.Tweedie(), {"values": tweedie(1.5)}, V, out_of_range={"power": (0.5, inf, nan, "1")}, refuses=(-2.0,)),
    Case(losses.Tweedie(power=-1.0), {"values": tweedie(-1.0)}),
    Case(losses.Tweedie(power=0.0), {"values": tweedie(0.0)}),
    Case(losses.Tweedie(power=1.0), {"values": poisson}, V, refuses=(-1.0,)),
    Case(losses.Tweedie(power=2.0), {"values": gamma}, V, refuses=(0.0,)),
    Case(losses.Tweedie(power=3.0), {"values": tweedie(3.0)}, refuses=(0.0, -1.0)),
)


def moved(psi):
    """What becomes of the true class's cosine, as a function of the angle."""
    return {"cosines": lambda c: psi(acos(c))}


def past(m):
    return lambda t: cos(t + m) if t <= pi - m else -cos(t + m) - 2


def times(m):
    def psi(t):
        k = min(floor(m * t / pi), m - 1)
        return (-1) ** k * cos(m * t) - 2 * k

    return psi


POSITIVE = (0.0, -1.0, inf, nan, "1")
COSINES = (
    Case(losses.AMSoftmax(), moved(lambda t: cos(t) - mpf(0.35)), out_of_range={"margin": SIZE, "scale": POSITIVE}),
    Case(losses.AMSoftmax(margin=0.0, scale=1e3), moved(cos)),
    Case(
        losses.ArcFace(),
        moved(past(mpf(0.5))),
        kinked=True,
        out_of_range={"margin": (-0.1, 3.2, inf, nan, "1"), "scale": POSITIVE},
    ),
    Case(losses.ArcFace(margin=2.0, scale=10.0), moved(past(2)), kinked=True),
    Case(losses.ArcFace(margin=0.0), moved(cos)),
    Case(losses.SphereFace(), moved(times(4)), out_of_range={"margin": (0, 1.5, -1, 65, nan, "1")}),
    Case(losses.SphereFace(margin=1), moved(cos)),
    Case(losses.SphereFace(margin=3), moved(times(3))),
    Case(losses.LSoftmax(), moved(times(2)), kinked=True, out_of_range={"margin": (0, 1.5, -1, 65, nan, "1")}),
    Case(losses.LSoftmax(margin=1), moved(cos)),
)

TRAINABLE = tuple(case for case in CASES if case.loss.trainable)
PROBABILITIES = tuple(case for case in TRAINABLE if "probabilities" in case.domains)
SCORES = tuple(case for case in TRAINABLE if "scores" in case.domains)
CLASSIFICATION = PROBABILITIES + SCORES
REGRESSION = tuple(case for case in TRAINABLE if "values" in case.domains)
CONVEX_CLASSIFICATION = tuple(case for case in CLASSIFICATION if {"probabilities", "scores"} & set(case.convex))
CONVEX_REGRESSION = tuple(case for case in REGRESSION if "values" in case.convex)
CONVEX = tuple(case for case in TRAINABLE if case.convex)


def uncovered(registered: Mapping[type[Loss], tuple[str, ...]], cases: Iterable[Case], readme: str) -> list[str]:
    """What is missing of a loss that is registered: its line in ``cases``, parts of the line, its row in README."""
    missing = []
    rows = [row for row in readme.splitlines() if row.startswith("|")]
    for loss, names in registered.items():
        case = next((case for case in cases if repr(case.loss) == repr(loss())), None)
        if case is None:
            missing.append(f"{loss.__name__}: no line in tests/cases.py for {loss()!r}")
            continue
        missing += [
            f"{loss.__name__}: its line in tests/cases.py has no out_of_range for {parameter}"
            for parameter in set(loss().get_params()) ^ set(case.out_of_range)
        ]
        signature = ", ".join(f"{name}={value!r}" for name, value in loss().get_params().items()).replace("'", '"')
        titles = [row for row in rows if f"`{loss.__name__}({signature})`" in row.split("|")[1]]
        if not titles:
            missing.append(f"{loss.__name__}: no row of README's table is about `{loss.__name__}({signature})`")
        missing += [
            f"{loss.__name__}: README's table does not have the name {name}"
            for name in names
            if titles and f'`"{name}"`' not in titles[0].split("|")[2]
        ]
    listed = {type(case.loss) for case in cases}
    return missing + [f"{loss.__name__}: not registered" for loss in listed - set(registered)]

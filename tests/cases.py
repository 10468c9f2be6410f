"""Every loss, once: a line of CASES is all that the tests need to know of it.

The formulas are the textbook's, written independently of the package on numbers of mpmath: `forms` evaluates them
at any precision. On probabilities and scores they take one row of targets and one of predictions, with two columns
for two classes (1 - p, p or 0, s); on values they take two numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mpmath import cosh, exp, log

from sklearn_losses import losses
from sklearn_losses.losses import Loss


@dataclass(frozen=True)
class Case:
    """A loss and its formulas, by domain."""

    loss: Loss
    formulas: dict[str, Callable]

    def __str__(self) -> str:
        return repr(self.loss)

    @property
    def domains(self) -> tuple[str, ...]:
        return tuple(self.formulas)


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


def zero_one(y, p):
    return int(p.index(max(p)) != y.index(max(y)))


def huber(delta):
    return lambda e: e**2 / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2)


def poisson(y, mu):
    return (y * log(y / mu) if y else 0) - y + mu


def gamma(y, mu):
    return log(mu / y) + y / mu - 1


def tweedie(p):
    return lambda y, mu: (
        max(y, 0) ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)
    )


CASES = (
    Case(losses.CrossEntropy(), true_class(lambda p: -log(p))),
    Case(losses.CrossEntropy(label_smoothing=0.25), true_class(lambda p: -log(p), smoothing=0.25)),
    Case(losses.KLDivergence(), {"probabilities": kl_divergence}),
    Case(losses.Focal(), true_class(lambda p: -((1 - p) ** 2) * log(p))),
    Case(losses.Focal(gamma=0.5), true_class(lambda p: -((1 - p) ** 0.5) * log(p))),
    Case(losses.Focal(gamma=0.0), true_class(lambda p: -log(p))),
    Case(losses.GeneralizedCrossEntropy(), true_class(lambda p: (1 - p**0.7) / 0.7)),
    Case(losses.GeneralizedCrossEntropy(q=1.0), true_class(lambda p: 1 - p)),
    Case(losses.SquaredError(), error(lambda e: e**2)),
    Case(losses.AbsoluteError(), error(abs)),
    Case(losses.Huber(), error(huber(1.0))),
    Case(losses.Huber(delta=0.25), error(huber(0.25))),
    Case(losses.LogCosh(), error(lambda e: log(cosh(e)))),
    Case(losses.Hinge(), margin(lambda m: max(0, 1 - m))),
    Case(losses.Hinge(multiclass="crammer-singer"), margin(lambda m: max(0, 1 - m), over=max)),
    Case(losses.SquaredHinge(), margin(lambda m: max(0, 1 - m) ** 2)),
    Case(losses.ModifiedHuber(), margin(lambda m: max(0, 1 - m) ** 2 if m >= -1 else -4 * m)),
    Case(losses.Exponential(), margin(lambda m: exp(-m))),
    Case(losses.LeastSquares(), margin(lambda m: (1 - m) ** 2)),
    Case(losses.ZeroOne(), {"probabilities": zero_one}),
    Case(losses.PercentageError(), {"values": lambda y, p: abs(p - y) / abs(y)}),
    Case(losses.RootMeanSquaredError(), value_error(lambda e: e**2)),  # of a row: the root is taken of the mean
    Case(losses.Quantile(), value_error(lambda e: abs(e) / 2)),
    Case(losses.Quantile(quantile=0.75), {"values": lambda y, p: 0.75 * (y - p) if y >= p else 0.25 * (p - y)}),
    Case(losses.EpsilonInsensitive(), value_error(lambda e: max(0, abs(e) - 0.1))),
    Case(losses.EpsilonInsensitive(epsilon=0.0), value_error(abs)),
    Case(losses.SquaredEpsilonInsensitive(), value_error(lambda e: max(0, abs(e) - 0.1) ** 2)),
    Case(losses.Poisson(), {"values": poisson}),
    Case(losses.Gamma(), {"values": gamma}),
    Case(losses.Tweedie(), {"values": tweedie(1.5)}),
    Case(losses.Tweedie(power=-1.0), {"values": tweedie(-1.0)}),
    Case(losses.Tweedie(power=0.0), {"values": tweedie(0.0)}),
    Case(losses.Tweedie(power=1.0), {"values": poisson}),
    Case(losses.Tweedie(power=2.0), {"values": gamma}),
    Case(losses.Tweedie(power=3.0), {"values": tweedie(3.0)}),
)

TRAINABLE = tuple(case for case in CASES if case.loss.trainable)
PROBABILITIES = tuple(case for case in TRAINABLE if "probabilities" in case.domains)
SCORES = tuple(case for case in TRAINABLE if "scores" in case.domains)
CLASSIFICATION = PROBABILITIES + SCORES
REGRESSION = tuple(case for case in TRAINABLE if "values" in case.domains)
CONVEX_CLASSIFICATION = tuple(
    case for case in CLASSIFICATION if any(case.loss.is_convex_on(domain) for domain in ("probabilities", "scores"))
)
CONVEX_REGRESSION = tuple(case for case in REGRESSION if case.loss.is_convex_on("values"))
CONVEX = tuple(case for case in TRAINABLE if case in CONVEX_CLASSIFICATION + CONVEX_REGRESSION)

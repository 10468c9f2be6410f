"""`check_loss` passes what is right, and names what is wrong with the rest."""

import inspect
import pickle
import warnings

import numpy as np
import pytest
from cases import CASES
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import GridSearchCV

from sklearn_losses import Huber, LogisticRegressor, Loss, SoftmaxClassifier, check_loss
from sklearn_losses.checks import LossCheckError


@pytest.mark.parametrize("case", CASES, ids=str)
def test_built_in_losses_pass(case):
    check_loss(case.loss)


# A loss of a user's: at most 25 lines, value and gradient only.


class QuarticError(Loss):
    """The quartic error, scaled."""

    domain = ("probabilities", "values")

    def __init__(self, scale=1.0):
        self.scale = scale

    def value(self, y, prediction):
        error = ((prediction - y) / self.scale) ** 4
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        return 4 * ((prediction - y) / self.scale) ** 3 / self.scale


class SoftHinge(Loss):
    """A convex margin loss of a user's, for two classes and for more."""

    domain = "scores"
    convex = True

    def value(self, y, prediction):
        if y.ndim == 1:
            return y * np.logaddexp(0, 1 - prediction) + (1 - y) * np.logaddexp(0, 1 + prediction)
        return sum(self.value(column, score) for column, score in zip(y.T, prediction.T, strict=True))

    def gradient(self, y, prediction):
        near, far = 0.5 + 0.5 * np.tanh((1 - prediction) / 2), 0.5 + 0.5 * np.tanh((1 + prediction) / 2)
        return (1 - y) * far - y * near


@pytest.mark.parametrize("loss", [QuarticError(), QuarticError(scale=2.0), SoftHinge()], ids=repr)
def test_a_small_loss_of_a_user_passes(loss):
    assert len(inspect.getsource(type(loss)).splitlines()) <= 25
    check_loss(loss)


@pytest.mark.parametrize("loss", [QuarticError(), SoftHinge()], ids=repr)
def test_a_loss_that_passes_trains(loss):
    X, y = load_breast_cancer(return_X_y=True)
    binary = LogisticRegressor(loss, alpha=0.01, tol=1e-3).fit(X, y)
    assert binary.score(X, y) > 0.9
    assert pickle.loads(pickle.dumps(binary)).score(X, y) == binary.score(X, y)
    assert repr(clone(binary).loss) == repr(loss)
    X, y = load_iris(return_X_y=True)
    assert SoftmaxClassifier(loss, alpha=0.01, tol=1e-3).fit(X, y).score(X, y) > 0.8


def test_a_loss_that_passes_is_searched():
    X, y = load_iris(return_X_y=True)
    grid = {"loss__scale": [0.5, 1.0]}
    search = GridSearchCV(SoftmaxClassifier(QuarticError(), alpha=0.01, tol=1e-3), grid, cv=3).fit(X, y)
    assert search.best_estimator_.loss_.scale == search.best_params_["loss__scale"]


# What is wrong: classes that differ from a right one in one thing.


class Right(QuarticError):
    """With everything that is optional."""

    domain = "values"
    convex = True

    def curvature(self, y, prediction):
        return 12 * ((prediction - y) / self.scale) ** 2 / self.scale**2


class WrongSign(Right):
    def gradient(self, y, prediction):
        return -super().gradient(y, prediction)


class WrongFactor(Right):
    def gradient(self, y, prediction):
        return 0.5 * super().gradient(y, prediction)


class WrongGradient(Right):
    def gradient(self, y, prediction):
        return super().gradient(y, prediction) + 0.01


class WrongForSoftLabels(QuarticError):
    domain = "probabilities"

    def gradient(self, y, prediction):
        return super().gradient(np.round(y), prediction)


class WrongCurvature(Right):
    def curvature(self, y, prediction):
        return super().curvature(y, prediction) + prediction


class CurvatureOfTheWrongSign(Right):
    def curvature(self, y, prediction):
        return -super().curvature(y, prediction)


class CurvatureOfTheWrongFactor(Right):
    def curvature(self, y, prediction):
        return 3 * super().curvature(y, prediction)


class HalfACurvature(Loss):
    """Two classes are fine; for more, its Hessian is not diagonal."""

    domain = "scores"

    def value(self, y, prediction):
        return 0.5 * prediction**2 if y.ndim == 1 else 0.5 * prediction.sum(axis=1) ** 2

    def gradient(self, y, prediction):
        return (
            prediction.copy() if y.ndim == 1 else np.repeat(prediction.sum(axis=1, keepdims=True), y.shape[1], axis=1)
        )

    def curvature(self, y, prediction):
        return np.ones_like(prediction)


class NaNAtExtremes(Loss):
    domain = "probabilities"

    def value(self, y, prediction):
        terms = y * np.log(prediction) + (1 - y) * np.log(1 - prediction)
        return -terms if y.ndim == 1 else -terms.sum(axis=1)

    def gradient(self, y, prediction):
        return (1 - y) / (1 - prediction) - y / prediction


class NaNGradientAtExtremes(Right):
    def gradient(self, y, prediction):
        return super().gradient(y, prediction) * (prediction**2 / prediction**2)

    def value(self, y, prediction):
        return np.minimum(super().value(y, prediction), 1e300)


class NaNForZeroTargets(Right):
    def value(self, y, prediction):
        return super().value(y, prediction) * (y / y)


class WrongShapeOfValue(Right):
    def value(self, y, prediction):
        return super().value(y, prediction)[:, None]


class MeanInsteadOfRows(Right):
    def value(self, y, prediction):
        return super().value(y, prediction).mean()


class NotSummedOverClasses(QuarticError):
    domain = "probabilities"

    def value(self, y, prediction):
        return (prediction - y) ** 4


class WrongShapeOfGradient(Right):
    def gradient(self, y, prediction):
        return super().gradient(y, prediction).sum()


class ShapeOfTwoClassesOnly(QuarticError):
    domain = "probabilities"

    def gradient(self, y, prediction):
        return 4 * (prediction - y[: len(y)].reshape(len(y))) ** 3


class ChangesPrediction(Right):
    def gradient(self, y, prediction):
        prediction -= y
        return 4 * prediction**3


class ChangesTarget(Right):
    def value(self, y, prediction):
        y -= prediction
        return y**4


class RemembersTheFirstCall(Right):
    seen = None

    def value(self, y, prediction):
        if RemembersTheFirstCall.seen is None:
            RemembersTheFirstCall.seen = len(y)
        else:
            RemembersTheFirstCall.seen += 1
        return super().value(y, prediction) * RemembersTheFirstCall.seen


class StoresTheRows(Right):
    def gradient(self, y, prediction):
        self.rows = len(y)
        return super().gradient(y, prediction)


class MixesRows(Right):
    def value(self, y, prediction):
        return super().value(y, prediction - prediction.mean())


class Unclonable(Right):
    def __init__(self, scale=1.0):
        self.scale = float(scale) * np.ones(())

    def check_parameters(self):
        self.scale = np.asarray(self.scale)


class ForgetsAParameter(Right):
    def __init__(self, scale=1.0, shift=0.0):
        self.scale = scale


class Unpicklable(Right):
    def __init__(self, scale=1.0, power=None):
        self.scale = scale
        self.power = power


class FalselyConvex(QuarticError):
    domain = "probabilities"
    convex = True


class ConvexButForOutliers(Loss):
    """Bends down beyond an error of 35."""

    domain = "values"
    convex = True

    def value(self, y, prediction):
        return -np.exp(-0.5 * ((prediction - y) / 35) ** 2)

    def gradient(self, y, prediction):
        return -(prediction - y) / 35**2 * self.value(y, prediction)


class ConvexInTheProbability(Loss):
    """Cross-entropy of a clipped probability: flat where it should rise."""

    domain = "probabilities"
    convex = True

    def value(self, y, prediction):
        terms = y * np.log(np.clip(prediction, 1e-7, 1.0))
        if y.ndim == 2:
            return -terms.sum(axis=1)
        return -terms - (1 - y) * np.log(np.clip(1 - prediction, 1e-7, 1.0))

    def gradient(self, y, prediction):
        up = -y / np.clip(prediction, 1e-7, 1.0) * (prediction > 1e-7)
        return up if y.ndim == 2 else up + (1 - y) / np.clip(1 - prediction, 1e-7, 1.0) * (1 - prediction > 1e-7)


class BelowItsBound(Right):
    """A Gaussian log-likelihood, which may be negative."""

    lower_bound = 0.0

    def value(self, y, prediction):
        return super().value(y, prediction) - 0.1


class BelowItsBoundFarOut(Right):
    """Bounded on ordinary predictions only."""

    convex = False
    lower_bound = -1e6
    curvature = None

    def value(self, y, prediction):
        return -np.hypot(1.0, prediction - y)

    def gradient(self, y, prediction):
        return (y - prediction) / np.hypot(1.0, prediction - y)


class BoundThatIsNone(Right):
    lower_bound = "zero"


class BoundThatIsInfinite(Right):
    lower_bound = -np.inf


class WrongSlopes(Loss):
    domain = "values"
    convex = True
    smooth = False

    def value(self, y, prediction):
        return np.abs(prediction - y)

    def gradient(self, y, prediction):
        return np.sign(prediction - y)

    def pieces(self, y):
        return y[:, None], np.tile([-1.0, 2.0], (len(y), 1))


class DecreasingSlopes(WrongSlopes):
    def pieces(self, y):
        return y[:, None], np.tile([1.0, -1.0], (len(y), 1))


class WrongShapeOfPieces(WrongSlopes):
    def pieces(self, y):
        return y, np.tile([-1.0, 1.0], (len(y), 1))


class WrongEnvelope(Right):
    """Half the squared error: its envelope would have width one."""

    def envelope(self, y):
        return y, np.tile([-np.inf, np.inf], (len(y), 1)), 0.5


class WrongShapeOfEnvelope(Right):
    def envelope(self, y):
        return y, (-np.inf, np.inf), 1.0


class WrongDomain(Right):
    domain = "logits"


class NoDomain(Right):
    domain = ()


class LogarithmOfValues(Right):
    """Belongs to probabilities, or needs the log link."""

    def value(self, y, prediction):
        return np.log(prediction) ** 2


WRONG = [
    (WrongSign(), r"WrongSign\(\), regression: the gradient has the wrong sign"),
    (WrongFactor(), r"regression: the gradient has the wrong factor: it is 0\.5 times"),
    (WrongGradient(), r"regression: the gradient disagrees with finite differences: it is .* instead of .* in row \d+"),
    (WrongForSoftLabels(), "two classes with soft labels: the gradient disagrees"),
    (WrongCurvature(), "regression: the curvature disagrees with finite differences"),
    (CurvatureOfTheWrongSign(), "the curvature has the wrong sign"),
    (CurvatureOfTheWrongFactor(), "the curvature has the wrong factor: it is 3 times"),
    (HalfACurvature(), "three classes: curvature_product .*not diagonal in the columns"),
    (NaNAtExtremes(), r"two classes: the value is NaN at the extreme score 1e\+308, where the prediction is 1\.0"),
    (NaNGradientAtExtremes(), r"the gradient is NaN at the extreme score .*Bound the arguments"),
    (NaNForZeroTargets(), r"the value is NaN at the extreme score .*, for y 0\.0"),
    (WrongShapeOfValue(), r"value has the wrong shape \(12, 1\); for y \(12,\) it must be \(12,\)"),
    (MeanInsteadOfRows(), r"value has the wrong shape \(\)"),
    (NotSummedOverClasses(), r"three classes: value has the wrong shape \(12, 3\); for y \(12, 3\) it must be \(12,\)"),
    (WrongShapeOfGradient(), r"gradient has the wrong shape \(\)"),
    (ShapeOfTwoClassesOnly(), r"three classes: gradient raises ValueError for y of shape \(12, 3\)"),
    (ChangesPrediction(), "gradient changes its input prediction"),
    (ChangesTarget(), "value changes its input y"),
    (RemembersTheFirstCall(), "value gives another answer when called again: it keeps state between calls"),
    (StoresTheRows(), "stores something on the loss: it keeps state between calls"),
    (MixesRows(), "the value of a row depends on the other rows"),
    (Unclonable(), "cannot be cloned"),
    (ForgetsAParameter(), "it cannot be cloned, so no search can use it: .*shift"),
    (Unpicklable(power=lambda: 4), "cannot be pickled"),
    (FalselyConvex(), "two classes: it declares itself convex, but it is not"),
    (ConvexButForOutliers(), r"regression: it declares itself convex, but it is not .*, between the scores \S+ and"),
    (ConvexInTheProbability(), r"two classes: it declares itself convex, but it is not"),
    (BelowItsBound(), r"BelowItsBound\(\), regression: it declares lower_bound = 0, but its value is -0\.0\S+ for y"),
    (BelowItsBoundFarOut(), r"it declares lower_bound = -1e\+06, but its value is -1e\+308 for y"),
    (BoundThatIsNone(), r"lower_bound must be None or a finite number; it is 'zero'"),
    (BoundThatIsInfinite(), r"lower_bound must be None or a finite number; it is -inf"),
    (WrongSlopes(), "the slopes of pieces disagree with the gradient"),
    (DecreasingSlopes(), "the kinks of pieces must increase and its slopes must not decrease"),
    (
        WrongShapeOfPieces(),
        r"pieces must return kinks \(n, m\) and slopes \(n, m \+ 1\) for y \(12,\); got \(12,\) and",
    ),
    (WrongEnvelope(), "regression: the envelope disagrees with the value or the gradient"),
    (WrongShapeOfEnvelope(), r"envelope must return kinks \(n,\), slopes \(n, 2\) and a positive width for y \(12,\)"),
    (WrongDomain(), r"domain must be one or several of .*; it is 'logits'"),
    (NoDomain(), "domain must be one or several of"),
    (LogarithmOfValues(), "regression: the value is NaN at ordinary predictions, such as"),
    (Right, "got the class Right; pass an instance"),
    ("mse", "A loss is an instance of a class derived from sklearn_losses.Loss; got 'mse'"),
]


def test_what_the_wrong_ones_are_made_of_is_right():
    check_loss(Right())


def test_a_lower_bound_that_holds_and_none():
    class Bounded(BelowItsBound):
        lower_bound = -0.1

    class Unbounded(BelowItsBound):
        lower_bound = None

    assert Loss.lower_bound is None
    for loss in (Bounded, Unbounded):
        with pytest.raises(LossCheckError, match="cannot be pickled"):  # after all else, because it is a local class
            check_loss(loss())


@pytest.mark.parametrize(("loss", "text"), WRONG, ids=lambda value: type(value).__name__)
def test_what_is_wrong_is_named(loss, text):
    RemembersTheFirstCall.seen = None
    with pytest.raises(LossCheckError, match=text) as raised:
        check_loss(loss)
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, AssertionError)


def test_parameters_out_of_range_are_named():
    with pytest.raises(ValueError, match="delta must be a finite number > 0"):
        check_loss(Huber(delta=-1.0))


def test_numerical_warnings_are_kept_inside():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(LossCheckError):
            check_loss(NaNAtExtremes())
    assert not caught

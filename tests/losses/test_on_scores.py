"""The loss on scores: what belongs to a pair of loss and link, the form it takes, and its curvature as an operator."""

import pickle

import mpmath
import numpy as np
import pytest
from cases import PROBABILITIES, SCORES, TRAINABLE, Case
from forms import JOINT, Form, forms_of

from sklearn_losses import LogisticRegressor, Loss, SoftmaxClassifier, check_loss, losses
from sklearn_losses.activations import ComplementaryLogLog, Exp, Identity, Probit, Sigmoid, Softmax
from sklearn_losses.activations.elementwise import Elementwise
from sklearn_losses.losses import CrossEntropy, Focal, Hinge, KLDivergence, Poisson, SquaredError
from sklearn_losses.losses.margin import OnMargins
from sklearn_losses.losses.on_scores import Direct, Matching, ThroughLogarithm, ThroughPrediction


class QuarticError(Loss):
    """A loss of a user's, with value and gradient only."""

    domain = ("probabilities", "values")
    convex = "values"

    def value(self, y, prediction):
        error = (prediction - y) ** 4
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        return 4 * (prediction - y) ** 3


class SumOfSquares(Loss):
    """The square of a sum over the columns: its Hessian is not diagonal."""

    domain = ("probabilities", "scores")
    lower_bound = 0.0

    def value(self, y, prediction):
        return self._error(y, prediction) ** 2

    def gradient(self, y, prediction):
        factor = np.ones(1) if y.ndim == 1 else np.arange(y.shape[1])
        return 2 * np.multiply.outer(self._error(y, prediction), factor).reshape(prediction.shape)

    def curvature(self, y, prediction):
        return np.full_like(prediction, 2.0) * (1.0 if y.ndim == 1 else np.arange(y.shape[1]) ** 2)

    def curvature_product(self, y, prediction, direction):
        if y.ndim == 1:
            return 2 * direction
        factor = np.arange(y.shape[1])
        return 2 * np.outer(direction @ factor, factor)

    def _error(self, y, prediction):
        error = prediction - y
        return error if y.ndim == 1 else error @ np.arange(y.shape[1])


class Softplus(Elementwise):
    """A link of a user's."""

    domains = ("values",)

    def first(self, scores):
        return np.logaddexp(0.0, scores), Sigmoid().forward(scores)

    def second(self, scores):
        return Sigmoid().forward(scores), Sigmoid().jacobian(scores)


# -- what belongs to the pair


@pytest.mark.parametrize(
    ("loss", "link", "form"),
    [
        (CrossEntropy(), Sigmoid(), Matching),
        (CrossEntropy(), Softmax(), Matching),
        (CrossEntropy(), Probit(), ThroughLogarithm),
        (Focal(), Sigmoid(), ThroughLogarithm),
        (SquaredError(), Sigmoid(), ThroughPrediction),
        (SquaredError(), Identity(), Direct),
        (SquaredError(), Exp(), ThroughPrediction),
        (Hinge(), Identity(), OnMargins),
        (Poisson(), Exp(), Matching),
        (Poisson(), Identity(), Direct),
        (Poisson(), Softplus(), ThroughPrediction),
        (QuarticError(), Softmax(), ThroughPrediction),
    ],
    ids=repr,
)
def test_the_best_form_that_suits_the_pair_is_taken(loss, link, form):
    assert type(loss.on_scores(link)) is form


@pytest.mark.parametrize(
    ("loss", "link", "convex"),
    [
        (CrossEntropy(), Sigmoid(), True),
        (CrossEntropy(), Probit(), True),
        (KLDivergence(), ComplementaryLogLog(), True),
        (Focal(gamma=0.0), Softmax(), True),
        (Focal(gamma=0.0), Probit(), False),
        (SquaredError(), Sigmoid(), False),
        (SquaredError(), Probit(), False),
        (SquaredError(), Identity(), True),
        (SquaredError(), Exp(), False),
        (Poisson(), Exp(), True),
        (Poisson(), Identity(), False),
        (Poisson(), Softplus(), False),
        (QuarticError(), Identity(), True),
        (QuarticError(), Softplus(), False),
    ],
    ids=repr,
)
def test_a_pair_is_convex_where_it_is_listed(loss, link, convex):
    assert loss.on_scores(link).convex is convex
    if convex:
        scores = np.linspace(-30.0, 30.0, 601)
        y = np.linspace(0.0, 1.0, 7)
        for target in y:
            if isinstance(link, Softmax):
                columns, targets = np.stack([0 * scores, scores], axis=1), np.tile([1 - target, target], (601, 1))
                slope = loss.on_scores(link).value_and_gradient(targets, columns)[1][:, 1]
            else:
                slope = loss.on_scores(link).value_and_gradient(np.full(601, target), scores)[1]
            assert (np.diff(slope) >= -1e-12 * np.abs(slope[1:])).all()


def test_a_loss_on_scores_and_values_is_convex_on_both_or_not_known_to_be():
    class Both(QuarticError):
        domain = ("scores", "values")

    class Everywhere(Both):
        convex = True

    assert not Both().on_scores(Identity()).convex
    assert Everywhere().on_scores(Identity()).convex


def test_pieces_are_those_of_the_pair():
    assert losses.AbsoluteError().on_scores(Identity()).pieces is not None
    assert losses.AbsoluteError().on_scores(Sigmoid()).pieces is None
    assert losses.SquaredError().on_scores(Identity()).pieces is None


def test_a_link_that_predicts_something_else():
    with pytest.raises(
        ValueError, match=r"CrossEntropy\(\) is defined on probabilities; Identity\(\) predicts scores or"
    ):
        CrossEntropy().on_scores(Identity())
    with pytest.raises(ValueError, match=r"Poisson\(\) is defined on values; Softmax\(\) predicts probabilities"):
        Poisson().on_scores(Softmax())


def test_a_loss_without_curvature_has_a_gradient_in_the_scores():
    on_scores = QuarticError().on_scores(Sigmoid())
    assert not on_scores.has_curvature
    scores, y = np.array([-1.0, 2.0]), np.array([1.0, 0.5])
    p = Sigmoid().forward(scores)
    value, gradient = on_scores.value_and_gradient(y, scores)
    np.testing.assert_allclose(value, (p - y) ** 4, rtol=1e-15)
    np.testing.assert_allclose(gradient, 4 * (p - y) ** 3 * p * (1 - p), rtol=1e-14)


class LogOdds(Loss):
    """Cross-entropy of a user's, as a loss on scores that says what they are."""

    domain = "scores"
    convex = True
    log_odds = True
    lower_bound = 0.0

    def value(self, y, scores):
        if y.ndim == 2:
            return np.logaddexp.reduce(scores, axis=1) - (y * scores).sum(axis=1)
        return np.logaddexp(0.0, scores) - y * scores

    def gradient(self, y, scores):
        return (Sigmoid() if y.ndim == 1 else Softmax()).forward(scores) - y


@pytest.mark.parametrize("estimator", [LogisticRegressor, SoftmaxClassifier])
def test_a_loss_on_scores_that_are_log_odds_has_probabilities(estimator):
    X = np.random.RandomState(0).normal(size=(60, 2))
    y = (X[:, 0] + np.random.RandomState(1).normal(size=60) > 0).astype(int)
    if estimator is SoftmaxClassifier:
        y = y + (X[:, 1] > 0.5)
    mine, theirs = (estimator(loss, alpha=0.1, tol=1e-9).fit(X, y) for loss in (LogOdds(), CrossEntropy()))
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    np.testing.assert_allclose(mine.predict_log_proba(X), theirs.predict_log_proba(X), atol=1e-3)
    np.testing.assert_array_equal(mine.predict(X), mine.classes_[mine.predict_proba(X).argmax(axis=1)])
    assert not hasattr(estimator("hinge"), "predict_proba")


# -- other links


def exact(link, y, z):
    """Cross-entropy of one row with its first two derivatives, differences at high precision."""

    def value(t):
        if isinstance(link, Probit):
            p, q = (mpmath.erfc(sign * t / mpmath.sqrt(2)) / 2 for sign in (-1, 1))
        else:
            p, q = -mpmath.expm1(-mpmath.exp(t)), mpmath.exp(-mpmath.exp(t))
        return -(y * mpmath.log(p) if y else 0) - ((1 - y) * mpmath.log(q) if y < 1 else 0)

    with mpmath.workdps(500):
        t, h, y = mpmath.mpf(z), mpmath.mpf(10) ** -60, mpmath.mpf(y)
        middle, ahead, behind = value(t), value(t + h), value(t - h)
        return float(middle), float((ahead - behind) / (2 * h)), float((ahead - 2 * middle + behind) / h**2)


@pytest.mark.parametrize("link", [Probit(), ComplementaryLogLog()], ids=repr)
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_cross_entropy_through_other_links(link, y):
    reach = [-30.0, -8.5, -3.0, -1.3, -1e-3, 0.0, 1e-8, 0.7, 1.5, 5.0]
    scores = np.array([*reach, 9.0, 25.0] if isinstance(link, Probit) else [-300.0, *reach])
    on_scores, targets = CrossEntropy().on_scores(link), np.full(len(scores), y)
    value, gradient = on_scores.value_and_gradient(targets, scores)
    expected = np.array([exact(link, y, z) for z in scores])
    np.testing.assert_allclose(value, expected[:, 0], rtol=2e-13, atol=1e-300)
    np.testing.assert_allclose(gradient, expected[:, 1], rtol=1e-12, atol=1e-15 * (0 < y < 1))
    bend = on_scores.curvature(targets, scores)
    np.testing.assert_allclose(bend.diagonal(), expected[:, 2], rtol=1e-12, atol=1e-15 * (0 < y < 1))


@pytest.mark.parametrize("link", [Probit(), ComplementaryLogLog()], ids=repr)
@pytest.mark.parametrize("loss", [CrossEntropy(), CrossEntropy(label_smoothing=0.1), Focal(), SquaredError()], ids=repr)
def test_other_links_at_the_largest_scores(link, loss):
    scores = np.array([1.7e308, 1e308, 1e200, 1e100, 745.0, 40.0])
    scores = np.concatenate([-scores, [-5e-324, 0.0], scores[::-1]])
    for y in (0.0, 0.5, 1.0):
        on_scores, targets = loss.on_scores(link), np.full(len(scores), y)
        value, gradient = on_scores.value_and_gradient(targets, scores)
        bend = on_scores.curvature(targets, scores).apply(np.ones_like(scores))
        assert not np.isnan(value).any() and not np.isnan(gradient).any() and not np.isnan(bend).any()
        assert (value >= loss.lower_bound).all()
        if on_scores.convex:
            assert (np.diff(gradient) >= 0).all() and (bend >= 0).all()
        if y == 1.0 and repr(loss) == "CrossEntropy()":
            expected = (np.finfo(float).max, -1.7e308) if isinstance(link, Probit) else (1.7e308, -1.0)
            assert (value[0], gradient[0]) == expected


def test_a_link_of_a_user_is_a_class():
    """Derivatives follow from two derivatives of the link; a step along them, from finite differences."""
    scores, y, step = np.linspace(-3.0, 3.0, 13), np.linspace(0.5, 4.0, 13), 1e-5
    for loss in (Poisson(), SquaredError()):
        on_scores = loss.on_scores(Softplus())
        ahead, behind = (on_scores.value_and_gradient(y, scores + s * step) for s in (1, -1))
        value, gradient = on_scores.value_and_gradient(y, scores)
        np.testing.assert_allclose(value, loss.value(y, Softplus().forward(scores)))
        np.testing.assert_allclose(gradient, (ahead[0] - behind[0]) / (2 * step), rtol=1e-8, atol=1e-9)
        bend = on_scores.curvature(y, scores).diagonal()
        np.testing.assert_allclose(bend, (ahead[1] - behind[1]) / (2 * step), rtol=1e-7, atol=1e-8)


# -- the chain rule, and what it leaves alone


@pytest.mark.parametrize("case", PROBABILITIES, ids=str)
@pytest.mark.parametrize("form", JOINT["probabilities"], ids=str)
def test_the_chain_rule_with_dense_jacobians(case, form):
    """dL/dz is the softmax's Jacobian times dL/dp, in whichever form it was computed."""
    y, scores = form.targets(), form.scores()
    p = Softmax().forward(scores)
    expected = np.einsum("nij,ni->nj", Softmax().jacobian(scores), case.loss.gradient(y, p))
    found = case.loss.on_scores(Softmax()).value_and_gradient(y, scores)
    np.testing.assert_allclose(found[0], case.loss.value(y, p), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[1], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", PROBABILITIES, ids=str)
@pytest.mark.parametrize("form", JOINT["probabilities"], ids=str)
def test_a_shift_of_all_scores_changes_nothing(case, form):
    """So the columns of a gradient sum to zero, and so do those of a Hessian."""
    on_scores, y, scores = form.on_scores(case), form.targets(), form.scores()
    curvature = on_scores.curvature(y, scores)
    np.testing.assert_allclose(on_scores.value_and_gradient(y, scores)[1].sum(axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(curvature.apply(np.ones_like(scores)), 0.0, atol=1e-14)
    np.testing.assert_allclose(curvature.blocks().sum(axis=1), 0.0, atol=1e-14)


@pytest.mark.parametrize("case", SCORES, ids=str)
@pytest.mark.parametrize("form", JOINT["scores"], ids=str)
def test_margins_do_not_see_a_shift_either(case, form):
    on_scores, y, scores = form.on_scores(case), form.targets(), form.scores()
    np.testing.assert_allclose(on_scores.value_and_gradient(y, scores)[1].sum(axis=1), 0.0, atol=1e-11)
    np.testing.assert_allclose(on_scores.curvature(y, scores).blocks().sum(axis=1), 0.0, atol=1e-11)


@pytest.mark.parametrize(
    ("case", "form"),
    [
        pytest.param(case, form, id=f"{case}, {form}")
        for case in TRAINABLE
        for form in forms_of(case)
        if form.domain in case.convex
    ],
)
def test_hessians_of_convex_losses_are_not_negative(case, form):
    on_scores, y = form.on_scores(case), form.targets()
    for size in (0.5, 5.0, 40.0):
        blocks = on_scores.curvature(y, size * form.scores()).blocks()
        lowest = np.linalg.eigvalsh(blocks).min(axis=1) if form.joint else blocks
        largest = np.abs(blocks).max(axis=(1, 2)) if form.joint else np.abs(blocks)
        assert (lowest >= -1e-14 * (1.0 + largest)).all()


OWN = [
    (Case(SumOfSquares(), dict.fromkeys(SumOfSquares().domains)), Form(domain, n_classes, soft=True))
    for domain in ("probabilities", "scores")
    for n_classes in (2, 3)
]


@pytest.mark.parametrize(
    ("case", "form"),
    [pytest.param(case, form, id=f"{case}, {form}") for case in TRAINABLE for form in forms_of(case)]
    + [pytest.param(case, form, id=f"{case}, {form}") for case, form in OWN],
)
def test_the_operator_is_one(case, form):
    """Diagonals, products and weighted sums are those of the blocks, however they are computed, also after a pickle."""
    y, scores = form.targets(), form.scores()
    curvature, weights = form.on_scores(case).curvature(y, scores), np.random.RandomState(6).uniform(size=len(y))
    direction = np.random.RandomState(7).normal(size=scores.shape)
    blocks = curvature.blocks()
    assert blocks.shape == ((*scores.shape, scores.shape[1]) if form.joint else scores.shape)
    product = np.einsum("nij,nj->ni", blocks, direction) if form.joint else blocks * direction
    np.testing.assert_allclose(curvature.apply(direction), product, atol=1e-13)
    expected = np.diagonal(blocks, axis1=1, axis2=2) if form.joint else blocks
    np.testing.assert_allclose(curvature.diagonal(), expected, rtol=1e-13, atol=1e-15)
    total = sum(w * block for w, block in zip(weights, blocks, strict=True))
    np.testing.assert_allclose(curvature.weighted_sum(weights), total, rtol=1e-12, atol=1e-13)
    again = pickle.loads(pickle.dumps(curvature))
    np.testing.assert_array_equal(again.apply(direction), curvature.apply(direction))


@pytest.mark.parametrize(("case", "form"), OWN, ids=str)
def test_a_hessian_that_is_not_diagonal_goes_through_the_link(case, form):
    """The parts against finite differences of the gradient."""
    on_scores, y, scores, step = form.on_scores(case), form.targets(), form.scores(), 1e-5
    direction = np.random.RandomState(7).normal(size=scores.shape)
    ahead, behind = (on_scores.value_and_gradient(y, scores + s * step * direction)[1] for s in (1, -1))
    found = on_scores.curvature(y, scores).apply(direction)
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-7, atol=1e-8)
    check_loss(case.loss)


@pytest.mark.parametrize("away", [1e-2, 1e-6, 1e-9])
@pytest.mark.parametrize(
    ("loss", "link", "y"),
    [
        (Poisson(), Exp(), np.array([3.0, 0.2, 40.0])),
        (KLDivergence(), Sigmoid(), np.array([0.3, 0.5, 0.99])),
        (KLDivergence(), Softmax(), np.array([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3], [1 / 3, 1 / 3, 1 / 3]])),
    ],
    ids=repr,
)
def test_no_digit_is_lost_where_targets_are_nearly_met(loss, link, y, away):
    own = np.log(y / (1.0 - y)) if isinstance(link, Sigmoid) else np.log(y)
    scores = own + away * np.arange(1.0, 1.0 + y.size).reshape(y.shape) ** 2
    with mpmath.workdps(60):

        def exact(y, z):
            t, z = mpmath.mpf(y), [mpmath.mpf(value) for value in np.atleast_1d(z)]
            if isinstance(loss, Poisson):
                return t * mpmath.log(t) - t * z[0] - t + mpmath.exp(z[0])
            p = 1 / (1 + mpmath.exp(-z[0]))
            return t * mpmath.log(t / p) + (1 - t) * mpmath.log((1 - t) / (1 - p))

        def exact_softmax(y, z):
            powers = [mpmath.exp(mpmath.mpf(value)) for value in z]
            # targets that are floats do not sum to one exactly
            shares = [mpmath.mpf(value) for value in y]
            return sum(t * mpmath.log(t * sum(powers) / (e * sum(shares))) for t, e in zip(shares, powers, strict=True))

        reference = exact_softmax if y.ndim == 2 else exact
        expected = [float(reference(*row)) for row in zip(y, scores, strict=True)]
    value, _ = loss.on_scores(link).value_and_gradient(y, scores)
    # the rounding of the scores themselves, beside their distance, is what remains
    np.testing.assert_allclose(value, expected, rtol=1e-13 / away)

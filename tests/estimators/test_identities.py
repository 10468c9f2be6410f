"""What ties the losses to one another and to the documents' formulas, and what holds at every point."""

import mpmath
import numpy as np
import pytest
from cases import CASES, CONVEX, TRAINABLE
from forms import BINARY, JOINT, VALUES, Form, forms_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import xlogy

from sklearn_losses.activations import Exp, Identity, Sigmoid, Softmax
from sklearn_losses.losses import (
    AbsoluteError,
    CrossEntropy,
    EpsilonInsensitive,
    Focal,
    Gamma,
    GeneralizedCrossEntropy,
    Hinge,
    Huber,
    KLDivergence,
    LeastSquares,
    LogCosh,
    Poisson,
    Quantile,
    RootMeanSquaredError,
    SquaredEpsilonInsensitive,
    SquaredError,
    Tweedie,
)
from sklearn_losses.losses.pieces import Pieces

RANDOM = np.random.RandomState(3)
SCORE = np.concatenate([RANDOM.uniform(-30, 30, 40), [0.0, 745.0, -745.0, 1e308, -1e308]])
ERROR = np.concatenate([RANDOM.normal(scale=3.0, size=40), [0.0, 1e-8, 1e8, 1e308]])
MARGIN_LOSSES = [case.loss for case in CASES if case.domains == ("scores",)]
often = settings(derandomize=True, max_examples=16, deadline=None, database=None)


def in_scores(loss, y, scores):
    """Values and gradients of a loss on probabilities, through its activation."""
    return loss.on_scores(Sigmoid() if scores.ndim == 1 else Softmax()).value_and_gradient(y, scores)


def same(first, second, rtol=1e-14, atol=1e-15):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


# -- cross-entropy and its relatives


def test_cross_entropy_of_labels_0_1_and_of_labels_minus_1_1_are_one_function():
    for y, sign in ((np.zeros_like(SCORE), -1.0), (np.ones_like(SCORE), 1.0)):
        values, gradient = in_scores(CrossEntropy(), y, SCORE)
        np.testing.assert_allclose(values, np.logaddexp(0.0, -sign * SCORE), rtol=1e-15)
        ordinary = np.abs(SCORE) < 40
        np.testing.assert_allclose(gradient[ordinary], (Sigmoid().forward(SCORE) - y)[ordinary], atol=1e-15)


@pytest.mark.parametrize("form", BINARY["probabilities"] + JOINT["probabilities"], ids=str)
def test_gradient_of_cross_entropy_is_p_minus_y(form):
    link, y, scores = form.link(CASES[0]), form.targets(), form.scores()
    on_scores = CrossEntropy().on_scores(link)
    expected = link.forward(scores) - y
    np.testing.assert_allclose(on_scores.value_and_gradient(y, scores)[1], expected, atol=1e-15)
    by_the_chain_rule = link.pull_back(scores, CrossEntropy().gradient(y, link.forward(scores)))
    np.testing.assert_allclose(by_the_chain_rule, expected, atol=1e-14)


@pytest.mark.parametrize("form", BINARY["probabilities"] + JOINT["probabilities"], ids=str)
def test_divergence_is_cross_entropy_minus_entropy(form):
    y, scores = form.targets(), form.scores()
    cross, divergence = (in_scores(loss, y, scores) for loss in (CrossEntropy(), KLDivergence()))
    entropy = -xlogy(y, y).sum(axis=1) if form.joint else -xlogy(y, y) - xlogy(1 - y, 1 - y)
    np.testing.assert_allclose(divergence[0], cross[0] - entropy, atol=1e-14)
    np.testing.assert_array_equal(divergence[1], cross[1])
    if not form.soft:
        np.testing.assert_array_equal(divergence[0], cross[0])


@pytest.mark.parametrize("form", BINARY["probabilities"] + JOINT["probabilities"], ids=str)
def test_relatives_of_cross_entropy(form):
    y, scores = form.targets(), form.scores()
    cross = in_scores(CrossEntropy(), y, scores)
    same(in_scores(Focal(gamma=0.0), y, scores), cross)
    same(in_scores(GeneralizedCrossEntropy(q=1e-9), y, scores), cross, rtol=1e-7)
    smooth = 0.8 * y + 0.2 / (form.n_classes or 2)
    same(in_scores(CrossEntropy(label_smoothing=0.2), y, scores), in_scores(CrossEntropy(), smooth, scores))
    if not form.soft:
        absolute = in_scores(AbsoluteError(), y, scores)
        share = 2.0 if form.joint else 1.0  # the wrong columns' errors add up to the right one's
        same([share * part for part in in_scores(GeneralizedCrossEntropy(q=1.0), y, scores)], absolute)


# -- two classes


@pytest.mark.parametrize("case", [case for case in TRAINABLE if "values" not in case.domains], ids=str)
@pytest.mark.parametrize("soft", [False, True])
def test_two_classes_are_two_columns(case, soft):
    """Losses of the true class and margin losses with K = 2 are their binary form, of the difference of the scores."""
    form = Form(case.domains[0], 2, soft)
    y, scores = form.targets(), form.scores()
    columns = np.stack([np.zeros_like(scores), scores], axis=1)
    rows = np.stack([1 - y, y], axis=1)
    many = Softmax() if form.domain == "probabilities" else Identity()
    values, gradient = form.on_scores(case).value_and_gradient(y, scores)
    joint_values, joint_gradient = case.loss.on_scores(many).value_and_gradient(rows, columns)
    np.testing.assert_allclose(joint_values, values, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(joint_gradient, np.stack([-gradient, gradient], axis=1), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("case", [case for case in CASES if "scores" not in case.domains], ids=str)
def test_metric_takes_one_column_or_two(case):
    if "probabilities" not in case.domains:
        return
    y, p = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.6])
    rows = np.stack([1 - p, p], axis=1)
    expected = case.loss(y, p)
    assert case.loss(y, rows) == expected
    assert case.loss(np.eye(2)[y], rows) == expected
    assert case.loss(np.eye(2)[y], p) == expected
    assert case.loss(y, p[:, None]) == expected


def test_brier_score_is_that_of_class_1():
    y, p = np.array([0, 1, 1]), np.array([0.1, 0.8, 0.4])
    assert SquaredError()(y, np.stack([1 - p, p], axis=1)) == pytest.approx(np.mean((p - y) ** 2), rel=1e-14)


# -- margins


@pytest.mark.parametrize("n_classes", [3, 4])
def test_hinge_of_the_documents(n_classes):
    z = np.random.RandomState(4).normal(scale=2.0, size=(30, n_classes))
    true = np.arange(30) % n_classes
    terms = [
        [max(0.0, 1.0 + row[j] - row[t]) for j in range(n_classes) if j != t]
        for row, t in zip(z.tolist(), true.tolist(), strict=True)
    ]
    y = np.eye(n_classes)[true]
    weston_watkins = Hinge().value(y, z)
    crammer_singer = Hinge(multiclass="crammer-singer").value(y, z)
    np.testing.assert_allclose(weston_watkins, [sum(row) for row in terms], rtol=1e-14)
    np.testing.assert_allclose(crammer_singer, [max(row) for row in terms], rtol=1e-14)
    assert (crammer_singer <= weston_watkins).all() and (crammer_singer < weston_watkins).any()


@pytest.mark.parametrize("loss", MARGIN_LOSSES, ids=repr)
def test_margin_losses_are_symmetric_in_the_classes(loss):
    scores = SCORE[np.abs(SCORE) < 40]
    ones = np.ones_like(scores)
    np.testing.assert_array_equal(loss.value(ones, scores), loss.value(0 * ones, -scores))
    np.testing.assert_array_equal(loss.gradient(ones, scores), -loss.gradient(0 * ones, -scores))


def test_least_squares_is_regression_on_the_signs():
    y = (np.arange(len(SCORE)) % 2).astype(float)
    scores = np.clip(SCORE, -1e3, 1e3)
    np.testing.assert_allclose(LeastSquares().value(y, scores), (scores - (2 * y - 1)) ** 2, rtol=1e-14)


# -- errors


def test_limits_of_huber():
    zero = np.zeros_like(ERROR)
    ordinary = np.abs(ERROR) < 1e150
    half_squares = 0.5 * ERROR[ordinary] ** 2
    np.testing.assert_allclose(Huber(delta=1e160).value(zero[ordinary], ERROR[ordinary]), half_squares, rtol=1e-14)
    delta = 1e-12
    scaled = Huber(delta=delta).value(zero, ERROR) / delta
    np.testing.assert_allclose(scaled, np.abs(ERROR), rtol=1e-3, atol=1e-12)
    at_delta = Huber(delta=0.5).value(np.zeros(2), np.array([0.5, np.nextafter(0.5, 1.0)]))
    np.testing.assert_allclose(at_delta, 0.125, rtol=1e-15)


def test_log_cosh_of_tiny_and_huge_errors():
    errors = np.concatenate([10.0 ** np.arange(-150, 3), [0.9999, 1.0, 1.0001, 1e4, 1e308]])
    with mpmath.workdps(400):
        exact = [float(mpmath.log(mpmath.cosh(mpmath.mpf(float(e))))) for e in errors]
    np.testing.assert_allclose(LogCosh().value(np.zeros_like(errors), errors), exact, rtol=4e-16)


def test_errors_that_are_one_another():
    zero, ordinary = np.zeros_like(ERROR), np.abs(ERROR) < 1e150
    absolute = AbsoluteError().value(zero, ERROR)
    np.testing.assert_array_equal(2 * Quantile(quantile=0.5).value(zero, ERROR / 2), absolute / 2)
    np.testing.assert_array_equal(EpsilonInsensitive(epsilon=0.0).value(zero, ERROR), absolute)
    squares = SquaredError().value(zero[ordinary], ERROR[ordinary])
    np.testing.assert_array_equal(SquaredEpsilonInsensitive(epsilon=0.0).value(zero, ERROR)[ordinary], squares)
    np.testing.assert_array_equal(RootMeanSquaredError().value(zero[ordinary], ERROR[ordinary]), squares)


def test_total_of_root_mean_squared_error():
    loss, mean, step = RootMeanSquaredError(), 3.7, 1e-5
    value, slope, bend = loss.total(mean)
    assert value == np.sqrt(mean)
    assert slope == pytest.approx((loss.total(mean + step)[0] - loss.total(mean - step)[0]) / (2 * step))
    assert bend == pytest.approx((loss.total(mean + step)[1] - loss.total(mean - step)[1]) / (2 * step))
    assert loss.total(0.0) == (0.0, 0.0, 0.0)
    assert SquaredError().total(mean) == (mean, 1.0, 0.0)


# -- deviances


def test_tweedie_has_poisson_and_gamma_as_limits():
    y, log_mean = np.array([0.5, 1.0, 4.0]), np.array([0.3, -1.0, 2.0])
    for limit, power in ((Poisson(), 1.0), (Gamma(), 2.0)):
        exact = limit.on_scores(Exp()).value_and_gradient(y, log_mean)
        same(Tweedie(power=power).on_scores(Exp()).value_and_gradient(y, log_mean), exact, rtol=1e-13)
        for near in (power - 1e-6, power + 1e-6):
            if near > 1:
                same(Tweedie(power=near).on_scores(Exp()).value_and_gradient(y, log_mean), exact, rtol=1e-4)
        close = np.log(y) + np.array([1e-6, 0.1, -0.9])
        found = Tweedie(power=power + 1e-10).on_scores(Exp()).value_and_gradient(y, close)
        same(found, limit.on_scores(Exp()).value_and_gradient(y, close), rtol=1e-7)


def test_tweedie_of_power_zero_is_half_the_squared_error():
    y, mean = np.array([0.5, 1.0, 4.0]), np.array([0.3, 1.0, 2.0])
    np.testing.assert_allclose(Tweedie(power=0.0).value(y, mean), 0.5 * (mean - y) ** 2, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("loss", [Poisson(), Gamma(), Tweedie(), Tweedie(power=3.0)], ids=repr)
def test_deviances_are_zero_for_a_perfect_prediction(loss):
    y = np.array([0.1, 0.7, 1.0, 12.0])
    np.testing.assert_allclose(loss.value(y, y), 0.0, atol=1e-14 * max(1.0, y[-1] ** 0.5))
    np.testing.assert_allclose(loss.gradient(y, y), 0.0, atol=1e-12)
    with pytest.raises(ValueError, match="needs positive predictions; the one of row 1 is 0"):
        loss.value(y, np.array([1.0, 0.0, 1.0, 1.0]))


# -- pieces and proximal operators

PIECEWISE = [case.loss for case in CONVEX if case.kinked]


@pytest.mark.parametrize("loss", PIECEWISE, ids=repr)
def test_pieces_are_the_loss(loss):
    """The slopes between the kinks are the gradient, and their integral is the value."""
    form = VALUES if "values" in loss.domains else BINARY["scores"][1]
    y = form.targets()
    kinks, slopes = loss.pieces(y)
    everyone = np.arange(len(y))
    for shift in (-7.0, -0.4, -0.01, 0.02, 0.5, 9.0):
        point = y + shift
        piece = (kinks < point[:, None]).sum(axis=1)
        np.testing.assert_allclose(slopes[everyone, piece], loss.gradient(y, point), rtol=1e-15)
        first = kinks[:, 0]
        bends = np.diff(slopes, axis=1) * np.maximum(point[:, None] - kinks, 0.0)
        integral = loss.value(y, first) + slopes[:, 0] * (point - first) + bends.sum(axis=1)
        np.testing.assert_allclose(loss.value(y, point), integral, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("loss", PIECEWISE, ids=repr)
@pytest.mark.parametrize("step", [0.05, 3.0])
def test_prox_of_one_score_by_brute_force(loss, step):
    form = VALUES if "values" in loss.domains else BINARY["scores"][1]
    y, point = form.targets(), 2.0 * form.scores()
    found = point - step * Pieces.of(loss, y).dual(point, step)

    def objective(u):
        return loss.value(y, u) + (u - point) ** 2 / (2 * step)

    best = np.min([objective(np.full_like(point, u)) for u in np.linspace(-12.0, 12.0, 4001)], axis=0)
    assert (objective(found) <= best + 1e-12).all()
    assert (objective(found) >= best - 0.02 / step).all()


@pytest.mark.parametrize("loss", [Hinge(), Hinge(multiclass="crammer-singer")], ids=repr)
@pytest.mark.parametrize("step", [0.2, 2.0])
def test_prox_of_several_scores_by_brute_force(loss, step):
    """No point of a grid is better, by as much as strong convexity says."""
    form = JOINT["scores"][0]
    y, point = form.targets(), form.scores()
    found = point - step * loss.joint_pieces(y.argmax(axis=1)).dual(point, step)

    def objective(u):
        return loss.value(y, u) + ((u - point) ** 2).sum(axis=1) / (2 * step)

    least = objective(found)
    random = np.random.RandomState(5)
    for size in (1e-3, 0.1, 1.0) * 60:
        other = found + size * random.normal(size=point.shape)
        assert (objective(other) >= least + ((other - found) ** 2).sum(axis=1) / (2 * step) - 1e-12).all()


# -- properties

anywhere = st.floats(allow_nan=False, allow_infinity=False)
nearby = st.floats(min_value=-40.0, max_value=40.0)
share = st.floats(min_value=0.0, max_value=1.0)


def rows(form: Form, numbers, share):
    """Targets and scores of one row, from three numbers and a share between zero and one."""
    scores = np.array([numbers]) if form.joint else np.array(numbers[:1])
    if form.joint:
        return np.array([[share, 1 - share, 0.0]] if form.soft else [[0.0, 1.0, 0.0]]), scores
    return np.array([share if form.soft else round(share)], dtype=float), scores


def small_forms(cases):
    return [
        pytest.param(case, form, id=f"{case}, {form}")
        for case in cases
        for form in forms_of(case)
        if form.n_classes < 4
    ]


@pytest.mark.parametrize(("case", "form"), small_forms(TRAINABLE))
@often
@given(st.tuples(anywhere, anywhere, anywhere), share)
def test_a_loss_is_never_nan_nor_negative(case, form, numbers, share):
    y, scores = rows(form, numbers, share)
    if form is VALUES:
        y = np.array([0.01 + share]) if case.loss.link == "log" else np.array([numbers[1] or 1.0])
    value, gradient = form.on_scores(case).value_and_gradient(y, scores)
    assert value[0] >= case.loss.lower_bound
    assert np.isinf(value[0]) or not np.isnan(gradient).any()


@pytest.mark.parametrize(("case", "form"), [p for p in small_forms(CONVEX) if p.values[1].domain in p.values[0].convex])
@often
@given(st.tuples(nearby, nearby, nearby), st.tuples(nearby, nearby, nearby), share)
def test_convex_losses_lie_above_their_tangents(case, form, first, second, share):
    y, here = rows(form, first, share)
    _, there = rows(form, second, share)
    if form is VALUES:
        y = np.array([0.01 + share])
    on_scores = form.on_scores(case)
    (value, gradient), (other, other_gradient) = (on_scores.value_and_gradient(y, z) for z in (here, there))
    rounding = 1e-12 * (
        1.0 + np.abs(value) + np.abs(other) + np.abs(gradient * here).sum() + np.abs(gradient * there).sum()
    )
    assert other[0] >= (value + np.sum(gradient * (there - here)) - rounding)[0]
    monotone = np.sum((other_gradient - gradient) * (there - here))
    assert monotone >= -1e-12 * (1.0 + np.abs(other_gradient * there).sum() + np.abs(gradient * here).sum()) * 80

"""Activations: forward, Jacobian, second derivatives and matching losses, up to the largest scores."""

import pickle
from functools import cache
from inspect import isabstract

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_losses import activations
from sklearn_losses.activations import (
    Activation,
    Blocks,
    Centred,
    ComplementaryLogLog,
    Covariance,
    Diagonal,
    Exp,
    Identity,
    Link,
    LogComplementaryLogLog,
    LogProbit,
    LogSigmoid,
    LogSoftmax,
    Probit,
    Sigmoid,
    Softmax,
    absolute,
)

SCORES = np.random.RandomState(0).uniform(-3.0, 3.0, 20)
JOINT = np.random.RandomState(1).uniform(-3.0, 3.0, (20, 4))
EXTREME = np.array([1e308, -1e308, 745.0, -745.0, 37.0, -37.0, 1.0, 1e-8, -1e-8, 5e-324, -5e-324, 0.0])
EXTREME_JOINT = np.array(
    [
        [1e308, -1e308, 0.0],
        [1e308, 1e308, -1e308],
        [-1e308, -1e308, -1e308],
        [745.0, 0.0, -745.0],
        [37.0, 0.0, -37.0],
        [5e-324, -5e-324, 0.0],
        [1e-8, 0.0, -1e-8],
        [0.3, -0.8, 1.7],
    ]
)

ORDINARY = [
    (Identity(), SCORES),
    (Identity(), JOINT),
    (Sigmoid(), SCORES),
    (LogSigmoid(), SCORES),
    (Probit(), SCORES),
    (LogProbit(), SCORES),
    (ComplementaryLogLog(), SCORES),
    (LogComplementaryLogLog(), SCORES),
    (Softmax(), JOINT),
    (LogSoftmax(), JOINT),
    (Exp(), SCORES),
]
LINKS = [(activation, scores) for activation, scores in ORDINARY if isinstance(activation, Link)]
MATCHING = [(Sigmoid(), SCORES), (Softmax(), JOINT), (Exp(), SCORES)]


def name(value):
    if isinstance(value, np.ndarray):
        return f"{value.ndim}-d"
    return repr(value) if isinstance(value, Activation) else None


every_activation = pytest.mark.parametrize(("activation", "scores"), ORDINARY, ids=name)


def difference(function, point, direction, step=1e-4):
    def central(h):
        return (function(point + h * direction) - function(point - h * direction)) / (2 * h)

    return (4 * central(step) - central(2 * step)) / 3


def random_like(array, seed=2):
    return np.random.RandomState(seed).normal(size=array.shape)


def test_all_activations_are_here():
    exported = [getattr(activations, name) for name in activations.__all__]
    concrete = {a for a in exported if isinstance(a, type) and issubclass(a, Activation) and not isabstract(a)}
    assert {type(activation) for activation, _ in ORDINARY} == concrete
    assert repr(Softmax()) == "Softmax()"
    canonical = {type(activation) for activation, _ in LINKS if activation.canonical}
    assert canonical == {type(activation) for activation, _ in MATCHING}
    for activation, scores in LINKS:
        if not activation.canonical:
            with pytest.raises(NotImplementedError, match="no matching loss"):
                activation.matching(scores, scores)


# -- ordinary scores


@every_activation
def test_pull_back_is_the_adjoint(activation, scores):
    direction, gradient = random_like(scores), random_like(activation.forward(scores), 3)
    prediction, pull_back = activation.linearize(scores)
    np.testing.assert_array_equal(prediction, activation.forward(scores))
    pulled = pull_back(gradient)
    np.testing.assert_array_equal(activation.pull_back(scores, gradient), pulled)
    assert pulled.shape == scores.shape
    forwards = np.sum(gradient * difference(activation.forward, scores, direction))
    assert np.sum(pulled * direction) == pytest.approx(forwards, rel=1e-9)


@every_activation
def test_curvature_is_the_derivative_of_the_pulled_gradient(activation, scores):
    """Of sums over the columns of a function whose gradient is a line in the prediction."""
    direction, slope = random_like(scores), random_like(activation.forward(scores), 3)
    bend = random_like(slope, 4)

    def gradient(p):
        return slope + bend * p

    expected = difference(lambda z: activation.pull_back(z, gradient(activation.forward(z))), scores, direction)
    found = activation.curvature(scores, gradient(activation.forward(scores)), bend)
    np.testing.assert_allclose(found.apply(direction), expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("activation", "scores"), LINKS, ids=name)
def test_jacobian_is_the_derivative(activation, scores):
    direction, jacobian = random_like(scores), activation.jacobian(scores)
    expected = difference(activation.forward, scores, direction)
    product = np.einsum("nij,nj->ni", jacobian, direction) if scores.ndim == 2 else jacobian * direction
    np.testing.assert_allclose(product, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(activation.jacobian_operator(scores).apply(direction), product, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("activation", "scores"), MATCHING, ids=name)
def test_matching_loss_has_p_minus_t_as_gradient(activation, scores):
    targets = np.random.RandomState(4).dirichlet(np.ones(4), len(scores)) if scores.ndim == 2 else np.linspace(0, 1, 20)
    direction = random_like(scores)
    _, gradient = activation.matching(scores, targets)
    np.testing.assert_allclose(gradient, activation.forward(scores) - targets, atol=1e-15)
    change = difference(lambda z: activation.matching(z, targets)[0], scores, direction)
    along = gradient * direction
    np.testing.assert_allclose(along.sum(axis=1) if along.ndim == 2 else along, change, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("activation", "scores"), [(link, scores) for link, scores in LINKS if link.logarithm], ids=name
)
def test_logarithm(activation, scores):
    expected = np.log(activation.forward(scores))
    found = activation.logarithm.forward(scores)
    if scores.ndim == 1 and found.ndim == 2:
        np.testing.assert_allclose(found[:, 0], np.log1p(-activation.forward(scores)), rtol=1e-10)
        found = found[:, 1]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_softmax_of_two_scores_is_the_sigmoid_of_their_difference():
    columns = np.stack([np.zeros_like(SCORES), SCORES], axis=1)
    np.testing.assert_allclose(Softmax().forward(columns)[:, 1], Sigmoid().forward(SCORES), rtol=1e-14)
    np.testing.assert_allclose(LogSoftmax().forward(columns), LogSigmoid().forward(SCORES), rtol=1e-14, atol=1e-16)


def test_softmax_does_not_see_a_shift():
    np.testing.assert_allclose(Softmax().forward(JOINT + 1000.0), Softmax().forward(JOINT), rtol=1e-12)
    np.testing.assert_allclose(Softmax().forward(JOINT).sum(axis=1), 1.0, rtol=1e-15)


def test_jacobian_of_softmax_is_the_documents():
    p = Softmax().forward(JOINT)
    expected = [[[row[i] * ((i == j) - row[j]) for j in range(4)] for i in range(4)] for row in p]
    np.testing.assert_allclose(Softmax().jacobian(JOINT), expected, rtol=1e-14, atol=1e-16)


# -- extreme scores


def exactly(function, scores):
    with mpmath.workdps(400):
        return np.array([float(function(mpmath.mpf(float(z)))) for z in scores])


def test_sigmoid_and_its_derivative_are_right_to_the_last_digit():
    """p (1 - p) computed from a rounded p is zero from 37 on."""
    p = exactly(lambda z: 1 / (1 + mpmath.exp(-z)), EXTREME)
    np.testing.assert_allclose(Sigmoid().forward(EXTREME), p, rtol=4e-16, atol=0)
    slope = exactly(lambda z: 1 / (1 + mpmath.exp(-z)) / (1 + mpmath.exp(z)), EXTREME)
    np.testing.assert_allclose(Sigmoid().jacobian(EXTREME), slope, rtol=4e-16, atol=0)
    assert Sigmoid().jacobian(np.array([37.0]))[0] > 0
    assert Sigmoid().jacobian(np.array([-745.0]))[0] > 0


def test_logarithms_of_the_sigmoid_are_right_to_the_last_digit():
    found = LogSigmoid().forward(EXTREME)
    for column, sign in ((0, 1), (1, -1)):
        exact = exactly(lambda z, sign=sign: -mpmath.log(1 + mpmath.exp(sign * z)), EXTREME)
        np.testing.assert_allclose(found[:, column], exact, rtol=4e-16, atol=0)


NORMAL = np.concatenate([np.linspace(-37.0, 37.0, 75), [-1e150, -1e9, -1e3, -8.001, -7.999, -1e-9, 5e-324, 0.3, 1e9]])
RATES = np.concatenate([np.linspace(-37.0, 6.5, 75), [-1e308, -745.0, -1.3863, -1.3862, -1e-9, 5e-324, 0.3]])


@cache  # at one precision, that of `exactly`
def cumulative(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


@cache
def density(z):
    return mpmath.exp(-(z**2) / 2) / mpmath.sqrt(2 * mpmath.pi)


def log_cumulative(z):
    return -(z**2) / 2 - mpmath.log(-z) if z < -1e6 else mpmath.log(cumulative(z))


@cache
def mills(z):
    return -z - 1 / z if z < -1e6 else density(z) / cumulative(z)


def mills_bend(z):
    return 1 / z**2 - 1 if z < -1e6 else -mills(z) * (mills(z) + z)


def rate_ratio(z):
    return mpmath.exp(z) / mpmath.expm1(mpmath.exp(z)) if z > -700 else 1 - mpmath.exp(z) / 2


LOGS = {
    LogProbit(): (
        NORMAL,
        [lambda z: log_cumulative(-z), lambda z: -mills(-z), lambda z: mills_bend(-z)],
        [log_cumulative, mills, mills_bend],
    ),
    LogComplementaryLogLog(): (
        RATES,
        [lambda z: -mpmath.exp(z)] * 3,
        [
            lambda z: mpmath.log(-mpmath.expm1(-mpmath.exp(z))) if z > -700 else z - mpmath.exp(z) / 2,
            rate_ratio,
            lambda z: rate_ratio(z) * (1 - rate_ratio(z) - mpmath.exp(z)) if z > -700 else -mpmath.exp(z) / 2,
        ],
    ),
}


@pytest.mark.parametrize("logarithm", LOGS, ids=name)
@pytest.mark.parametrize("column", [0, 1])
def test_logarithms_of_the_other_links_are_right_to_the_last_digits(logarithm, column):
    """Values and slopes of both columns, and second derivatives, which are differences of almost equal numbers."""
    scores, *columns = LOGS[logarithm]
    value, slope, bend = (exactly(function, scores) for function in columns[column])
    gradient = np.eye(2)[np.full(len(scores), column)]
    np.testing.assert_allclose(logarithm.forward(scores)[:, column], value, rtol=2e-13, atol=1e-322)
    np.testing.assert_allclose(logarithm.pull_back(scores, gradient), slope, rtol=1e-13, atol=1e-322)
    found = logarithm.curvature(scores, gradient, np.zeros_like(gradient)).values
    np.testing.assert_allclose(found, bend, rtol=1e-13, atol=1e-322)


@pytest.mark.parametrize(
    ("link", "scores", "exact"),
    [
        (Probit(), NORMAL[NORMAL > -1e3], [cumulative, density, lambda z: -z * density(z)]),
        (
            ComplementaryLogLog(),
            RATES[RATES > -700],
            [
                lambda z: -mpmath.expm1(-mpmath.exp(z)),
                lambda z: mpmath.exp(z - mpmath.exp(z)),
                lambda z: -mpmath.exp(z - mpmath.exp(z)) * mpmath.expm1(z),
            ],
        ),
    ],
    ids=name,
)
def test_the_other_links_are_right_to_the_last_digits(link, scores, exact):
    p, slope, bend = (exactly(function, scores) for function in exact)
    np.testing.assert_allclose(link.forward(scores), p, rtol=2e-13, atol=1e-322)
    np.testing.assert_allclose(link.jacobian(scores), slope, rtol=1e-13, atol=1e-322)
    np.testing.assert_allclose(link.second(scores)[1], bend, rtol=1e-13, atol=1e-322)


def test_softmax_of_extreme_scores():
    with mpmath.workdps(400):
        rows = [[mpmath.exp(mpmath.mpf(float(z))) for z in row] for row in EXTREME_JOINT]
        p = [[power / mpmath.fsum(row) for power in row] for row in rows]
        exact = np.array([[float(q) for q in row] for row in p])
        jacobian = [
            [[float(a * (1 - a) if i == j else -a * b) for j, b in enumerate(r)] for i, a in enumerate(r)] for r in p
        ]
    np.testing.assert_allclose(Softmax().forward(EXTREME_JOINT), exact, rtol=1e-15, atol=0)
    np.testing.assert_allclose(Softmax().jacobian(EXTREME_JOINT), jacobian, rtol=2e-15, atol=5e-324)


def test_log_softmax_of_extreme_scores_is_finite():
    logs = LogSoftmax().forward(EXTREME_JOINT)
    assert np.isfinite(logs).all() and (logs <= 0).all()
    top = logs.max(axis=1)
    with mpmath.workdps(400):
        rows = [[mpmath.exp(mpmath.mpf(float(z))) for z in row] for row in EXTREME_JOINT]
        exact = [float(mpmath.log(max(row) / mpmath.fsum(row))) for row in rows]
    np.testing.assert_allclose(top, exact, rtol=1e-15, atol=0)


def test_what_an_almost_certain_class_leaves_to_the_others_is_right_to_the_last_digits():
    """The gradient of log p_0 in the scores; 1 - p_0 of a rounded p_0 is noise, and Newton's steps would go far."""
    scores = np.array([[40.0, 0.0, -3.0], [30.0, 29.0, -30.0], [800.0, 100.0, 0.0], [2.0, 2.0, 2.0]])
    with mpmath.workdps(400):
        powers = [[mpmath.exp(mpmath.mpf(float(z))) for z in row] for row in scores]
        exact = [[sum(row[1:]) / sum(row), -row[1] / sum(row), -row[2] / sum(row)] for row in powers]
    found = LogSoftmax().pull_back(scores, np.eye(3)[np.zeros(4, int)])
    np.testing.assert_allclose(found, np.array(exact, float), rtol=1e-14, atol=0)


def test_exponential_overflows_quietly():
    np.testing.assert_array_equal(Exp().forward(np.array([1e308, 0.0, -1e308])), [np.inf, 1.0, 0.0])
    value, gradient = Exp().matching(np.array([1e308, -1e308]), np.array([3.0, 0.0]))
    np.testing.assert_array_equal(value, [np.inf, 0.0])
    np.testing.assert_array_equal(gradient, [np.inf, 0.0])


@pytest.mark.parametrize(
    ("activation", "scores"),
    [(Sigmoid(), EXTREME), (Probit(), EXTREME), (ComplementaryLogLog(), EXTREME), (Softmax(), EXTREME_JOINT)],
    ids=name,
)
def test_everything_is_finite_at_extreme_scores(activation, scores):
    targets = np.eye(3)[np.arange(len(scores)) % 3] if scores.ndim == 2 else np.arange(len(scores)) % 2.0
    direction = random_like(scores)
    for kind in (activation, activation.logarithm):
        prediction = kind.forward(scores)
        gradient = np.clip(random_like(prediction), -0.5, 0.5)
        curvature = kind.curvature(scores, gradient, np.zeros_like(prediction))
        for result in (prediction, kind.pull_back(scores, gradient), curvature.apply(direction / 10)):
            assert np.isfinite(result).all()
    for result in activation.matching(scores, targets) if activation.canonical else ():
        assert np.isfinite(result).all()


# -- the operator

P = Softmax().forward(JOINT)
SYMMETRIC = random_like(np.empty((20, 4, 4)), 5) + random_like(np.empty((20, 4, 4)), 5).transpose(0, 2, 1)
CENTRE = np.eye(4) - P[:, :, None]
OPERATORS = [
    (Diagonal(SCORES), SCORES),
    (Diagonal(JOINT), JOINT[:, :, None] * np.eye(4)),
    (Blocks(SYMMETRIC), SYMMETRIC),
    (Covariance(P), P[:, :, None] * (np.eye(4) - P[:, None, :])),
    (Centred(P, JOINT), CENTRE @ (JOINT[:, :, None] * np.eye(4)) @ CENTRE.transpose(0, 2, 1)),
]


@pytest.mark.parametrize(("operator", "matrices"), OPERATORS, ids=lambda value: type(value).__name__)
def test_operators_are_their_matrices(operator, matrices):
    joint = matrices.ndim == 3
    direction, weights = random_like(JOINT if joint else SCORES), np.random.RandomState(6).uniform(size=20)
    close = {"rtol": 1e-12, "atol": 1e-14}
    product = np.einsum("nij,nj->ni", matrices, direction) if joint else matrices * direction
    np.testing.assert_allclose(operator.apply(direction), product, **close)
    np.testing.assert_allclose(operator.blocks(), matrices, **close)
    diagonal = np.diagonal(matrices, axis1=1, axis2=2) if joint else matrices
    np.testing.assert_allclose(operator.diagonal(), diagonal, **close)
    np.testing.assert_allclose(operator.weighted_sum(weights), np.tensordot(weights, matrices, axes=1), **close)
    kept = pickle.loads(pickle.dumps(operator))
    np.testing.assert_array_equal(kept.apply(direction), operator.apply(direction))


def test_absolute_blocks():
    np.testing.assert_array_equal(absolute(np.array([-1.0, 2.0, 0.0])), [1.0, 2.0, 0.0])
    found = absolute(SYMMETRIC)
    np.testing.assert_allclose(found, found.transpose(0, 2, 1), atol=1e-14)
    assert (np.linalg.eigvalsh(found) >= -1e-14).all()
    np.testing.assert_allclose(found @ found, SYMMETRIC @ SYMMETRIC, atol=1e-12)


# -- what comes in


@every_activation
def test_inputs_are_left_alone(activation, scores):
    frozen = scores.copy()
    frozen.flags.writeable = False
    direction, gradient = random_like(scores), random_like(activation.forward(scores))
    targets = np.full_like(scores, 0.25)
    for array in (direction, gradient, targets):
        array.flags.writeable = False
    activation.linearize(frozen)[1](gradient)
    activation.curvature(frozen, gradient, gradient).apply(direction)
    if isinstance(activation, Link) and activation.canonical:
        activation.matching(frozen, targets)
    np.testing.assert_array_equal(frozen, scores)
    assert vars(activation) == {}


@every_activation
def test_single_precision_stays(activation, scores):
    single = activation.forward(scores.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, activation.forward(scores), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", [Sigmoid(), Softmax(), Exp()], ids=name)
def test_whole_numbers_are_scores_too(activation):
    scores = np.array([[1, 2, 3]]) if isinstance(activation, Softmax) else np.array([1, 2, 3])
    np.testing.assert_array_equal(activation.forward(scores), activation.forward(scores.astype(float)))


@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=5))
def test_probabilities_are_probabilities(scores):
    for p in (Softmax().forward(np.array([scores]))[0], Sigmoid().forward(np.array(scores))):
        assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(Softmax().forward(np.array([scores])).sum(), 1.0, rtol=1e-15)
    p = Softmax().forward(np.array([scores]))[0]
    assert p[np.argmax(scores)] == p.max()

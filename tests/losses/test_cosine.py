"""Margin softmax on cosines: formulas at high precision, derivatives at the poles, and through the whole chain."""

import mpmath
import numpy as np
import pytest
from cases import COSINES
from numpy.testing import assert_allclose
from sklearn.base import clone

from sklearn_losses import AMSoftmax, ArcFace, CosineClassifier, LSoftmax, SphereFace, check_loss
from sklearn_losses.activations import Identity, absolute
from sklearn_losses.losses import get_loss

every_case = pytest.mark.parametrize("case", COSINES, ids=str)
COSINES_AT = np.array([1.0, 1 - 1e-15, 1 - 1e-9, 0.99, 0.6, 0.05, -1e-3, -0.3, -0.7072, -0.99, -1 + 1e-12, -1.0])
X = np.random.RandomState(0).normal(size=(40, 5))
Y = np.arange(40) % 3


@every_case
def test_it_passes_the_check_and_says_what_is_out_of_range(case):
    check_loss(case.loss)
    for parameter, values in case.out_of_range.items():
        for value in values:
            with pytest.raises(ValueError, match=f"{parameter} must be"):
                get_loss(clone(case.loss).set_params(**{parameter: value}))
    assert not case.loss.on_scores(Identity()).convex
    assert case.loss.smooth == (not case.kinked)
    assert case.loss.has_probabilities


@every_case
def test_what_becomes_of_a_cosine_at_high_precision(case):
    formula = case.formulas["cosines"]
    moved, rate, bend = case.loss.moved(COSINES_AT)
    with mpmath.workdps(120):
        for i, cosine in enumerate(COSINES_AT):
            c, h = mpmath.mpf(float(cosine)), mpmath.mpf(10) ** -40
            value = formula(c)
            assert_allclose(moved[i], float(value), rtol=1e-13, atol=2e-15, err_msg=str(cosine))
            if abs(cosine) == 1.0:
                assert np.isfinite([rate[i], bend[i]]).all()
                continue
            ahead, behind = formula(c + h), formula(c - h)
            # the sine of an angle near 0 or pi is as right as 1 - c is
            assert_allclose(rate[i], float((ahead - behind) / (2 * h)), rtol=1e-7, atol=1e-12, err_msg=str(cosine))
            assert_allclose(bend[i], float((ahead - 2 * value + behind) / h**2), rtol=1e-7, atol=1e-9)


@every_case
def test_it_falls_with_the_angle_and_never_helps(case):
    cosines = np.cos(np.linspace(0, np.pi, 2001))
    moved, rate, _ = case.loss.moved(cosines)
    assert (np.diff(moved) <= 1e-15).all()
    assert (moved <= cosines + 1e-15).all()
    assert (rate >= -1e-12).all()
    assert np.abs(np.diff(moved)).max() < 0.01 * getattr(case.loss, "margin", 1) + 0.01  # continuous


@every_case
@pytest.mark.parametrize("n_classes", [2, 3])
def test_curvature_in_all_its_forms(case, n_classes):
    random = np.random.RandomState(0)
    cosines = random.uniform(-0.9, 0.9, size=(12, n_classes))
    y = np.eye(n_classes)[np.arange(12) % n_classes] * (random.uniform(0.5, 3.0, (12, 1)) if case.loss.by_row else 1.0)
    loss = case.loss.on_scores(Identity())
    curvature, direction = loss.curvature(y, cosines), random.normal(size=cosines.shape)
    ahead, behind = (loss.value_and_gradient(y, cosines + s * 1e-6 * direction)[1] for s in (1, -1))
    size = max(np.abs(curvature.blocks()).max(), case.loss.scale)
    assert_allclose(curvature.apply(direction), (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-7 * size)
    assert_allclose(
        curvature.blocks() @ direction[:, :, None], curvature.apply(direction)[:, :, None], atol=1e-12 * size
    )
    assert_allclose(curvature.diagonal(), np.einsum("nii->ni", curvature.blocks()), atol=1e-12 * size)
    assert_allclose(curvature.weighted_sum(np.ones(12)), curvature.blocks().sum(axis=0), atol=1e-11 * size)
    assert np.isfinite(absolute(curvature.blocks())).all()


@every_case
@pytest.mark.parametrize("n_classes", [2, 3])
def test_derivatives_through_the_whole_chain(case, n_classes):
    objective = CosineClassifier(case.loss).objective(X, Y % n_classes, np.random.RandomState(3).uniform(size=40))
    random = np.random.RandomState(1)
    theta, v = random.normal(size=(2, objective.n_parameters))
    value, gradient = objective.value_and_gradient(theta)
    size = np.abs(gradient).max()

    def along(function, step=1e-5):
        far = (function(theta + 2 * step * v) - function(theta - 2 * step * v)) / (4 * step)
        near = (function(theta + step * v) - function(theta - step * v)) / (2 * step)
        return (4 * near - far) / 3

    assert_allclose(along(objective.value), gradient @ v, rtol=1e-7, atol=1e-8 * size)
    product = objective.hessian_product(theta, v)
    change = along(lambda at: objective.value_and_gradient(at)[1])
    assert_allclose(product, change, rtol=1e-5, atol=1e-6 * np.abs(product).max())
    assert_allclose(objective.hessian(theta).dense() @ v, product, rtol=1e-9, atol=1e-10 * np.abs(product).max())
    if case.loss.by_class:
        return
    # a length says nothing: no slope along the weights, and a longer vector has the same value
    assert np.abs(gradient.reshape(n_classes, -1) * theta.reshape(n_classes, -1)).sum(axis=1).max() < 10 * size
    assert_allclose((gradient * theta).reshape(n_classes, -1).sum(axis=1), 0.0, atol=1e-13 * size)
    assert objective.value(1e3 * theta) == pytest.approx(value, rel=1e-13)


@pytest.mark.parametrize("loss", [AMSoftmax(), ArcFace(), SphereFace(), LSoftmax()], ids=repr)
def test_a_row_of_zeros_is_a_constant(loss):
    rows = np.vstack([X, np.zeros(5)])
    with pytest.warns(UserWarning, match="Row 40 of X has nothing but zeros"):
        objective = CosineClassifier(loss).objective(rows, np.append(Y, 1))
    plain = CosineClassifier(loss).objective(X, Y)
    theta = np.random.RandomState(1).normal(size=15)
    gradients = [part.value_and_gradient(theta)[1] for part in (objective, plain)]
    assert_allclose(gradients[0] * 41, gradients[1] * 40, rtol=1e-10)


def test_margins_at_the_textbook_s_points():
    assert_allclose(AMSoftmax(margin=0.5).moved(np.array([0.5]))[0], 0.0)
    assert_allclose(ArcFace(margin=np.pi / 3).moved(np.array([0.5]))[0], -0.5)
    assert_allclose(ArcFace(margin=1.0).moved(np.cos([np.pi - 1, np.pi]))[0], [-1.0, np.cos(1.0) - 2.0])
    assert_allclose(SphereFace(margin=4).moved(np.array([1.0, -1.0]))[0], [1.0, -7.0])

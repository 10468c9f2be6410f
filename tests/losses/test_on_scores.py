"""The loss on scores: which form is chosen, the chain rule against a dense one, and the absolute value of a Hessian."""

import numpy as np
import pytest
from cases import PROBABILITIES, SCORES, TRAINABLE
from forms import JOINT, VALUES, forms_of

from sklearn_losses import Loss
from sklearn_losses.activations import Identity, LogSigmoid, Sigmoid, Softmax
from sklearn_losses.losses import CrossEntropy, Focal, Hinge, Poisson, SquaredError
from sklearn_losses.losses.on_scores import ChainRule, Matching, absolute, compose


class QuarticError(Loss):
    """A loss of a user's, with value and gradient only."""

    domain = ("probabilities", "values")

    def value(self, y, prediction):
        error = (prediction - y) ** 4
        return error if error.ndim == 1 else error.sum(axis=1)

    def gradient(self, y, prediction):
        return 4 * (prediction - y) ** 3


def test_the_form_that_a_loss_declares_is_taken():
    assert isinstance(compose(CrossEntropy(), Sigmoid()), Matching)
    assert isinstance(compose(Poisson(), Softmax()), Matching)
    assert isinstance(compose(Focal(), Sigmoid()).activation, LogSigmoid)
    assert isinstance(compose(SquaredError(), Sigmoid()).activation, Sigmoid)
    assert isinstance(compose(Hinge(), Identity()), ChainRule)


def test_a_loss_without_curvature_has_a_gradient_in_the_scores():
    composition = compose(QuarticError(), Sigmoid())
    assert not composition.has_curvature
    scores, y = np.array([-1.0, 2.0]), np.array([1.0, 0.5])
    p = Sigmoid().forward(scores)
    value, gradient = composition.value_and_gradient(y, scores)
    np.testing.assert_allclose(value, (p - y) ** 4, rtol=1e-15)
    np.testing.assert_allclose(gradient, 4 * (p - y) ** 3 * p * (1 - p), rtol=1e-14)


@pytest.mark.parametrize("case", PROBABILITIES, ids=str)
@pytest.mark.parametrize("form", JOINT["probabilities"], ids=str)
def test_the_chain_rule_with_dense_jacobians(case, form):
    """dL/dz is the softmax's Jacobian times dL/dp, in whichever form it was computed."""
    y, scores = form.targets(), form.scores()
    p = Softmax().forward(scores)
    expected = np.einsum("nij,ni->nj", Softmax().jacobian(scores), case.loss.gradient(y, p))
    found = compose(case.loss, Softmax()).value_and_gradient(y, scores)
    np.testing.assert_allclose(found[0], case.loss.value(y, p), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[1], expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", PROBABILITIES, ids=str)
@pytest.mark.parametrize("form", JOINT["probabilities"], ids=str)
def test_a_shift_of_all_scores_changes_nothing(case, form):
    """So the columns of a gradient sum to zero, and so do those of a Hessian."""
    composition, y, scores = compose(case.loss, Softmax()), form.targets(), form.scores()
    _, gradient = composition.value_and_gradient(y, scores)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-14)
    np.testing.assert_allclose(composition.curvature_product(y, scores, np.ones_like(scores)), 0.0, atol=1e-14)
    np.testing.assert_allclose(composition.blocks(y, scores).sum(axis=1), 0.0, atol=1e-14)


@pytest.mark.parametrize("case", SCORES, ids=str)
@pytest.mark.parametrize("form", JOINT["scores"], ids=str)
def test_margins_do_not_see_a_shift_either(case, form):
    composition, y, scores = compose(case.loss, Identity()), form.targets(), form.scores()
    _, gradient = composition.value_and_gradient(y, scores)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-11)
    np.testing.assert_allclose(composition.blocks(y, scores).sum(axis=1), 0.0, atol=1e-11)


@pytest.mark.parametrize(
    ("case", "form"),
    [
        pytest.param(case, form, id=f"{case}, {form}")
        for case in TRAINABLE
        for form in forms_of(case)
        if case.loss.is_convex_on(form.domain)
    ],
)
def test_hessians_of_convex_losses_are_not_negative(case, form):
    composition, y = compose(case.loss, form.activation(case)), form.targets()
    for size in (0.5, 5.0, 40.0):
        blocks = composition.blocks(y, size * form.scores())
        lowest = np.linalg.eigvalsh(blocks).min(axis=1) if form.joint else blocks
        largest = np.abs(blocks).max(axis=(1, 2)) if form.joint else np.abs(blocks)
        assert (lowest >= -1e-14 * (1.0 + largest)).all()


@pytest.mark.parametrize("case", [case for case in TRAINABLE if case.domains[-1] == "values"], ids=str)
def test_blocks_of_values_are_one_number_a_row(case):
    composition = compose(case.loss, VALUES.activation(case))
    assert composition.blocks(VALUES.targets(), VALUES.scores()).shape == (len(VALUES.targets()),)


@pytest.mark.parametrize(
    ("case", "form"), [pytest.param(case, form, id=f"{case}, {form}") for case in TRAINABLE for form in forms_of(case)]
)
def test_parts_of_the_blocks(case, form):
    """Diagonals and weighted sums are those of the blocks, however a composition computes them."""
    composition, y, scores = compose(case.loss, form.activation(case)), form.targets(), form.scores()
    blocks, weights = composition.blocks(y, scores), np.random.RandomState(6).uniform(size=len(y))
    expected = np.diagonal(blocks, axis1=1, axis2=2) if form.joint else blocks
    np.testing.assert_allclose(composition.diagonal(y, scores), expected, rtol=1e-13, atol=1e-15)
    if form.joint:
        total = sum(w * block for w, block in zip(weights, blocks, strict=True))
        np.testing.assert_allclose(composition.mean_block(y, scores, weights), total, rtol=1e-12, atol=1e-13)


def test_absolute_blocks():
    np.testing.assert_array_equal(absolute(np.array([-1.0, 2.0, 0.0])), [1.0, 2.0, 0.0])
    matrices = np.random.RandomState(0).normal(size=(6, 3, 3))
    matrices = matrices + matrices.transpose(0, 2, 1)
    found = absolute(matrices)
    np.testing.assert_allclose(found, found.transpose(0, 2, 1), atol=1e-14)
    assert (np.linalg.eigvalsh(found) >= -1e-14).all()
    np.testing.assert_allclose(found @ found, matrices @ matrices, atol=1e-12)

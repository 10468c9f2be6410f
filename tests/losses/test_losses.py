"""Four proofs for every loss: derivatives, extremes at high precision, the textbook's formula, and purity."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from cases import CASES, COSINES, TRAINABLE, Case, uncovered
from forms import LARGEST, VALUES, Form, exact_derivatives, forms_of
from sklearn.base import clone

from sklearn_losses import losses
from sklearn_losses.losses import LOSSES, NAMES, Loss, get_loss

STEP = 1e-4
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def pairs(cases=CASES, largest=4):
    return [
        pytest.param(case, form, id=f"{case}, {form}")
        for case in cases
        for form in forms_of(case)
        if form.n_classes <= largest
    ]


every_form = pytest.mark.parametrize(("case", "form"), pairs())
every_trainable_form = pytest.mark.parametrize(("case", "form"), pairs(TRAINABLE))


def data(case: Case, form: Form):
    """Targets and predictions."""
    return form.targets(), form.link(case).forward(form.scores())


def direction_like(array):
    return np.random.RandomState(2).normal(size=array.shape)


def row_dot(a, b):
    product = a * b
    return product if product.ndim == 1 else product.sum(axis=1)


def product_in_prediction(loss, y, prediction, direction):
    product = loss.curvature_product
    return loss.curvature(y, prediction) * direction if product is None else product(y, prediction, direction)


def product_of(on_scores, y, scores, direction):
    return on_scores.curvature(y, scores).apply(direction)


def along(function, point, direction):
    """The derivative of a function along a direction, by central differences with two steps."""

    def central(step):
        return (function(point + step * direction) - function(point - step * direction)) / (2 * step)

    return (4.0 * central(STEP) - central(2.0 * STEP)) / 3.0


# -- the list is complete


def test_every_loss_is_covered():
    assert uncovered(LOSSES, CASES + COSINES, README) == []
    exported = {value for value in vars(losses).values() if isinstance(value, type) and issubclass(value, Loss)}
    assert exported - {Loss, losses.CosineLoss} == set(LOSSES)
    assert set(losses.__all__) >= {loss.__name__ for loss in LOSSES}
    assert len({str(case) for case in CASES}) == len(CASES)


class Planted(losses.Focal):
    """A loss with a parameter that somebody forgot to tell the tests of."""

    def __init__(self, gamma=3.0):
        self.gamma = gamma


LINE = Case(Planted(), {}, out_of_range={"gamma": (-1.0,)})
ROW = '| `Planted(gamma=3.0)` | `"planted"` | probabilities | tests |'


@pytest.mark.parametrize(
    ("lines", "row", "missing"),
    [
        ([LINE], ROW, []),
        ([], ROW, [r"no line in tests/cases.py for Planted\(\)"]),
        ([Case(Planted(gamma=1.0), {})], ROW, ["no line in tests/cases.py"]),
        ([Case(Planted(), {})], ROW, ["no out_of_range for gamma"]),
        ([LINE], "", [r"no row of README's table is about `Planted\(gamma=3.0\)`"]),
        ([LINE], ROW.replace("planted", "plant"), ["README's table does not have the name planted"]),
        ([LINE, Case(losses.Poisson(), {})], ROW, ["Poisson: not registered"]),
    ],
)
def test_a_loss_that_is_not_listed_is_found(lines, row, missing):
    found = uncovered({Planted: ("planted",)}, lines, row)
    assert len(found) == len(missing)
    for text, pattern in zip(found, missing, strict=True):
        assert re.search(pattern, text)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case_tells_every_domain(case):
    assert set(case.domains) == set(case.loss.domains) - {"labels"}


@every_form
def test_declarations(case, form):
    on_scores = form.on_scores(case)
    assert on_scores.convex == (form.domain in case.convex)
    assert on_scores.smooth == case.loss.smooth == (not case.kinked)
    assert (on_scores.pieces is None) == (not (case.kinked and on_scores.convex))
    assert case.loss.lower_bound == 0.0
    assert case.loss.separable == (not isinstance(case.loss, losses.RootMeanSquaredError))
    assert case.loss.has_probabilities == ("probabilities" in case.domains or case.loss.log_odds)


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert type(get_loss(name)) is NAMES[name]
    assert get_loss(name).get_params() == NAMES[name]().get_params()


def test_get_loss_says_what_is_wrong():
    loss = losses.Huber(delta=2.0)
    assert get_loss(loss) is loss
    with pytest.raises(ValueError, match=r"Unknown loss 'hubber'\. Did you mean 'huber'\?"):
        get_loss("hubber")
    with pytest.raises(TypeError, match=r"must be an instance: Huber\(\), not the class Huber"):
        get_loss(losses.Huber)
    with pytest.raises(TypeError, match=r"an instance of sklearn_losses\.Loss; got 3"):
        get_loss(3)


def test_a_loss_without_methods_says_which():
    for method in ("value", "gradient"):
        with pytest.raises(NotImplementedError, match=rf"Loss has to define {method}\(y, prediction\)"):
            getattr(Loss(), method)(np.zeros(2), np.zeros(2))


OUT_OF_RANGE = [
    (type(case.loss)(**{parameter: value}), parameter)
    for case in CASES
    for parameter, values in case.out_of_range.items()
    for value in values
]


@pytest.mark.parametrize(("loss", "parameter"), OUT_OF_RANGE, ids=repr)
def test_parameters_out_of_range(loss, parameter):
    for check in (loss.check_parameters, lambda: get_loss(loss)):
        with pytest.raises(
            ValueError, match=rf"^{parameter} must be .*; got {re.escape(repr(getattr(loss, parameter)))}"
        ):
            check()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_in_range_is_taken(case):
    assert get_loss(case.loss) is case.loss


@pytest.mark.parametrize(("case", "target"), [pytest.param(c, y, id=f"{c}, {y}") for c in CASES for y in c.refuses])
def test_targets_out_of_range(case, target):
    y = np.array([1.0, 2.0, target, target])
    case.loss.check_target(y[:2])
    for check in (lambda: case.loss.check_target(y), lambda: case.loss(y, np.ones(4))):
        with pytest.raises(ValueError, match=rf"{type(case.loss).__name__}.* y\[2\] is {target:g}"):
            check()


# -- (a) derivatives along random directions


@every_form
def test_gradient_is_the_change_of_the_value(case, form):
    y, prediction = data(case, form)
    direction = direction_like(prediction)
    expected = along(lambda p: case.loss.value(y, p), prediction, direction)
    found = row_dot(case.loss.gradient(y, prediction), direction)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


@every_trainable_form
def test_curvature_is_the_change_of_the_gradient(case, form):
    y, prediction = data(case, form)
    direction = direction_like(prediction)

    def gradient(p):
        return case.loss.gradient(y, p)

    found = product_in_prediction(case.loss, y, prediction, direction)
    np.testing.assert_allclose(found, along(gradient, prediction, direction), rtol=1e-7, atol=1e-7)
    for column in np.eye(prediction.shape[1]) if form.joint else [np.array(1.0)]:
        axis = np.broadcast_to(column, prediction.shape)
        expected = row_dot(along(gradient, prediction, axis), axis)
        found = row_dot(case.loss.curvature(y, prediction), axis)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@every_trainable_form
def test_gradient_in_the_scores(case, form):
    on_scores, y, scores = form.on_scores(case), form.targets(), form.scores()
    direction = direction_like(scores)
    expected = along(lambda z: on_scores.value_and_gradient(y, z)[0], scores, direction)
    found = row_dot(on_scores.value_and_gradient(y, scores)[1], direction)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


@every_trainable_form
def test_curvature_in_the_scores(case, form):
    on_scores, y, scores = form.on_scores(case), form.targets(), form.scores()
    direction = direction_like(scores)
    assert on_scores.has_curvature
    expected = along(lambda z: on_scores.value_and_gradient(y, z)[1], scores, direction)
    found = product_of(on_scores, y, scores, direction)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@every_trainable_form
def test_blocks_are_the_curvature(case, form):
    on_scores, y, scores = form.on_scores(case), form.targets(), form.scores()
    blocks, direction = on_scores.curvature(y, scores).blocks(), direction_like(scores)
    if form.joint:
        np.testing.assert_allclose(blocks, blocks.transpose(0, 2, 1), atol=1e-14)
    product = np.einsum("nij,nj->ni", blocks, direction) if form.joint else blocks * direction
    np.testing.assert_allclose(product, product_of(on_scores, y, scores, direction), atol=1e-13)


# -- (b) extremes, and (c) the textbook's formula, through the activation at high precision

SCORES = np.array([1e308, -1e308, 745.0, -745.0, 37.0, -37.0, 0.0, 5e-324, -1e-310, 1e-8, -1e-8, 0.7, -1.3])
JOINT_SCORES = np.array(
    [
        [1e308, -1e308, 0.0],
        [1e308, 1e308, -1e308],
        [1e308, 745.0, 37.0],
        [745.0, 0.0, -745.0],
        [745.0, 745.0, 0.0],
        [37.0, 0.0, -37.0],
        [0.0, 0.0, 0.0],
        [5e-324, 0.0, -5e-324],
        [1e-310, -1e-8, -1e308],
        [1e-8, 0.0, -1e-8],
        [-37.0, -745.0, 1e-8],
        [0.3, -0.8, 1.7],
    ]
)


def extreme_targets(case: Case, form: Form) -> list:
    if form.domain == "values":
        candidates = [1.5, 0.0] if case.loss.link == "log" else [1.5, -3.0, 0.0]
        return [y for y in candidates if accepts(case.loss, y)]
    if form.joint:
        return [np.array([0.2, 0.5, 0.3])] if form.soft else list(np.eye(3))
    return [0.3] if form.soft else [0.0, 1.0]


def accepts(loss: Loss, y: float) -> bool:
    try:
        loss.check_target(np.array([y]))
    except ValueError:
        return False
    return True


def tolerances(case: Case, form: Form) -> dict[str, tuple[float, float]]:
    """Relative and absolute errors allowed to value, gradient and second derivative.

    Most are right to the last digits, however small. Right to the rounding of one are only: functions of how far a
    probability is from its target, divergences and deviances close to zero, and derivatives through a softmax.
    """
    rounding, smallest = 1e-15, 1e-322
    difference = form.domain == "probabilities" and "values" in case.domains
    divergence = (isinstance(case.loss, losses.KLDivergence) and form.soft) or case.loss.link == "log"
    softmax = (form.domain == "probabilities" or case.loss.log_odds) and form.joint
    return {
        "value": (5e-15, rounding if difference or divergence else smallest),
        "gradient": (5e-14, rounding if difference or softmax else smallest),
        "bend": (5e-14, smallest if form.domain == "scores" and not softmax else rounding),
    }


def assert_close(found, exact, relative, absolute, where):
    """Close; beyond a quarter of the largest number, beyond it too."""
    beyond = np.abs(exact) > LARGEST / 4
    assert not np.isnan(found).any(), where
    assert (np.abs(found[beyond]) >= LARGEST / 4).all() and (np.sign(found) == np.sign(exact))[beyond].all(), where
    error = np.abs(found[~beyond] - exact[~beyond])
    assert (error <= relative * np.abs(exact[~beyond]) + absolute).all(), (where, found, exact)


@pytest.mark.parametrize(("case", "form"), pairs(TRAINABLE, largest=3))
def test_extremes_at_high_precision(case, form):
    on_scores, tolerance = form.on_scores(case), tolerances(case, form)
    random = np.random.RandomState(0)
    for number, y in enumerate(extreme_targets(case, form)):
        rows = JOINT_SCORES if form.joint else SCORES
        if form.joint and not form.soft:  # two of the three classes for each: another is left out for the next
            rows = rows[np.arange(len(rows)) % 3 != number]
        for scores in rows:
            direction = np.round(random.normal(size=3), 2) if form.joint else np.array(1.0)
            exact = exact_derivatives(case, form, y, scores, direction)
            values, gradients = on_scores.value_and_gradient(np.array([y]), scores[None])
            product = product_of(on_scores, np.array([y]), scores[None], direction[None])[0]
            where = f"y {y}, scores {scores}"
            # differences of scores beyond the largest number count as the largest number
            saturated = float(scores.max() / 2 - scores.min() / 2) > LARGEST / 2
            relative, absolute = (0.2, 0.0) if saturated else tolerance["value"]
            assert_close(values, exact["value"][None], relative, absolute, where)
            if np.isinf(values[0]):
                continue  # solvers step back from there without a look at the derivatives
            gradient = np.atleast_1d(gradients[0])
            kink = np.abs(exact["left"] - exact["right"]).max() > 1e-20 and not case.loss.smooth
            if kink:
                ends = np.sort([exact["left"], exact["right"]], axis=0)
                assert (ends[0] - 1e-15 <= gradient).all() and (gradient <= ends[1] + 1e-15).all(), where
            else:
                assert_close(gradient, exact["gradient"], *tolerance["gradient"], where)
                assert_close(np.sum(product * direction)[None], exact["bend"][None], *tolerance["bend"], where)


@pytest.mark.parametrize("loss", [losses.CrossEntropy(), losses.KLDivergence()], ids=repr)
@pytest.mark.parametrize("form", [Form("probabilities", 2)], ids=str)
def test_binary_cross_entropy_is_right_to_the_last_digit(loss, form):
    case = next(case for case in CASES if str(case) == repr(loss))
    for y in (0.0, 1.0):
        exact = [exact_derivatives(case, form, y, score, np.array(1.0)) for score in SCORES]
        targets = np.full(len(SCORES), y)
        on_scores = form.on_scores(case)
        values, gradient = on_scores.value_and_gradient(targets, SCORES)
        bend = on_scores.curvature(targets, SCORES).blocks()
        np.testing.assert_allclose(values, [e["value"] for e in exact], rtol=4e-16, atol=0)
        np.testing.assert_allclose(gradient, [e["gradient"][0] for e in exact], rtol=4e-16, atol=0)
        np.testing.assert_allclose(bend, [e["bend"] for e in exact], rtol=4e-16, atol=0)


# -- (c) the textbook's formula on predictions


@every_form
def test_value_is_the_formula(case, form):
    y, prediction = data(case, form)
    found = case.loss.value(y, prediction)
    np.testing.assert_allclose(found, naive_values(case, form, y, prediction), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(("case", "form"), [p for p in pairs() if p.values[1].domain == "probabilities"])
def test_value_at_certain_predictions(case, form):
    """Probabilities of exactly zero and one, where the value is finite: nowhere nan."""
    y = form.targets()
    certain = np.round(y) if not form.joint else np.eye(form.n_classes)[y.argmax(axis=1)]
    for prediction in (certain, 1.0 - certain if not form.joint else np.roll(certain, 1, axis=1)):
        values, gradient = case.loss.value(y, prediction), case.loss.gradient(y, prediction)
        assert not np.isnan(values).any() and not np.isnan(gradient).any()
        finite = np.isfinite(values)
        expected = naive_values(case, form, y[finite], prediction[finite])
        np.testing.assert_allclose(values[finite], expected, rtol=1e-13, atol=1e-15)


def naive_values(case, form, y, prediction):
    """The formula with floats, row by row."""
    formula = case.formulas[form.domain]
    if form.joint or form is VALUES:
        rows = zip(y.tolist(), prediction.tolist(), strict=True)
    elif form.domain == "scores":
        rows = (([1 - t, t], [0.0, s]) for t, s in zip(y.tolist(), prediction.tolist(), strict=True))
    else:
        rows = (([1 - t, t], [1 - p, p]) for t, p in zip(y.tolist(), prediction.tolist(), strict=True))
    return np.array([float(formula(target, row)) for target, row in rows])


# -- (d) purity


def evaluations(case: Case, form: Form, y, prediction, scores) -> dict[str, np.ndarray]:
    """What all the methods of a loss and of its on_scores return."""
    loss, direction = case.loss, direction_like(scores)
    results = {"value": loss.value(y, prediction), "gradient": loss.gradient(y, prediction)}
    if loss.trainable:
        on_scores = form.on_scores(case)
        results |= {
            "curvature": loss.curvature(y, prediction),
            "curvature_product": product_in_prediction(loss, y, prediction, direction),
            "in scores": on_scores.value_and_gradient(y, scores)[0],
            "gradient in scores": on_scores.value_and_gradient(y, scores)[1],
            "product in scores": product_of(on_scores, y, scores, direction),
            "blocks": on_scores.curvature(y, scores).blocks(),
        }
    if loss.trainable and on_scores.pieces and not form.joint:
        results["kinks"], results["slopes"] = on_scores.pieces(y)
    if loss.joint_pieces and form.joint and not form.soft:
        joint = loss.joint_pieces(y.argmax(axis=1))
        results |= {"joint value": joint.value(scores), "joint slope": joint.slope(scores)}
        results["joint dual"] = joint.dual(scores, 0.7)
    return results


@every_form
def test_methods_are_pure(case, form):
    y, prediction = data(case, form)
    inputs = (y, prediction.copy(), form.scores())
    before, copies = pickle.dumps(vars(case.loss)), [array.copy() for array in inputs]
    for array in inputs:
        array.flags.writeable = False
    first = evaluations(case, form, *inputs)
    again = evaluations(case, form, *inputs)
    for name, result in first.items():
        np.testing.assert_array_equal(again[name], result, err_msg=name)
    for array, copy in zip(inputs, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert pickle.dumps(vars(case.loss)) == before


@every_form
def test_shapes(case, form):
    y, prediction = data(case, form)
    found = evaluations(case, form, y, prediction, form.scores())
    assert found["value"].shape == (len(y),)
    for name in {"gradient", "curvature", "curvature_product", "gradient in scores"} & set(found):
        assert found[name].shape == prediction.shape, name


@every_form
def test_storage_of_the_inputs_does_not_matter(case, form):
    y, prediction = data(case, form)
    plain = evaluations(case, form, y, prediction, form.scores())
    strange = (np.repeat(np.asfortranarray(a), 2, axis=0)[::2] for a in (y, prediction, form.scores()))
    for name, result in evaluations(case, form, *strange).items():
        np.testing.assert_allclose(result, plain[name], rtol=1e-13, atol=1e-14, err_msg=name)


@every_form
def test_single_precision(case, form):
    y, prediction = data(case, form)
    inputs = [array.astype(np.float32) for array in (y, prediction, form.scores())]
    double = evaluations(case, form, *(array.astype(np.float64) for array in inputs))
    for name, result in evaluations(case, form, *inputs).items():
        assert result.dtype.kind == "f", name
        np.testing.assert_allclose(result, double[name], rtol=2e-4, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_clone_pickle_and_print(case):
    for copy in (clone(case.loss), pickle.loads(pickle.dumps(case.loss))):
        assert type(copy) is type(case.loss)
        assert copy.get_params() == case.loss.get_params() == vars(case.loss)
        assert repr(copy) == repr(case.loss)
    assert repr(eval(repr(case.loss), vars(losses))) == repr(case.loss)

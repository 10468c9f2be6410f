"""`check_loss`: everything the library relies on in a loss, examined."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import NoReturn

import numpy as np
from sklearn.base import clone

from .activations import Activation, Exponential, Identity, Sigmoid, Softmax
from .losses import Loss
from .losses._metric import one_hot
from .problem import compose

N_ROWS = 12
STEP = 1e-5
TOLERANCE = 1e-5
EXTREMES = np.array([1e308, -1e308, 745.0, -745.0, 37.0, -37.0, 5e-324, 0.0])
DOMAINS = ("probabilities", "scores", "values", "labels")


class LossCheckError(AssertionError, ValueError):
    """What `check_loss` raises: a sentence that says what is wrong and where."""


def check_loss(loss: Loss) -> None:
    """Examine a loss, built-in or your own, and raise at the first thing that is wrong with it.

    Shapes, purity (no input is changed, nothing is remembered), gradient and curvature against finite
    differences, declared convexity, extreme scores, weights, cloning and pickling.

    Parameters
    ----------
    loss : Loss
        An instance.

    Raises
    ------
    LossCheckError
        A ValueError (and an AssertionError) whose text says what is wrong, for which kind of problem.

    Examples
    --------
    >>> from sklearn_losses import Loss, check_loss
    >>> class Backwards(Loss):
    ...     domain = "values"
    ...
    ...     def value(self, y, prediction):
    ...         return (prediction - y) ** 2
    ...
    ...     def gradient(self, y, prediction):
    ...         return 2 * (y - prediction)
    >>> check_loss(Backwards())
    Traceback (most recent call last):
        ...
    sklearn_losses.checks.LossCheckError: Backwards(), regression: the gradient has the wrong sign.
    """
    _check_object(loss)
    with np.errstate(all="ignore"):
        for case in _cases(loss):
            _check_case(loss, case)


def _check_case(loss: Loss, case: Case) -> None:
    _check_shapes(loss, case)
    _check_purity(loss, case)
    _check_rows_are_separate(loss, case)
    _check_gradient(loss, case)
    if loss.curvature is not None:
        _check_curvature(loss, case)
    if loss.pieces is not None and case.prediction.ndim == 1 and loss.is_convex_on(case.domain):
        _check_pieces(loss, case)
    if loss.trainable:
        _check_extremes(loss, case)
        _check_convexity(loss, case)
    _check_weights(loss, case)
    try:
        pickle.loads(pickle.dumps(loss))
    except Exception as error:
        _fail(loss, None, f"it cannot be pickled, so it cannot be sent to other processes: {error}")


class Case:
    """One kind of problem that a loss is for, with targets and predictions in the middle of its range."""

    def __init__(self, name: str, domain: str, activation: Activation, y: np.ndarray, scores: np.ndarray):
        self.name, self.domain, self.activation = name, domain, activation
        self.y, self.scores = y, scores
        self.prediction = activation.forward(scores)


def _cases(loss: Loss) -> list[Case]:
    random = np.random.RandomState(0)
    scores = random.uniform(-2.0, 2.0, size=N_ROWS)
    joint = random.uniform(-2.0, 2.0, size=(N_ROWS, 3))
    hard, soft = (np.arange(N_ROWS) % 2).astype(float), random.uniform(0.1, 0.9, size=N_ROWS)
    hard_rows, soft_rows = one_hot(np.arange(N_ROWS) % 3, 3), random.dirichlet(np.ones(3), size=N_ROWS)
    cases = []
    if "probabilities" in loss.domains or "scores" in loss.domains:
        domain = "probabilities" if "probabilities" in loss.domains else "scores"
        one, many = (Sigmoid(), Softmax()) if domain == "probabilities" else (Identity(), Identity())
        cases += [
            Case("two classes", domain, one, hard, scores),
            Case("two classes with soft labels", domain, one, soft, scores),
            Case("three classes", domain, many, hard_rows, joint),
            Case("three classes with soft labels", domain, many, soft_rows, joint),
        ]
    if "values" in loss.domains:
        link = Exponential() if loss.link == "log" else Identity()
        cases.append(Case("regression", "values", link, random.uniform(0.5, 3.0, size=N_ROWS), scores))
    return cases if loss.trainable else cases[::2]


def _fail(loss: Loss, case: Case | None, text: str) -> NoReturn:
    raise LossCheckError(f"{loss}{f', {case.name}' if case else ''}: {text}")


def _check_object(loss: object) -> None:
    if not isinstance(loss, Loss):
        kind = f"the class {loss.__name__}; pass an instance" if isinstance(loss, type) else repr(loss)
        raise LossCheckError(
            f"A loss is an instance of a class derived from sklearn_losses.Loss; got {kind}."
        )
    if not loss.domains or not set(loss.domains) <= set(DOMAINS):
        _fail(loss, None, f"domain must be one or several of {DOMAINS[:3]}; it is {loss.domain!r}.")
    loss.check_parameters()
    try:
        copied = clone(loss)
    except (RuntimeError, TypeError) as error:
        _fail(loss, None, f"it cannot be cloned, so no search can use it: {error}")
    if repr(copied) != repr(loss):
        _fail(
            loss,
            None,
            f"its clone is {copied!r}: __init__ must keep every parameter under its own name, unchanged.",
        )


def _check_shapes(loss: Loss, case: Case) -> None:
    expected = {"value": (len(case.y),), "gradient": case.prediction.shape}
    if loss.curvature is not None:
        expected["curvature"] = case.prediction.shape
    for method, shape in expected.items():
        try:
            found = np.asarray(getattr(loss, method)(case.y.copy(), case.prediction.copy()))
        except Exception as error:
            text = f"{method} raises {type(error).__name__}: {error} (y has the shape {case.y.shape})"
            raise LossCheckError(f"{loss}, {case.name}: {text}") from error
        if found.shape != shape:
            _fail(
                loss,
                case,
                f"{method} has the wrong shape {found.shape}; for y {case.y.shape} it must be {shape}.",
            )
        if np.isnan(found).any():
            _fail(
                loss,
                case,
                f"the {method} is NaN at ordinary predictions, such as {case.prediction[0].tolist()}.",
            )


def _check_purity(loss: Loss, case: Case) -> None:
    before = pickle.dumps(vars(loss))
    methods = ["value", "gradient"] + ["curvature"] * (loss.curvature is not None)
    for method in methods:
        y, prediction = case.y.copy(), case.prediction.copy()
        first = np.array(getattr(loss, method)(y, prediction))
        for name, changed, original in (("y", y, case.y), ("prediction", prediction, case.prediction)):
            if not np.array_equal(changed, original):
                _fail(loss, case, f"{method} changes its input {name}; work on a copy.")
        getattr(loss, method)(case.y[:5].copy(), case.prediction[3:8].copy())
        if not np.array_equal(first, getattr(loss, method)(y, prediction)):
            _fail(
                loss, case, f"{method} gives another answer when called again: it keeps state between calls."
            )
    if pickle.dumps(vars(loss)) != before:
        _fail(loss, case, "a method stores something on the loss: it keeps state between calls.")


def _check_rows_are_separate(loss: Loss, case: Case) -> None:
    some = slice(2, 7)
    part = loss.value(case.y[some].copy(), case.prediction[some].copy())
    if not np.allclose(part, loss.value(case.y.copy(), case.prediction.copy())[some], rtol=1e-12, atol=1e-14):
        _fail(loss, case, "the value of a row depends on the other rows.")


def _check_gradient(loss: Loss, case: Case) -> None:
    _check_derivative(
        loss,
        case,
        "gradient",
        lambda prediction, _: loss.value(case.y, prediction),
        lambda direction: _row_sum(loss.gradient(case.y, case.prediction) * direction),
    )


def _check_curvature(loss: Loss, case: Case) -> None:
    curvature = loss.curvature
    assert curvature is not None
    # elementwise: the second derivative along one column at a time
    _check_derivative(
        loss,
        case,
        "curvature",
        lambda prediction, direction: _row_sum(loss.gradient(case.y, prediction) * direction),
        lambda direction: _row_sum(curvature(case.y, case.prediction) * direction),
    )
    if case.prediction.ndim == 2:
        direction = np.random.RandomState(1).normal(size=case.prediction.shape)
        change = _difference(case, direction, lambda prediction, _: loss.gradient(case.y, prediction))
        given = loss.curvature_product(case.y, case.prediction, direction)
        if not _close(given, change):
            _fail(
                loss,
                case,
                "the Hessian is not diagonal in the columns, so it needs curvature_product(y, prediction, direction).",
            )


def _check_derivative(loss: Loss, case: Case, name: str, function: Callable, given: Callable) -> None:
    for direction in _directions(case.prediction):
        expected, found = _difference(case, direction, function), given(direction)
        if _close(found, expected):
            continue
        if _close(-found, expected):
            _fail(loss, case, f"the {name} has the wrong sign.")
        ratio = np.median(found[expected != 0] / expected[expected != 0]) if (expected != 0).any() else np.nan
        if np.isfinite(ratio) and ratio != 0 and _close(found / ratio, expected):
            _fail(
                loss, case, f"the {name} has the wrong factor: it is {ratio:.6g} times the finite difference."
            )
        worst = int(np.argmax(np.abs(found - expected)))
        _fail(
            loss,
            case,
            f"the {name} disagrees with finite differences: row {worst} gives {found[worst]:.6g} for {expected[worst]:.6g}.",
        )


def _directions(prediction: np.ndarray) -> list[np.ndarray]:
    if prediction.ndim == 1:
        return [np.ones_like(prediction)]
    return [np.broadcast_to(row, prediction.shape) for row in np.eye(prediction.shape[1])]


def _difference(case: Case, direction: np.ndarray, function: Callable) -> np.ndarray:
    """Central difference along a direction, Richardson-extrapolated."""

    def central(step):
        ahead, behind = (function(case.prediction + s * direction, direction) for s in (step, -step))
        return (ahead - behind) / (2 * step)

    return (4.0 * central(STEP) - central(2.0 * STEP)) / 3.0


def _close(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.all(np.abs(found - expected) <= TOLERANCE * (1.0 + np.abs(expected))))


def _row_sum(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 1 else values.sum(axis=1)


def _check_pieces(loss: Loss, case: Case) -> None:
    assert loss.pieces is not None
    kinks, slopes = loss.pieces(case.y)
    n_rows = len(case.y)
    if np.shape(kinks)[0] != n_rows or np.shape(slopes) != (n_rows, np.shape(kinks)[1] + 1):
        _fail(
            loss,
            case,
            f"pieces must return kinks (n, m) and slopes (n, m + 1); got {np.shape(kinks)}, {np.shape(slopes)}.",
        )
    if (np.diff(kinks, axis=1) < 0).any() or (np.diff(slopes, axis=1) < 0).any():
        _fail(loss, case, "the kinks must increase and the slopes must not decrease.")
    for prediction in (case.prediction, case.prediction - 10.0, case.prediction + 10.0):
        piece = (kinks < prediction[:, None]).sum(axis=1)
        if not _close(slopes[np.arange(n_rows), piece], loss.gradient(case.y, prediction)):
            _fail(loss, case, "the slopes of pieces disagree with the gradient.")


def _check_extremes(loss: Loss, case: Case) -> None:
    composition = compose(loss, case.activation)
    scores = (
        EXTREMES if case.scores.ndim == 1 else np.stack([EXTREMES, -EXTREMES, np.roll(EXTREMES, 3)], axis=1)
    )
    y = np.resize(case.y, (len(scores), *case.y.shape[1:]))
    all_targets = [y, np.roll(y, 1, axis=0)]
    if case.domain == "values" and _takes(loss, np.zeros_like(y)):
        all_targets.append(np.zeros_like(y))
    for targets in all_targets:
        values, gradient = composition.value_and_gradient(targets, scores)
        # where the value is infinite, solvers step back and do not look at the gradient
        lost = np.isnan(gradient) if gradient.ndim == 1 else np.isnan(gradient).any(axis=1)
        for name, bad in (("value", np.isnan(values)), ("gradient", lost & np.isfinite(values))):
            if bad.any():
                row = int(np.argmax(bad))
                _fail(
                    loss,
                    case,
                    f"the {name} is NaN at the extreme score {scores[row].tolist()}, where the prediction is "
                    f"{case.activation.forward(scores[row : row + 1])[0].tolist()} and y is {targets[row].tolist()}. "
                    "Bound the arguments of logarithms, powers and quotients.",
                )


def _takes(loss: Loss, y: np.ndarray) -> bool:
    try:
        loss.check_target(y)
    except ValueError:
        return False
    return True


def _check_convexity(loss: Loss, case: Case) -> None:
    if not loss.is_convex_on(case.domain):
        return
    composition = compose(loss, case.activation)
    random = np.random.RandomState(2)
    for size in (0.1, 1.0, 10.0):
        a, b = (case.scores + size * random.normal(size=case.scores.shape) for _ in range(2))
        values = [composition.value_and_gradient(case.y, z)[0] for z in (a, b, 0.5 * (a + b))]
        if (
            values[2] > 0.5 * (values[0] + values[1]) + 1e-9 * (1.0 + np.abs(values[0]) + np.abs(values[1]))
        ).any():
            _fail(loss, case, "it declares itself convex, but it is not convex in the scores.")


def _check_weights(loss: Loss, case: Case) -> None:
    counts = np.arange(len(case.y)) % 3
    weighted = loss(case.y, case.prediction, sample_weight=counts)
    repeated = loss(np.repeat(case.y, counts, axis=0), np.repeat(case.prediction, counts, axis=0))
    if not np.isclose(weighted, repeated, rtol=1e-10):
        _fail(loss, case, "a row of weight two does not count as two rows in the metric.")

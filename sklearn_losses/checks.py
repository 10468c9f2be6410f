"""`check_loss`: everything the library relies on in a loss, examined."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from numbers import Real
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from .activations import Link
from .losses import Loss
from .losses.metric import one_hot

Array = NDArray[np.floating]

N_ROWS = 12
STEP = 1e-5
TOLERANCE = 1e-5
ROUNDING = 1e-12  # of a value, relative to numbers of its size
LINE = np.sort(np.concatenate([sign * np.geomspace(1e-2, 1e3, 60) for sign in (-1.0, 1.0)]))  # scores, for convexity
EXTREMES = np.array([1e308, -1e308, 745.0, -745.0, 37.0, -37.0, 5e-324, 0.0])
DOMAINS = ("probabilities", "scores", "values", "labels")


class LossCheckError(AssertionError, ValueError):
    """What `check_loss` raises: a sentence that says what is wrong and where."""


def check_loss(loss: Loss) -> None:
    """Examine a loss, built-in or your own, and raise at the first thing that is wrong with it.

    Shapes, purity (no input is changed, nothing is remembered), gradient and curvature against finite
    differences, the declared convexity and lower bound, extreme scores, weights, cloning and pickling.

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
    >>> class Bad(Loss):
    ...     domain = "values"
    ...
    ...     def value(self, y, prediction):
    ...         return (prediction - y) ** 2
    ...
    ...     def gradient(self, y, prediction):
    ...         return 2 * (y - prediction)
    >>> check_loss(Bad())
    Traceback (most recent call last):
        ...
    sklearn_losses.checks.LossCheckError: Bad(), regression: the gradient has the wrong sign.
    """
    _check_object(loss)
    with np.errstate(all="ignore"):
        for case in _cases(loss):
            _check_case(case)
    # last, because a class of an interactive session is often the only thing that cannot be pickled
    try:
        pickle.loads(pickle.dumps(loss))
    except Exception as error:
        raise LossCheckError(
            f"{loss}: it cannot be pickled, so it cannot be sent to other processes: {error}"
        ) from error


class Case:
    """One kind of problem that a loss is for, with targets and predictions in the middle of its range."""

    def __init__(self, loss: Loss, name: str, link: Link, y: Array, scores: Array):
        self.loss, self.name, self.link, self.y, self.scores = loss, name, link, y, scores
        self.on_scores = loss.on_scores(link)
        self.prediction = link.forward(scores)
        self.state = _state(loss)
        self.regression = name == "regression"

    def fail(self, text: str) -> NoReturn:
        raise LossCheckError(f"{self.loss}, {self.name}: {text}")


def _cases(loss: Loss) -> list[Case]:
    random = np.random.RandomState(0)
    scores = random.uniform(-2.0, 2.0, size=N_ROWS)
    joint = random.uniform(-2.0, 2.0, size=(N_ROWS, 3))
    hard, soft = (np.arange(N_ROWS) % 2).astype(float), random.uniform(0.1, 0.9, size=N_ROWS)
    hard_rows, soft_rows = one_hot(np.arange(N_ROWS) % 3, 3), random.dirichlet(np.ones(3), size=N_ROWS)
    cases = []
    if {"probabilities", "scores"} & set(loss.domains):
        domain = "probabilities" if "probabilities" in loss.domains else "scores"
        one, many = loss.own_link(domain), loss.own_link(domain, 3)
        cases += [
            Case(loss, "two classes", one, hard, scores),
            Case(loss, "two classes with soft labels", one, soft, scores),
            Case(loss, "three classes", many, hard_rows, joint),
            Case(loss, "three classes with soft labels", many, soft_rows, joint),
        ]
    if "values" in loss.domains:
        cases.append(Case(loss, "regression", loss.own_link("values"), random.uniform(0.5, 3.0, size=N_ROWS), scores))
    return cases if loss.trainable else cases[::2]


def _check_object(loss: object) -> None:
    if not isinstance(loss, Loss):
        kind = f"the class {loss.__name__}; pass an instance" if isinstance(loss, type) else repr(loss)
        raise LossCheckError(f"A loss is an instance of a class derived from sklearn_losses.Loss; got {kind}.")
    if not loss.domains or not set(loss.domains) <= set(DOMAINS):
        raise LossCheckError(f"{loss}: domain must be one or several of {DOMAINS[:3]}; it is {loss.domain!r}.")
    loss.check_parameters()
    if not (loss.lower_bound is None or _is_finite(loss.lower_bound)):
        raise LossCheckError(f"{loss}: lower_bound must be None or a finite number; it is {loss.lower_bound!r}.")
    try:
        copied = clone(loss)
    except (AttributeError, RuntimeError, TypeError) as error:
        name = type(loss).__name__
        raise LossCheckError(f"{name}: it cannot be cloned, so no search can use it: {error}") from error
    if repr(copied) != repr(loss):
        raise LossCheckError(
            f"{loss}: its clone is {copied!r}; __init__ must keep every parameter unchanged under its name."
        )


def _is_finite(number: object) -> bool:
    return isinstance(number, Real) and bool(np.isfinite(float(number)))


def _check_case(case: Case) -> None:
    _check_shapes(case)
    _check_purity(case)
    _check_rows_are_separate(case)
    _check_lower_bound(case, case.loss.value(case.y, case.prediction), case.y, case.prediction)
    _check_gradient(case)
    _check_curvature(case)
    _check_pieces(case)
    if case.loss.trainable:
        _check_extremes(case)
        _check_convexity(case)
    _check_weights(case)


def _methods(case: Case) -> list[str]:
    return ["value", "gradient"] + ["curvature"] * (case.loss.curvature is not None)


def _check_shapes(case: Case) -> None:
    for method in _methods(case):
        shape = case.y.shape[:1] if method == "value" else case.prediction.shape
        try:
            found = np.asarray(getattr(case.loss, method)(case.y.copy(), case.prediction.copy()))
        except Exception as error:
            case.fail(f"{method} raises {type(error).__name__} for y of shape {case.y.shape}: {error}")
        if found.shape != shape:
            case.fail(f"{method} has the wrong shape {found.shape}; for y {case.y.shape} it must be {shape}.")
        if np.isnan(found).any():
            case.fail(f"the {method} is NaN at ordinary predictions, such as {case.prediction[0].tolist()}.")


def _check_purity(case: Case) -> None:
    for method in _methods(case):
        evaluate = getattr(case.loss, method)
        y, prediction = case.y.copy(), case.prediction.copy()
        first = np.array(evaluate(y, prediction))
        for name, changed, original in (("y", y, case.y), ("prediction", prediction, case.prediction)):
            if not np.array_equal(changed, original):
                case.fail(f"{method} changes its input {name}; work on a copy.")
        evaluate(case.y[:5].copy(), case.prediction[3:8].copy())
        if not np.array_equal(first, evaluate(y, prediction)):
            case.fail(f"{method} gives another answer when called again: it keeps state between calls.")
    if _state(case.loss) != case.state:
        case.fail("a method stores something on the loss: it keeps state between calls.")


def _state(loss: Loss) -> bytes:
    """Everything that is stored on a loss; its pickle sees more than what is printed, but not every loss has one."""
    try:
        return pickle.dumps(vars(loss))
    except Exception:
        return repr(vars(loss)).encode()


def _check_rows_are_separate(case: Case) -> None:
    some = slice(2, 7)
    part = case.loss.value(case.y[some].copy(), case.prediction[some].copy())
    whole = case.loss.value(case.y.copy(), case.prediction.copy())
    if not np.allclose(part, whole[some], rtol=1e-12, atol=1e-14):
        case.fail("the value of a row depends on the other rows.")


def _check_gradient(case: Case) -> None:
    gradient = case.loss.gradient(case.y, case.prediction)
    for direction in _directions(case.prediction):
        expected = _difference(case, direction, lambda prediction: case.loss.value(case.y, prediction))
        _check_derivative(case, "gradient", _row_sum(gradient * direction), expected)


def _check_curvature(case: Case) -> None:
    if case.loss.curvature is None:
        return
    curvature = case.loss.curvature(case.y, case.prediction)

    def change(direction):
        return _difference(case, direction, lambda prediction: case.loss.gradient(case.y, prediction))

    for direction in _directions(case.prediction):  # elementwise: along one column at a time
        _check_derivative(case, "curvature", _row_sum(curvature * direction), _row_sum(change(direction) * direction))
    direction = np.random.RandomState(1).normal(size=case.prediction.shape)
    product = case.loss.curvature_product
    found = curvature * direction if product is None else product(case.y, case.prediction, direction)
    if not _close(found, change(direction)):
        case.fail(
            "curvature_product disagrees with finite differences of the gradient; where the Hessian is not "
            "diagonal in the columns, curvature_product(y, prediction, direction) has to be given."
        )


def _check_derivative(case: Case, name: str, found: Array, expected: Array) -> None:
    if _close(found, expected):
        return
    if _close(-found, expected):
        case.fail(f"the {name} has the wrong sign.")
    known = expected != 0
    ratio = np.median(found[known] / expected[known]) if known.any() else np.nan
    if np.isfinite(ratio) and ratio != 0 and _close(found / ratio, expected):
        case.fail(f"the {name} has the wrong factor: it is {ratio:.6g} times the finite difference.")
    row = int(np.argmax(np.abs(found - expected)))
    numbers = f"{found[row]:.6g} instead of {expected[row]:.6g} in row {row}"
    case.fail(f"the {name} disagrees with finite differences: it is {numbers}.")


def _directions(prediction: Array) -> list[Array]:
    if prediction.ndim == 1:
        return [np.ones_like(prediction)]
    return [np.broadcast_to(row, prediction.shape) for row in np.eye(prediction.shape[1])]


def _difference(case: Case, direction: Array, function: Callable[[Array], Array]) -> Array:
    """Central difference along a direction, Richardson-extrapolated."""

    def central(step):
        ahead, behind = (function(case.prediction + s * direction) for s in (step, -step))
        return (ahead - behind) / (2 * step)

    return (4.0 * central(STEP) - central(2.0 * STEP)) / 3.0


def _close(found: Array, expected: Array) -> bool:
    return bool(np.all(np.abs(found - expected) <= TOLERANCE * (1.0 + np.abs(expected))))


def _row_sum(values: Array) -> Array:
    return values if values.ndim == 1 else values.sum(axis=1)


def _check_pieces(case: Case) -> None:
    if case.on_scores.pieces is None or case.y.ndim == 2:
        return
    kinks, slopes = map(np.asarray, case.on_scores.pieces(case.y))
    n_rows = len(case.y)
    if kinks.ndim != 2 or len(kinks) != n_rows or slopes.shape != (n_rows, kinks.shape[1] + 1):
        shapes = f"{kinks.shape} and {slopes.shape}"
        case.fail(f"pieces must return kinks (n, m) and slopes (n, m + 1) for y {case.y.shape}; got {shapes}.")
    if (np.diff(kinks, axis=1) < 0).any() or (np.diff(slopes, axis=1) < 0).any():
        case.fail("the kinks of pieces must increase and its slopes must not decrease.")
    for prediction in (case.prediction, case.prediction - 10.0, case.prediction + 10.0):
        piece = (kinks < prediction[:, None]).sum(axis=1)
        if not _close(slopes[np.arange(n_rows), piece], case.loss.gradient(case.y, prediction)):
            case.fail("the slopes of pieces disagree with the gradient.")


def _check_extremes(case: Case) -> None:
    joint = np.stack([EXTREMES, -EXTREMES, np.roll(EXTREMES, 3)], axis=1)
    scores = joint if case.y.ndim == 2 else EXTREMES
    prediction = case.link.forward(scores)
    y = np.resize(case.y, (len(scores), *case.y.shape[1:]))
    zeros = [np.zeros_like(y)] * (case.regression and _takes(case.loss, np.zeros_like(y)))
    for targets in (y, np.roll(y, 1, axis=0), *zeros):
        values, gradient = case.on_scores.value_and_gradient(targets, scores)
        # where the value is infinite, solvers step back and do not look at the gradient
        lost = np.isnan(_row_sum(gradient)) & np.isfinite(values)
        for name, bad in (("value", np.isnan(values)), ("gradient", lost)):
            if bad.any():
                row = int(np.argmax(bad))
                case.fail(
                    f"the {name} is NaN at the extreme score {scores[row].tolist()}, where the prediction is "
                    f"{prediction[row].tolist()}, for y {targets[row].tolist()}. Bound the arguments of "
                    "logarithms, powers and quotients."
                )

        _check_lower_bound(case, values, targets, prediction)


def _check_lower_bound(case: Case, values: Array, y: Array, prediction: Array) -> None:
    lowest = case.loss.lower_bound
    if lowest is None:
        return
    below = values < lowest - ROUNDING * (1.0 + abs(lowest))
    if below.any():
        row = int(np.argmax(below))
        case.fail(
            f"it declares lower_bound = {lowest:g}, but its value is {values[row]:.6g} for y {y[row].tolist()} and the "
            f"prediction {prediction[row].tolist()}."
        )


def _takes(loss: Loss, y: Array) -> bool:
    try:
        loss.check_target(y)
    except ValueError:
        return False
    return True


def _check_convexity(case: Case) -> None:
    """Along lines through the scores: every value at most that of the chord, every slope at least the one before."""
    if not case.on_scores.convex:
        return
    random = np.random.RandomState(2)
    for direction in (*_directions(case.scores), random.normal(size=case.scores.shape)):
        points = [case.scores + t * direction for t in LINE]
        values, gradients = zip(*(case.on_scores.value_and_gradient(case.y, z) for z in points), strict=True)
        value, slope = np.stack(values), np.stack([_row_sum(gradient * direction) for gradient in gradients])
        share = ((LINE[1:-1] - LINE[:-2]) / (LINE[2:] - LINE[:-2]))[:, None]
        chord = (1.0 - share) * value[:-2] + share * value[2:]
        with_rounding = 1e-9 * (1.0 + np.abs(value[:-2]) + np.abs(value[2:]))
        above = (value[1:-1] > chord + with_rounding) & np.isfinite(value[2:]) & np.isfinite(value[:-2])
        falling = slope[1:] < slope[:-1] - 1e-9 * (1.0 + np.abs(slope[1:]) + np.abs(slope[:-1]))
        falling &= np.isfinite(value[1:]) & np.isfinite(value[:-1])
        if above.any() or falling.any():
            step, row = np.argwhere(above if above.any() else falling)[0]
            where = f"between the scores {points[step][row].tolist()} and {points[step + 1][row].tolist()}"
            case.fail(f"it declares itself convex, but it is not convex in the scores, {where}.")


def _check_weights(case: Case) -> None:
    counts = np.arange(len(case.y)) % 3
    weighted = case.loss(case.y, case.prediction, sample_weight=counts)
    repeated = case.loss(np.repeat(case.y, counts, axis=0), np.repeat(case.prediction, counts, axis=0))
    if not np.isclose(weighted, repeated, rtol=1e-10):
        case.fail("a row of weight two does not count as two rows in the metric.")

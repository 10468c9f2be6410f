"""The kinds of problem that a loss meets, ordinary data for each, and its formula on scores at any precision."""

from dataclasses import dataclass
from functools import cache

import mpmath
import numpy as np
from cases import Case, exp

from sklearn_losses.activations import Link
from sklearn_losses.losses.on_scores import LossOnScores

N_ROWS = 24
LARGEST = float(np.finfo(float).max)


@dataclass(frozen=True)
class Form:
    """A domain, a number of classes (0 in regression), and whether the targets are soft labels."""

    domain: str
    n_classes: int
    soft: bool = False

    def __str__(self) -> str:
        kind = f"{self.n_classes} classes, {'soft' if self.soft else 'hard'}" if self.n_classes else "regression"
        return f"{self.domain}, {kind}"

    @property
    def joint(self) -> bool:
        return self.n_classes > 2

    def link(self, case: Case) -> Link:
        return case.loss.own_link(self.domain, self.n_classes if self.joint else 1)

    def on_scores(self, case: Case) -> LossOnScores:
        return case.loss.on_scores(self.link(case))

    def targets(self) -> np.ndarray:
        random = np.random.RandomState(0)
        if self.domain == "values":
            return random.uniform(0.5, 3.0, N_ROWS)
        if self.soft:
            rows = random.dirichlet(np.ones(self.n_classes), N_ROWS)
        else:
            rows = np.eye(self.n_classes)[np.arange(N_ROWS) % self.n_classes]
        return rows if self.joint else rows[:, 1].copy()

    def scores(self) -> np.ndarray:
        shape = (N_ROWS, self.n_classes) if self.joint else N_ROWS
        return np.random.RandomState(1).uniform(-2.0, 2.0, shape)

    def exact(self, case: Case, y, scores: tuple):
        """The formula of one row, a number of mpmath, at scores that are numbers of mpmath."""
        formula = case.formulas[self.domain]
        if self.domain == "values":
            prediction = mpmath.exp(scores[0]) if case.loss.link == "log" else scores[0]
            return formula(mpmath.mpf(float(y)), prediction)
        if not self.joint:
            scores = (mpmath.mpf(0), *scores)
        return formula(_columns(y), _softmax(scores) if self.domain == "probabilities" else list(scores))


BINARY = {domain: [Form(domain, 2), Form(domain, 2, soft=True)] for domain in ("probabilities", "scores")}
JOINT = {
    domain: [Form(domain, n_classes, soft) for n_classes in (3, 4) for soft in (False, True)]
    for domain in ("probabilities", "scores")
}
VALUES = Form("values", 0)


def forms_of(case: Case) -> list[Form]:
    """Every form that a loss has."""
    return [
        form for domain in case.domains for form in ([VALUES] if domain == "values" else BINARY[domain] + JOINT[domain])
    ]


def exact_derivatives(case: Case, form: Form, y, scores: np.ndarray, direction: np.ndarray) -> dict[str, np.ndarray]:
    """Value, both one-sided gradients and the second derivative along a direction of one row, rounded to floats.

    Differences over a step so small, at a precision so high, that they are derivatives.
    """
    row, direction = np.atleast_1d(scores), np.atleast_1d(direction)
    huge = np.abs(row).max() > 1e6
    # what stands before the point, the step twice, and down to the smallest float
    with mpmath.workdps((308 if huge else 4) + 80 + 325 + 25):
        step = mpmath.mpf(10) ** -40
        middle = tuple(mpmath.mpf(float(score)) for score in row)

        def along(vector, sign):
            moved = (score + sign * step * float(v) for score, v in zip(middle, vector, strict=True))
            return form.exact(case, y, tuple(moved))

        value = form.exact(case, y, middle)
        ahead = [along(axis, 1) for axis in np.eye(len(row))]
        behind = [along(axis, -1) for axis in np.eye(len(row))]
        bend = (along(direction, 1) - 2 * value + along(direction, -1)) / step**2
        return {
            "value": _floats([value])[0],
            "left": _floats([(value - f) / step for f in behind]),
            "right": _floats([(f - value) / step for f in ahead]),
            "gradient": _floats([(f - g) / (2 * step) for f, g in zip(ahead, behind, strict=True)]),
            "bend": _floats([bend])[0],
        }


def _floats(numbers) -> np.ndarray:
    return np.array([np.inf if n > LARGEST else -np.inf if n < -LARGEST else float(n) for n in numbers])


def _columns(y) -> list:
    row = [mpmath.mpf(float(t)) for t in np.atleast_1d(y)]
    return row if len(row) > 1 else [1 - row[0], row[0]]


@cache
def _softmax_at(scores: tuple, precision: int) -> list:
    powers = [exp(score) for score in scores]
    total = mpmath.fsum(powers)
    return [power / total for power in powers]


def _softmax(scores: tuple) -> list:
    return _softmax_at(scores, mpmath.mp.prec)

"""The line search on functions of one variable."""

import numpy as np
import pytest

from sklearn_losses.solvers.descent import Point
from sklearn_losses.solvers.line_search import line_search


class Line:
    """A function of one variable, seen as a line from zero; counts its evaluations."""

    def __init__(self, value, slope):
        self.value, self.slope, self.evaluations = value, slope, 0

    def evaluate(self, x):
        self.evaluations += 1
        with np.errstate(all="ignore"):
            value, slope = float(self.value(x[0])), float(self.slope(x[0]))
        return Point(x, value if np.isfinite(value) else np.inf, np.array([slope]))

    def search(self, **options):
        start = self.evaluate(np.zeros(1))
        self.evaluations = 0
        return start, *line_search(self.evaluate, start, np.ones(1), start.gradient[0], **options)


def test_good_first_step_costs_one_evaluation():
    line = Line(lambda t: (t - 1.1) ** 2, lambda t: 2 * (t - 1.1))
    _, point, step = line.search()
    assert step == 1.0 and line.evaluations == 1
    assert point.x == 1.0


@pytest.mark.parametrize("minimum", [1e-8, 1e-3, 0.3, 3.0, 1e3, 1e8])
@pytest.mark.parametrize("flatten", [0.9, 0.1])
def test_finds_a_minimum_of_any_scale(minimum, flatten):
    line = Line(lambda t: (t / minimum - 1) ** 2, lambda t: 2 * (t / minimum - 1) / minimum)
    start, point, step = line.search(flatten=flatten)
    assert 0 < step < 2 * minimum
    assert point.value < start.value
    assert abs(point.gradient[0]) <= flatten * abs(start.gradient[0]) * (1 + 1e-12)
    assert line.evaluations <= 12


def test_steps_back_from_an_overflow():
    line = Line(lambda t: np.exp(1000 * t) - 2000 * t, lambda t: 1000 * np.exp(1000 * t) - 2000)
    start, point, _ = line.search()
    assert point.value < start.value


def test_steps_back_from_the_edge_of_the_domain():
    line = Line(lambda t: -np.log(0.01 - t) - 200 * t, lambda t: 1 / (0.01 - t) - 200)
    start, point, step = line.search()
    assert point.value < start.value and 0 < step < 0.01


def test_sees_through_the_noise_of_rounding():
    """The decrease is 1e-20 of the value: the values say nothing, the slopes everything."""
    line = Line(lambda t: 1.0 + 2e-16 * np.sin(1e9 * t), lambda t: 1e-10 * (t - 1.2))
    _, point, step = line.search()
    assert step == 1.0 and line.evaluations == 1
    assert point is not None


def test_gives_up_where_the_slope_is_wrong():
    line = Line(lambda t: 1.0 + t, lambda t: -1.0)
    _, point, step = line.search()
    assert point is None and step == 0.0


@pytest.mark.parametrize("slope", [0.0, 1.0, np.nan, -np.inf])
def test_needs_a_descent_direction(slope):
    line = Line(lambda t: t, lambda t: slope)
    _, point, _ = line.search()
    assert point is None and line.evaluations == 0


def test_keeps_the_lowest_point_when_trials_run_out():
    line = Line(lambda t: -t, lambda t: -1.0)
    start, point, step = line.search(max_trials=5)
    assert line.evaluations == 5
    assert point.value < start.value and step > 1.0

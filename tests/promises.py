"""What every fit promises, as one small function each: None where it holds, a sentence where it does not.

A promise looks at one fit among others of the same objective. The lowest value that any of them, or an oracle that
shares no code, has found is the best known.
"""

from __future__ import annotations

import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from naive_minimum import by_linear_programme, is_piecewise, is_small, minimise
from naive_objective import Array, Float, NaiveObjective
from random_situations import MANY_ROWS, Situation
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

SLOW = 2.0  # seconds of the calling thread that a fit of a few hundred rows may take
SLOW_BY_NAME = 10.0  # of thousands of evaluations that a method of SciPy was asked for by name
SLOW_ENTRY = 5e-6  # and for every entry of X
ENDLESS = 30  # seconds after which a fit is stopped
ROUNDING = 1e-12  # of a value beside itself
NOISE = 64 * float(np.finfo(float).eps)  # of values beside those of a constant
NOTHING = float(np.finfo(float).tiny) * 1e16


class Endless(BaseException):
    """A fit took so long that it was stopped."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    def stop(signum, frame):
        raise Endless

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Fit:
    """A situation's model, or why there is none, and what was said meanwhile."""

    name: str
    situation: Situation
    model: object
    error: BaseException | None
    caught: list
    seconds: float
    start: tuple[Array, Array] | None  # of a warm start
    back: Callable  # coefficients of this fit to those of the main one

    @property
    def warned(self) -> list[str]:
        return [str(w.message) for w in self.caught if issubclass(w.category, ConvergenceWarning)]

    @property
    def runs_away(self) -> bool:
        """Whether it was said that no finite solution exists."""
        return any("separa" in text or "for ever" in text for text in self.warned)

    @cached_property
    def point(self) -> tuple[Array, Array]:
        """Coefficients (K, p) and intercepts (K,)."""
        return parameters(self.model)

    @cached_property
    def naive(self) -> NaiveObjective:
        return self.situation.naive()

    @cached_property
    def own_value(self) -> float:
        """F at the coefficients, by the formulas."""
        return float(self.naive.value(*self.point))

    @cached_property
    def rounding(self) -> float:
        return self.naive.rounding(*self.point, self.epsilon)

    @property
    def epsilon(self) -> float:
        return float(np.finfo(self.model.coef_.dtype).eps)

    @property
    def value(self) -> float:
        return float(self.model.objective_value_)

    @property
    def gap(self) -> float:
        return float(self.model.dual_gap_)


def parameters(model) -> tuple[Array, Array]:
    return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)


def fitted(situation: Situation, name: str = "the fit", back: Callable = lambda *point: point) -> Fit:
    """The fit of a situation."""
    model, error, start, begin = situation.make(), None, None, time.thread_time()
    arguments = situation.fit_arguments()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with time_limit(ENDLESS):
                if situation.before is not None:
                    X, y = situation.before
                    model.fit(situation.rows(X), y, **arguments)
                    start = parameters(model)
                    start = tuple(part.copy() for part in start)
                    caught.clear()
                rows = situation.rows()
                begin = time.thread_time()
                model.fit(rows, situation.y, **arguments)
        except (Exception, Endless) as raised:
            error = raised
        seconds = time.thread_time() - begin
    return Fit(name, situation, model, error, list(caught), seconds, start, back)


@dataclass
class Known:
    """What is known about the minimum that the fits look for."""

    naive: NaiveObjective
    best: float
    where: str
    point: tuple[Array, Array]
    null: float  # F of the best constant
    fits: list[Fit]
    _at_best: dict[float, float] = field(default_factory=dict)

    @property
    def convex(self) -> bool:
        return self.fits[0].situation.kind.convex

    @property
    def lower_bound(self) -> float | None:
        loss = self.fits[0].situation.loss
        return 0.0 if type(loss).__module__.startswith("sklearn_losses") else getattr(loss, "lower_bound", None)

    def allowed(self, fit: Fit) -> float:
        """tol, in the units of F."""
        size = abs(fit.value)
        if self.lower_bound is None:
            size = max(size, self.null - fit.value)
        return fit.situation.tol * size

    def slack(self, fit: Fit) -> float:
        """What rounding explains: that of the best known point, and no more than a little of a wild one's."""
        if fit.epsilon not in self._at_best:
            self._at_best[fit.epsilon] = self.naive.rounding(*self.point, fit.epsilon)
        own = min(fit.rounding, 1e3 * fit.epsilon * abs(self.null))
        return self._at_best[fit.epsilon] + own + self.noise + ROUNDING * abs(fit.value)

    @cached_property
    def noise(self) -> float:
        """What is nothing: beside the best constant, and squared beside no weights or weights that are rounding."""
        naive = self.naive
        nowhere = np.zeros((naive.n_outputs, naive.X.shape[1]), Float), np.zeros(naive.n_outputs, Float)
        sizes = [float(np.abs(values).max(initial=0.0)) for values in (naive.target, naive.X)]
        typical = sizes[0] / sizes[1] if sizes[1] else 0.0
        at_zero = float(naive.value(*nowhere)) + 0.5 * float(naive.alpha) * typical**2
        return NOISE * abs(self.null) + (NOISE**2 * at_zero if np.isfinite(at_zero) else 0.0) + NOTHING


def known(situation: Situation, fits: list[Fit]) -> Known:
    """The best of all fits, of constants, of where a warm start begins, and of an oracle."""
    naive = situation.naive()
    null_point = best_constant(naive, situation.kind.convex)
    points = [(fit.name, fit.back(*fit.point)) for fit in fits if fit.error is None]
    points += [("the best constant", null_point)]
    points += [("the start", fit.start) for fit in fits if fit.start is not None and fit.name == "the fit"]
    values = [(value, name, point) for name, point in points if np.isfinite(value := naive.value(*point))]
    values.sort(key=lambda entry: entry[0])
    if situation.kind.convex and is_small(naive):
        found = [("Newton in 80 bits", minimise(naive, values[0][2]))]
        if is_piecewise(naive) and naive.alpha == 0 and len(naive.X) <= 100 and (lp := by_linear_programme(naive)):
            found += [("HiGHS", lp)]
        values += [(value, name, point) for name, point in found if np.isfinite(value := naive.value(*point))]
    best = min(values, key=lambda entry: entry[0])
    return Known(naive, float(best[0]), best[1], best[2], float(naive.value(*null_point)), fits)


def best_constant(naive: NaiveObjective, convex: bool) -> tuple[Array, Array]:
    """No weights, and the intercepts that suit best; where that is hard to say, the log-odds of the class shares."""
    coef = np.zeros((naive.n_outputs, naive.X.shape[1]), Float)
    intercept = np.zeros(naive.n_outputs, Float)
    if not naive.fit_intercept:
        return coef, intercept
    bare = replace(naive, X=naive.X[:, :0])
    if naive.domain == "values":
        if getattr(naive.loss, "link", "identity") == "log":
            intercept[0] = np.log(max(naive.weights @ naive.target, Float(1e-300)))
        else:
            order = np.argsort(naive.target)
            middle = np.searchsorted(np.cumsum(naive.weights[order]), Float(0.5))
            intercept[0] = naive.target[order][min(middle, len(order) - 1)]
    else:
        shares = naive.weights @ naive.target
        if naive.n_outputs == 1:
            intercept[0] = np.log(shares / (1 - shares))
        else:
            intercept = np.log(shares) - np.log(shares).mean()
    if not np.isfinite(naive.of_rows(naive.scores(coef, intercept))).all():
        intercept[:] = 0
    _, best = minimise(bare, (coef[:, :0], intercept)) if convex and len(naive.X) < MANY_ROWS else (coef, intercept)
    return coef, best if naive.value(coef, best) < naive.value(coef, intercept) else intercept


# The promises ----------------------------------------------------------------------------------------------------


def it_ends(fit: Fit, known: Known | None) -> str | None:
    if isinstance(fit.error, Endless):
        return f"did not end within {ENDLESS} s"
    X, K = fit.situation.X, fit.situation.n_outputs
    chosen_by_us = fit.situation.solver in ("auto", "gradient-descent")
    allowed = (SLOW if chosen_by_us else SLOW_BY_NAME) + SLOW_ENTRY * X.size * K
    if fit.seconds > allowed:
        again = fitted(fit.situation).seconds  # others may have been busy
        return f"took {fit.seconds:.1f} s, and again {again:.1f} s" if again > allowed else None
    return None


def valid_data_give_a_model(fit: Fit, known: Known | None) -> str | None:
    if fit.error is None or isinstance(fit.error, Endless):
        return None
    return f"{type(fit.error).__name__}: {fit.error}"


def one_warning_at_the_callers_line(fit: Fit, known: Known | None) -> str | None:
    for w in fit.caught:
        if not issubclass(w.category, ConvergenceWarning):
            return f"{w.category.__name__} from {w.filename}: {w.message}"
        if w.filename != __file__:
            return f"the warning points at {w.filename}"
    return f"{len(fit.caught)} warnings" if len(fit.caught) > 1 else None


def attributes_are_finite(fit: Fit, known: Known) -> str | None:
    model, situation = fit.model, fit.situation
    K, p = situation.n_outputs, situation.X.shape[1]
    shapes = ((p,), ()) if situation.domain == "values" else ((K, p), (K,))
    if (np.shape(model.coef_), np.shape(model.intercept_)) != shapes:
        return f"shapes {np.shape(model.coef_)} and {np.shape(model.intercept_)}"
    for name in ("coef_", "intercept_", "objective_value_"):
        if not np.isfinite(getattr(model, name)).all():
            return f"{name} is {getattr(model, name)}"
    n_passes = model.result_.n_passes
    if not (np.isfinite(n_passes) and n_passes > 0):
        return f"n_passes is {n_passes}"
    if not model.n_iter_ >= 1:
        return f"n_iter_ is {model.n_iter_}"
    return None


def predictions_are_finite(fit: Fit, known: Known) -> str | None:
    model, X = fit.model, fit.situation.rows()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predicted = model.predict(X)
        if fit.situation.domain == "values":
            # the exponential of a score may be beyond the range of floats
            link = getattr(fit.situation.loss, "link", "identity")
            return None if np.isfinite(predicted).all() or link == "log" else "a prediction is not finite"
        if not np.isfinite(model.decision_function(X)).all():
            return "a score is not finite"
        if fit.situation.domain == "probabilities":
            p = model.predict_proba(X)
            if not (np.isfinite(p).all() and np.allclose(p.sum(axis=1), 1, atol=1e-5)):
                return "probabilities do not sum to one"
            if not np.array_equal(model.classes_[p.argmax(axis=1)], predicted):
                return "predict is not the most probable class"
    return None


def value_is_that_of_the_coefficients(fit: Fit, known: Known) -> str | None:
    allowed = fit.rounding + 1e-9 * abs(fit.value) + known.noise
    if fit.situation.domain == "probabilities":  # p - y of a probability near one has few digits
        linear = type(fit.situation.loss).__name__ in ("AbsoluteError", "GeneralizedCrossEntropy")
        soft = fit.situation.soft_labels is not None
        allowed += 16 * fit.epsilon * max(abs(fit.value) ** 0.5, known.null * soft, float(linear))
    if not abs(fit.value - fit.own_value) <= allowed:
        return f"objective_value_ {fit.value:.10g}, by the formula {fit.own_value:.10g} (rounding {fit.rounding:.2g})"
    situation, model = fit.situation, fit.model
    objective = model.objective(situation.rows(), situation.y, **situation.fit_arguments())
    there = objective.value(objective.pack(model.coef_, model.intercept_))
    if not abs(fit.value - there) <= allowed:
        return f"objective_value_ {fit.value:.10g}, objective().value {there:.10g} (rounding {fit.rounding:.2g})"
    return None


def value_is_not_below_the_lower_bound(fit: Fit, known: Known) -> str | None:
    if known.lower_bound is not None and fit.value < known.lower_bound:
        return f"objective_value_ is {fit.value}, the loss is never below {known.lower_bound}"
    return None


def gap_bounds_the_distance(fit: Fit, known: Known) -> str | None:
    if math.isnan(fit.gap):
        return None
    if math.isinf(fit.gap) or fit.gap < 0:
        return f"dual_gap_ is {fit.gap}"
    if fit.gap < fit.value - known.best - known.slack(fit):
        return f"dual_gap_ {fit.gap:.3g}, but {fit.value:.10g} is {fit.value - known.best:.3g} above {known.where}"
    return None


def no_gap_where_there_is_none(fit: Fit, known: Known) -> str | None:
    situation = fit.situation
    none = not known.convex or (situation.alpha == 0 and known.lower_bound is None)
    if none and not math.isnan(fit.gap):
        return f"dual_gap_ is {fit.gap} without a bound"
    extra = [name for name in ("gap",) if name in fit.model.result_]
    if none and (extra or "gap" in str(fit.model.result_.get("message", "")).lower()):
        return f"result_ speaks of a gap: {extra} {fit.model.result_.get('message')}"
    return None


def gap_is_at_most_the_value(fit: Fit, known: Known) -> str | None:
    if known.lower_bound is None or math.isnan(fit.gap):
        return None
    most = fit.value - known.lower_bound
    if fit.gap > most * (1 + 1e-9) + fit.rounding + known.noise:
        return f"dual_gap_ {fit.gap:.6g} is above F - lower_bound = {most:.6g}"
    return None


def no_worse_than_a_constant(fit: Fit, known: Known) -> str | None:
    comparable = known.convex or fit.situation.domain != "values"
    if comparable and fit.value > known.null + known.allowed(fit) + known.slack(fit):
        return f"F = {fit.value:.10g}, of the best constant {known.null:.10g}"
    return None


def no_worse_than_the_start(fit: Fit, known: Known) -> str | None:
    if fit.start is None:
        return None
    there = float(fit.naive.value(*fit.start))
    if fit.value > there + 1e-9 * abs(there) + known.slack(fit):
        return f"F = {fit.value:.10g}, of the model that it started from {there:.10g}"
    return None


def no_silence_far_from_the_optimum(fit: Fit, known: Known) -> str | None:
    above = fit.value - known.best
    if known.convex and not fit.warned and above > known.allowed(fit) * (1 + 1e-6) + known.slack(fit):
        relative = above / (known.allowed(fit) or 1)
        return (
            f"no warning, {fit.value:.10g} is {above:.3g} = {relative:.3g} tol above {known.best:.10g} of {known.where}"
        )
    return None


def no_warning_at_the_optimum(fit: Fit, known: Known) -> str | None:
    settings = fit.situation.settings
    if not fit.warned or not known.convex or fit.situation.solver != "auto" or settings.get("max_iter", 1000) < 1000:
        return None
    if fit.situation.loss.curvature is None and settings["alpha"] < 1e-8:
        return None  # so weak a penalty proves nothing without second derivatives, and the fit says so
    if fit.runs_away or fit.situation.tol < 1e-6 or (not fit.situation.kind.attained and settings["alpha"] == 0):
        return None
    above = fit.value - known.best
    if is_small(fit.naive) and above <= 1e-2 * known.allowed(fit) and known.slack(fit) < 1e-2 * known.allowed(fit):
        return f"{above:.3g} above the minimum {known.best:.6g}, tol allows {known.allowed(fit):.3g}: {fit.warned[0]}"
    return None


def separable_only_where_nothing_is_attained(fit: Fit, known: Known) -> str | None:
    situation = fit.situation
    soft = situation.soft_labels is not None and ((situation.soft_labels > 0) & (situation.soft_labels < 1)).all()
    if fit.runs_away and (situation.kind.attained or soft):
        return f"{situation.loss!r} attains its minimum: {fit.warned[0]}"
    return None


def success_is_what_is_said(fit: Fit, known: Known) -> str | None:
    result = fit.model.result_
    if "success" not in result:
        return "result_ has no success"
    if fit.runs_away:
        return None
    if bool(result.success) == bool(fit.warned):
        return f"success is {result.success}, warned is {fit.warned}"
    allowed = known.allowed(fit)
    if result.success and fit.gap > allowed * (1 + 1e-6) + known.slack(fit):
        return f"success, with dual_gap_ {fit.gap:.3g} where tol allows {allowed:.3g}"
    if not result.success and fit.gap <= allowed * (1 - 1e-6):
        return f"no success, with dual_gap_ {fit.gap:.3g} where tol allows {allowed:.3g}"
    return None


def one_thread_gives_the_same_bits(fit: Fit, known: Known) -> str | None:
    situation, model = fit.situation, fit.model
    if len(situation.X) < MANY_ROWS or situation.before is not None or fit.name != "the fit":
        return None
    with threadpool_limits(1, user_api="blas"):
        alone = fitted(situation)
    same = np.array_equal(alone.model.coef_, model.coef_) and np.array_equal(alone.model.intercept_, model.intercept_)
    return None if same else f"coefficients differ by {np.abs(alone.model.coef_ - model.coef_).max():.3g}"


def a_failed_refit_leaves_the_model(fit: Fit, known: Known) -> str | None:
    """Looks at the model last, because it refits it."""
    situation, model = fit.situation, fit.model
    before = dict(vars(model))
    X = situation.X.copy()
    X[0, 0] = np.nan
    for rows, solver in ((X, None), (situation.X, stop_after_a_few)):
        if solver is not None:
            model.solver = solver
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(rows, situation.y, **situation.fit_arguments())
        except (ValueError, Stopped):
            pass
        else:
            return "a fit that had to fail did not"
        finally:
            model.solver = before["solver"]
        after = vars(model)
        changed = [name for name in before.keys() | after.keys() if before.get(name) is not after.get(name)]
        if changed:
            return f"a failed refit changed {changed}"
    return None


class Stopped(Exception):
    """Raised by a minimiser in the middle of a fit."""


def stop_after_a_few(fun, x0, jac=None, **options):
    for step in range(3):
        fun(x0 + step * 1e-3)
    raise Stopped


OF_ANY_FIT = (it_ends, valid_data_give_a_model, one_warning_at_the_callers_line)
OF_A_MODEL = (
    attributes_are_finite,
    predictions_are_finite,
    value_is_that_of_the_coefficients,
    value_is_not_below_the_lower_bound,
    gap_bounds_the_distance,
    no_gap_where_there_is_none,
    gap_is_at_most_the_value,
    no_worse_than_a_constant,
    no_worse_than_the_start,
    no_silence_far_from_the_optimum,
    no_warning_at_the_optimum,
    separable_only_where_nothing_is_attained,
    success_is_what_is_said,
    one_thread_gives_the_same_bits,
    a_failed_refit_leaves_the_model,
)


# The same objective in other words -------------------------------------------------------------------------------


def relatives(situation: Situation, seed: int) -> list[tuple[str, Situation, Callable]]:
    """Situations with the same minimum: names, situations, and the way back to the coefficients of the first one."""
    random = np.random.default_rng([seed, 12])
    n, p = situation.X.shape
    settings = situation.settings
    n_parameters = situation.n_outputs * (p + 1)

    def same(coef, intercept):
        return coef, intercept

    def with_settings(**changes):
        return replace(situation, settings=settings | changes, before=None)

    found = [("a tighter tol", with_settings(tol=1e-3 * situation.tol, solver="auto", max_iter=1000), same)]
    if situation.before is not None:
        found.append(("a cold start", with_settings(warm_start=False), same))
    if n_parameters <= 100:
        found.append(("L-BFGS-B", with_settings(solver="L-BFGS-B", max_iter=1000), same))
    rows = random.permutation(n)
    permuted = replace(situation.take(rows), before=None)
    found.append(("rows in another order", permuted, same))
    columns = random.permutation(p)
    back = np.argsort(columns)
    found.append(
        (
            "columns in another order",
            replace(situation.with_columns(columns), before=None),
            lambda coef, intercept: (coef[:, back], intercept),
        )
    )
    other = "csr" if situation.storage in ("dense", "fortran") else "dense"
    found.append((f"stored as {other}", replace(situation, storage=other, before=None), same))
    if situation.X.dtype == np.float32:
        found.append(("in float64", replace(situation, X=situation.X.astype(float), before=None), same))
    weights = situation.sample_weight
    balanced = settings.get("class_weight") == "balanced"
    if weights is not None and (weights % 1 == 0).all() and weights.sum() <= 1200 and not balanced:
        repeated = situation.take(np.repeat(np.arange(n), weights.astype(int)))
        found.append(("rows repeated for their weights", replace(repeated, sample_weight=None, before=None), same))
    if situation.domain != "values":
        found.append(with_classes_turned(situation))
        if len(situation.classes) == 2:
            name = "LogisticRegressor" if situation.estimator == "SoftmaxClassifier" else "SoftmaxClassifier"
            found.append((f"by {name}", replace(situation, estimator=name, before=None), same))
    return found


def with_classes_turned(situation: Situation) -> tuple[str, Situation, Callable]:
    """Labels in the opposite order."""
    settings = dict(situation.settings)
    if isinstance(settings.get("class_weight"), dict):
        settings["class_weight"] = {-int(k): weight for k, weight in settings["class_weight"].items()}
    soft = situation.soft_labels
    turned = replace(
        situation, y=-situation.y, soft_labels=None if soft is None else soft[:, ::-1], settings=settings, before=None
    )
    if situation.n_outputs == 1:
        return "classes turned", turned, lambda coef, intercept: (-coef, -intercept)
    return "classes turned", turned, lambda coef, intercept: (coef[::-1], intercept[::-1])


@dataclass
class Broken:
    """A promise that a fit broke."""

    promise: str
    fit: Fit
    sentence: str
    known: Known | None


def broken_promises(situation: Situation, seed: int, n_relatives: int = 99) -> tuple[list[Broken], list[Fit]]:
    """The promises that the fit of a situation or of one of its relatives breaks, one of each kind; and the fits."""
    chosen = relatives(situation, seed)
    if len(chosen) > n_relatives:
        order = np.random.default_rng([seed, 13]).permutation(len(chosen))[:n_relatives]
        chosen = [chosen[i] for i in sorted(order)]
    fits = [fitted(situation)]
    fits += [fitted(relative, name, back) for name, relative, back in chosen]
    broken: dict[str, Broken] = {}

    def ask(promises, fit, known):
        for promise in promises:
            sentence = promise(fit, known)
            if sentence is not None:
                broken.setdefault(promise.__name__, Broken(promise.__name__, fit, sentence, known))

    for fit in fits:
        ask(OF_ANY_FIT, fit, None)
    models = [fit for fit in fits if fit.error is None]
    finite = [fit for fit in models if np.isfinite(fit.point[0]).all() and np.isfinite(fit.point[1]).all()]
    if finite:
        about = known(situation, finite)
        for fit in finite:
            ask(OF_A_MODEL, fit, about)
    for fit in models:
        if fit not in finite:
            ask((attributes_are_finite,), fit, None)
    return list(broken.values()), fits

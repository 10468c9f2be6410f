"""
Certificates and warnings: is this fit finished?
================================================

Most solvers stop when their steps become small, and call it convergence. That says
little about the distance from the optimum. Here, the fit of every convex loss ends with
a bound on it, ``dual_gap_``, and a fit that could not get there warns and says how far
it came. This page puts both to the test.
"""

# %%
# The bound, along the way
# ------------------------
#
# Stop the same fit after 1, 2, 3, ... iterations. The distance from the optimum, F
# minus its minimum, is known here because the fit can also be run to the end. The bound
# must never be below it.

import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from sklearn_losses import LogisticRegressor

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)


def stopped_fits(loss, solver, counts):
    """Passes over X, distance from the optimum and bound, for every limit."""
    exact = LogisticRegressor(loss, alpha=1e-3, tol=1e-12).fit(X, y)
    rows = []
    for max_iter in counts:
        model = LogisticRegressor(loss, alpha=1e-3, solver=solver, max_iter=max_iter)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        distance = model.objective_value_ - exact.objective_value_
        rows.append([model.result_.n_passes, distance, model.dual_gap_])
    return np.array(rows), exact.objective_value_


cases = {
    "cross-entropy, auto": ("cross_entropy", "auto", range(1, 12)),
    "cross-entropy, L-BFGS-B": ("cross_entropy", "L-BFGS-B", range(1, 120, 6)),
    "hinge, auto": ("hinge", "auto", range(1, 30, 2)),
}
figure, panels = plt.subplots(1, 3, figsize=(10, 3.7), sharey=True)
for axes, (name, case) in zip(panels, cases.items(), strict=True):
    results, optimum = stopped_fits(*case)
    passes, distance, bound = results.T
    axes.semilogy(passes, bound, "o-", color="C3", markersize=4, label="dual_gap_")
    floor = np.maximum(distance, 1e-16)
    axes.semilogy(passes, floor, "s-", color="C0", markersize=4, label="F - min F")
    axes.axhline(1e-6 * optimum, color="0.6", linestyle=":", label="tol |F|")
    axes.set(xlabel="passes over X", title=name, ylim=(1e-13, 10))
    rounding = 1e-14
    holds = np.all(distance <= bound + rounding)
    print(f"{name:<26}the bound holds at all {len(passes)} stops: {holds}")
panels[0].set(ylabel="distance from the optimum")
panels[2].legend()
plt.show()

# %%
# The red line is never below the blue one: the bound is a theorem about the weights at
# hand, and does not ask which solver found them. The fit ends where it falls below the
# dotted line, ``tol`` times F.
#
# ``ConvergenceDisplay`` does the same for any estimators and draws them in one picture,
# for instance to see what a solver costs.

from sklearn_losses import ConvergenceDisplay

solvers = {
    name: LogisticRegressor(alpha=1e-3, solver=name, max_iter=200)
    for name in ("auto", "L-BFGS-B", "Newton-CG", "gradient-descent")
}
ConvergenceDisplay.from_estimators(solvers, X, y)
plt.show()

# %%
# What ``tol`` buys
# -----------------
#
# Digits of F, for a solver that pays for each of them. (The default one ends such a
# small problem with a Newton step, and has them all at once.)

print(f"{'tol':>8}{'F':>18}{'bound':>12}{'iterations':>12}")
for tol in 1e-1, 1e-2, 1e-4, 1e-6, 1e-8:
    model = LogisticRegressor(alpha=1e-3, solver="L-BFGS-B", tol=tol).fit(X, y)
    print(
        f"{tol:>8.0e}{model.objective_value_:>18.10f}{model.dual_gap_:>12.0e}"
        f"{model.n_iter_:>12}"
    )

# %%
# Where there is none
# -------------------
#
# For a loss that is not convex in the scores nobody can say cheaply whether a better
# model exists. ``dual_gap_`` is nan then, not small.

for loss in "cross_entropy", "hinge", "squared_error", "focal":
    model = LogisticRegressor(loss, alpha=1e-3).fit(X, y)
    print(f"{loss:<16}dual_gap_ = {model.dual_gap_:.0e}")

# %%
# Warnings
# --------
#
# A fit that ends early keeps the best weights that it saw. A ``ConvergenceWarning``
# says what is missing, why, and what helps. Three ways to get one:

early = {
    "too few iterations": {"max_iter": 2},
    "separable classes, no penalty": {"alpha": 0},
    "a smooth solver for a kink": {"loss": "hinge", "solver": "L-BFGS-B"},
}
for reason, parameters in early.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LogisticRegressor(**parameters).fit(X, y)
    print(f"{reason}: dual_gap_ = {model.dual_gap_:.0e}")
    for warning in caught:
        print(textwrap.indent(textwrap.fill(str(warning.message), 80), "   "))

# %%
# **Is this fit finished?** If nothing warned, its F is within ``tol`` of the best there
# is, and ``dual_gap_`` proves it. If something did, the number in the warning says how
# far it is.

"""Dask arrays on a cluster of two processes, against dask-ml: ``python benchmarks/clusters.py --help``.

Logistic regression of rows that the workers hold, with a penalty, and without one for Newton's method of dask-ml, which
has none. Every solver of dask-ml is run from its loosest setting to its tightest until its objective is within the
wanted relative distance of the minimum, or a run takes longer than the limit. Our fit runs with its defaults; beside it
stands the same fit of the same rows in the memory of this process, so that one sees when a cluster pays.

It needs ``pip install dask-ml distributed`` beside this package. Run it on a quiet machine.
"""

import argparse
from time import perf_counter

import dask.array as da
import numpy as np
from benchmark_utils import data
from dask_ml.linear_model import LogisticRegression
from distributed import Client, LocalCluster, wait

from sklearn_losses import LogisticRegressor

WANTED = 1e-6  # relative suboptimality
CHUNKS = 8
C = 1.0
TOLERANCES = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8]  # of lbfgs and Newton
STEPS = [10, 30, 100, 300]  # of admm, whose tolerances stay tight
REPETITIONS = 3


def timed(function):
    """Seconds of a call, and what it returned."""
    start = perf_counter()
    found = function()
    return perf_counter() - start, found


def theirs(solver, setting):
    """An estimator of dask-ml; newton ignores its penalty."""
    options = {"penalty": "l2", "C": C, "fit_intercept": False, "solver": solver}
    if solver == "admm":
        return LogisticRegression(**options, max_iter=setting, tol=1e-8, solver_kwargs={"reltol": 1e-8})
    return LogisticRegression(**options, max_iter=500, tol=setting)


def measure(name, ours, rows, objective, limit):
    """Our fit, and dask-ml's solvers of the same objective; their ratio to it."""
    X, y = rows
    seconds, model = min((timed(lambda: ours.fit(X, y)) for _ in range(REPETITIONS)), key=lambda run: run[0])
    best = float(model.objective_value_ - np.nan_to_num(model.dual_gap_))
    print(f"  {name}: ours {seconds:.2f} s, {model.result_.n_passes:.1f} passes", flush=True)
    for solver in ["newton"] if ours.alpha == 0 else ["lbfgs", "admm"]:
        for setting in STEPS if solver == "admm" else TOLERANCES:
            try:
                taken, other = timed(lambda solver=solver, setting=setting: theirs(solver, setting).fit(X, y))
            except Exception as error:  # of any kind: what a peer does wrong belongs in the table
                print(f"    dask-ml {solver} ({setting:g}): {type(error).__name__}: {error}")
                break
            value = objective(np.ravel(other.coef_))
            distance = value / best - 1.0
            reached = distance <= WANTED
            note = f"{taken / seconds:.1f} times ours" if reached else "not reached"
            print(f"    dask-ml {solver} ({setting:g}): {taken:.2f} s, {distance:.1e} above, {note}", flush=True)
            if reached or taken > limit:
                break
    return seconds


def problem(client, n_rows, n_features, limit):
    """Both objectives on rows of one size."""
    X, y = data.classification(n_rows, n_features)
    print(f"{n_rows:,} x {n_features}", flush=True)
    chunk = -(-n_rows // CHUNKS)
    rows = client.persist([da.from_array(X, chunks=(chunk, n_features)), da.from_array(y, chunks=chunk)])
    wait(rows)
    for name, alpha in (("with a penalty", 1 / (C * n_rows)), ("without", 0.0)):
        ours = LogisticRegressor(alpha=alpha, fit_intercept=False)
        function = ours.objective(X, y)
        seconds = measure(name, ours, rows, lambda coef, function=function: function.value(coef), limit)
        alone = min(timed(lambda ours=ours: ours.fit(X, y))[0] for _ in range(REPETITIONS))
        print(f"    ours in memory, two threads: {alone:.2f} s, {alone / seconds:.2f} times the cluster's", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the numbers of rows")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which a peer is not run tighter")
    args = parser.parse_args()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        for n_rows in (500_000, 2_000_000):
            problem(client, int(args.scale * n_rows), 50, args.limit)


if __name__ == "__main__":
    main()

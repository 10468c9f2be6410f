"""The library against its peers, row by row of the two target tables: ``python benchmarks/ratios.py --help``.

Each row is one problem. Our default settings are timed, and every peer that minimises the same objective is run from
its loosest setting to its tightest until it is within the wanted relative distance of the optimum (1e-6); that setting
is then timed. A time is the best of three runs in this process, of more where they are short. The optimum is the best
value that anybody found, our own very tight run included. The ratio is the time of the fastest peer divided by ours.

To add a row, add a line to `ROWS`. Run it on a quiet machine, and not through benchopt: this is a plain script.
"""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from benchmark_utils import data
from benchmark_utils.ours import Ours
from benchmark_utils.problem import Problem, named_loss
from scipy import sparse
from threadpoolctl import threadpool_info

LIBRARIES = ("scikit_learn", "rehline", "skglm", "glum", "statsmodels")
WANTED = 1e-6  # relative suboptimality
TIGHT = 1e-11  # tolerance of the reference run
SHORT = 0.5  # seconds for which a fit that takes milliseconds is repeated


@dataclass(frozen=True)
class Row:
    """One line of a table: how to make the problem at a scale of its number of rows, and what is aimed at."""

    title: str
    target: float
    build: Callable[[float], Problem]
    max_passes: float = np.inf
    against: Callable[[float], Problem] | None = None  # the peers' problem, where they cannot have ours


@dataclass
class Run:
    """A solver with one setting: its time, and the value that it reached."""

    solver: object
    setting: object
    seconds: float
    value: float
    suboptimality: float = field(default=np.nan)

    def __str__(self):
        setting = f"{self.setting:.2g}" if isinstance(self.setting, float) else self.setting
        return f"{self.solver}, {self.solver.setting_name}={setting}"


def classes(n, p, loss="cross_entropy", C=1.0, fit_intercept=True, **shape):
    return lambda scale: Problem.with_C(*data.classification(int(scale * n), p, **shape), loss, C, fit_intercept)


def text(loss, C):
    return lambda scale: Problem.with_C(
        *data.text_like(int(scale * 20_000), int(scale * 50_000)), loss, C, fit_intercept=False
    )


def wide(n, p, correlation):
    return lambda scale: Problem.with_C(
        *data.classification(n, int(scale * p), correlation=correlation), "cross_entropy", 1.0
    )


def bundled(name, loss="cross_entropy", fit_intercept=True):
    return lambda scale: Problem.with_C(*data.bundled(name), loss, 1.0, fit_intercept)


def line(n, p, loss, C, fit_intercept=True):
    return lambda scale: Problem.with_C(*data.noisy_line(int(scale * n), p), loss, C, fit_intercept)


def poisson(n, p):
    return lambda scale: Problem(*data.counts(int(scale * n), p), named_loss("poisson"), alpha=1e-4)


def huber(n, p):
    return lambda scale: Problem(
        *data.noisy_line_of_unit_scale(int(scale * n), p), named_loss("huber_1.35"), alpha=1e-4
    )


crammer_singer = bundled("digits", "hinge_crammer_singer", fit_intercept=False)

ROWS = {
    # smooth losses
    "ce": Row("CE 200,000 x 100, mild correlation", 5, classes(200_000, 100), max_passes=8),
    "ce-correlated": Row(
        "CE 200,000 x 100, correlation 0.95", 12, classes(200_000, 100, correlation=0.95), max_passes=8
    ),
    "ce-scaled": Row("CE 200,000 x 100, columns 1e-2 to 1e2", 12, classes(200_000, 100, scales=2), max_passes=8),
    "softmax": Row("softmax CE 100,000 x 60 x 8 classes", 3, classes(100_000, 60, n_classes=8)),
    "softmax-correlated": Row(
        "softmax CE 100,000 x 60 x 8, corr. 0.95", 12, classes(100_000, 60, n_classes=8, correlation=0.95)
    ),
    "poisson": Row("Poisson 200,000 x 50", 5, poisson(200_000, 50)),
    "huber": Row("Huber 200,000 x 50", 5, huber(200_000, 50)),
    "digits": Row("digits, softmax CE, 10 classes", 3, bundled("digits")),
    "breast-cancer": Row("breast_cancer, CE", 1.5, bundled("breast_cancer")),
    "iris": Row("iris, softmax CE", 1.5, bundled("iris")),
    "text-1": Row("sparse 20,000 x 50,000 CE, C=1", 1.5, text("cross_entropy", 1.0)),
    "text-100": Row("sparse 20,000 x 50,000 CE, C=100", 1.5, text("cross_entropy", 100.0)),
    "wide": Row("wide 500 x 20,000 CE", 1, wide(500, 20_000, correlation=0.0)),
    "wide-correlated": Row("wide 1,000 x 5,000 CE, correlation 0.95", 1, wide(1_000, 5_000, correlation=0.95)),
    # losses with kinks
    "hinge": Row("hinge 50,000 x 50, C=1", 6, classes(50_000, 50, "hinge", fit_intercept=False)),
    "hinge-correlated": Row(
        "hinge 50,000 x 50, C=1, correlation 0.95",
        15,
        classes(50_000, 50, "hinge", fit_intercept=False, correlation=0.95),
    ),
    "hinge-large": Row("hinge 200,000 x 100, C=0.01", 4, classes(200_000, 100, "hinge", C=0.01, fit_intercept=False)),
    "hinge-text": Row("hinge sparse 20,000 x 50,000, C=1", 1, text("hinge", 1.0)),
    "crammer-singer": Row("Crammer-Singer, digits", 3, crammer_singer),
    "weston-watkins": Row(
        "Weston-Watkins, digits (peer: Crammer-Singer)",
        3,
        bundled("digits", "hinge", fit_intercept=False),
        against=crammer_singer,
    ),
    "median": Row("median 10,000 x 20, alpha=0", 100, line(10_000, 20, "absolute_error", np.inf)),
    "median-large": Row("median 20,000 x 50, alpha=0", 300, line(20_000, 50, "absolute_error", np.inf)),
    "quantile-ridge": Row(
        "quantile 0.9, 200,000 x 50, C=1", 3, line(200_000, 50, "quantile_0.9", 1.0, fit_intercept=False)
    ),
    "quantile": Row("quantile 0.9, 200,000 x 50, alpha=0", 3, line(200_000, 50, "quantile_0.9", np.inf)),
}


def installed_peers():
    """The peers of every library that can be imported, and the names of those that cannot."""
    peers, missing = [], []
    for library in LIBRARIES:
        try:
            peers += importlib.import_module(f"benchmark_utils.{library}").PEERS
        except ImportError:
            missing.append(library)
    return peers, missing


def best_time(function, limit):
    """The shortest of three runs; of more while they are short, of fewer when one takes longer than the limit."""
    times = []
    while len(times) < 3 or (sum(times) < SHORT and len(times) < 200):
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
        if times[-1] > limit:
            break
    return min(times)


def sweep(peer, problem, reference, limit):
    """Run a peer from loose to tight until it is close enough or takes too long; its last run."""
    run = None
    if peer.compiles:
        peer.run(problem, peer.settings[0])
    for setting in peer.settings:
        start = perf_counter()
        solution = peer.run(problem, setting)
        run = Run(peer, setting, perf_counter() - start, problem.value(*solution))
        if run.value <= reference + WANTED * abs(reference) or run.seconds > limit:
            break
    return run


def rate(runs, reference):
    """Write the suboptimality of every run, now that everybody has had a try."""
    optimum = min([reference] + [run.value for run in runs if np.isfinite(run.value)])
    for run in runs:
        run.suboptimality = (run.value - optimum) / abs(optimum)


def reference_value(problem):
    solution = Ours().run(problem, TIGHT)
    return problem.value(*solution)


def measure_ours(problem, limit):
    """The library's default settings: the run, and the passes that it took."""
    model = problem.model()
    seconds = best_time(lambda: model.fit(problem.X, problem.y), limit)
    return Run(Ours(), model.tol, seconds, problem.value(model.coef_, model.intercept_)), model.result_.n_passes


def measure_peers(problem, peers, limit):
    """The last run of every peer that minimises this objective, timed anew where it got close enough."""
    reference = reference_value(problem)
    runs = []
    for peer in peers:
        if peer.reason_to_skip(problem):
            continue
        try:
            run = sweep(peer, problem, reference, limit)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            print(f"    {peer}: {type(error).__name__}: {error}")
            continue
        if run.value <= reference + WANTED * abs(reference):
            run.seconds = best_time(lambda peer=peer, run=run: peer.run(problem, run.setting), limit)
        runs.append(run)
    return runs, reference


def reading_time(X):
    """Seconds for reading every entry of X once."""
    entries = X.data if sparse.issparse(X) else X
    return best_time(entries.sum, np.inf)


def show(run, note=""):
    reached = f"{run.suboptimality:9.1e}" if run.suboptimality > 0 else f"{'0':>9}"
    print(f"    {run!s:<58}{run.seconds:>10.4f} s {reached}  {note}", flush=True)


def measure(name, scale, peers, limit):
    """Measure a row and print it; the cells of its line in the summary."""
    row = ROWS[name]
    problem = row.build(scale)
    print(f"\n{name}: {row.title}, X {problem.X.shape}", flush=True)
    ours, n_passes = measure_ours(problem, limit)
    others = row.against(scale) if row.against else problem
    runs, reference = measure_peers(others, peers, limit)
    rate(runs if row.against else [ours, *runs], reference)
    if row.against:
        rate([ours], reference_value(problem))
    reads = ours.seconds / n_passes / reading_time(problem.X)
    show(ours, f"{n_passes:.1f} passes, {reads:.1f} readings of X each")
    for run in sorted(runs, key=lambda run: (not run.suboptimality <= WANTED, run.seconds)):
        show(run, "" if run.suboptimality <= WANTED else "not reached")
    close = [run for run in runs if run.suboptimality <= WANTED]
    best = min(close, key=lambda run: run.seconds, default=None)
    return name, ours, n_passes, best


def summary_line(name, ours, n_passes, best):
    row = ROWS[name]
    seconds = best.seconds if best else np.nan
    ratio = seconds / ours.seconds
    held = ours.suboptimality <= WANTED and n_passes <= row.max_passes and (best is None or ratio >= row.target)
    peer = str(best) if best else "no peer reached it"
    return (
        f"{row.title:<46}{ours.seconds:>9.4f} s{n_passes:>7.1f}{max(ours.suboptimality, 0):>9.0e}"
        f"{seconds:>10.4f} s{ratio:>8.1f}x{row.target:>7g}x  {'yes' if held else 'NO':<4}{peer}"
    )


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the size of the simulated data")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which a peer is not run tighter")
    parser.add_argument("--peers", nargs="+", default=[""], help="only peers whose name contains one of these")
    return parser.parse_args()


def main():
    args = arguments()
    peers, missing = installed_peers()
    peers = [peer for peer in peers if any(part.lower() in str(peer).lower() for part in args.peers)]
    if missing:
        print("not installed:", ", ".join(missing))
    threads = {info["user_api"]: info["num_threads"] for info in threadpool_info()}
    print(f"threads: {threads}; relative suboptimality wanted: {WANTED:g}; scale {args.scale:g}")
    rows = [measure(name, args.scale, peers, args.limit) for name in args.rows]
    if args.scale != 1:
        print("\nThe targets are those of the full size.")
    print(f"\n{'problem':<46}{'ours':>11}{'passes':>7}{'subopt':>9}{'best peer':>12}{'ratio':>9}{'target':>8}  held")
    for row in rows:
        print(summary_line(*row))


if __name__ == "__main__":
    main()

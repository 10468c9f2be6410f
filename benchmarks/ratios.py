"""The library against its peers, row by row of the target tables: ``python benchmarks/ratios.py --help``.

Each row is one problem. Our default settings are timed, and every peer that minimises the same objective is run from
its loosest setting to its tightest until it is within the wanted relative distance of the optimum (1e-6); that setting
is then timed. A time is the best of three runs in this process, of more where they are short. The optimum is the best
value that anybody found, our own very tight run included. The ratio is the time of the fastest peer divided by ours.
Rows that are no single fit (predictions, grids, paths) are races: both run by turns, and their results are shown.

To add a row, add a line to `ROWS` or `RACES` in `benchmark_utils/rows.py`. Run it on a quiet machine, and not through
benchopt: this is a plain script. With ``--write`` the table is a file of comma-separated values too.
"""

import argparse
import importlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
from benchmark_utils.ours import Ours
from benchmark_utils.rows import RACES, ROWS
from benchmark_utils.table import shown, write_table
from benchmark_utils.timing import SHORT, best_time
from scipy import sparse
from threadpoolctl import threadpool_info

HERE = Path(__file__).parent
LIBRARIES = ("scikit_learn", "rehline", "skglm", "glum", "statsmodels", "celer", "snapml")
WANTED = 1e-6  # relative suboptimality
TIGHT = 1e-11  # tolerance of the reference run


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


def installed_peers():
    """The peers of every library that can be imported, and the names of those that cannot."""
    peers, missing = [], []
    for library in LIBRARIES:
        try:
            peers += importlib.import_module(f"benchmark_utils.{library}").PEERS
        except ImportError:
            missing.append(library)
    return peers, missing


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
    seconds = best_time(lambda: model.fit(**problem.data), limit)
    return Run(Ours(), model.tol, seconds, problem.value(model.coef_, model.intercept_)), model.result_.n_passes


def measure_peers(problem, peers, limit):
    """The last run of every peer that minimises this objective, timed anew where it got close enough."""
    reference = reference_value(problem)
    runs = []
    for peer in peers:
        if peer.why_not(problem):
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


def first_fit(name, scale, peer):
    """Seconds of a fresh process that imports a library and fits: ours, or a peer with the setting that was best."""
    who = "Ours()" if peer is None else f"next(p for p in PEERS if p.name == {peer.solver.name!r})"
    module = "ours" if peer is None else type(peer.solver).__module__.rpartition(".")[2]
    setting = 1e-6 if peer is None else peer.setting
    program = (
        f"from benchmark_utils.rows import ROWS; problem = ROWS[{name!r}].build({scale})\n"
        "from time import perf_counter\n"
        f"start = perf_counter(); from benchmark_utils.{module} import *; {who}.run(problem, {setting!r})\n"
        "print(perf_counter() - start)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=HERE, check=True)
    return float(done.stdout)


def measure(name, scale, peers, limit):
    """Measure a row and print it; its line of the summary."""
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
    if row.first:
        print(f"    first fit in a process: ours {first_fit(name, scale, None):.2f} s", end="", flush=True)
        print("" if best is None else f", {best.solver} {first_fit(name, scale, best):.2f} s", flush=True)
    reached = ours.suboptimality <= WANTED and n_passes <= row.max_passes
    return Line(
        name,
        row.title,
        row.target,
        ours.seconds,
        best.seconds if best else np.nan,
        str(best) if best else "no peer reached it",
        reached,
        n_passes,
        max(ours.suboptimality, 0.0),
    )


def race(name, scale, limit):
    """Both runners of a race by turns, after one round that warms up."""
    row = RACES[name]
    ours, other, named = row.runners(scale)
    print(f"\n{name}: {row.title}", flush=True)
    results, times = [ours(), other()], ([], [])
    while len(times[0]) < 3 or (sum(times[0]) < SHORT and len(times[0]) < 50):
        for run, taken in zip((ours, other), times, strict=True):
            start = perf_counter()
            run()
            taken.append(perf_counter() - start)
        if times[0][-1] + times[1][-1] > limit:
            break
    seconds = [min(taken) for taken in times]
    print(f"    ours {seconds[0]:.4f} s ({results[0]}), {named} {seconds[1]:.4f} s ({results[1]})", flush=True)
    return Line(name, row.title, row.target, *seconds, named, True)


@dataclass(frozen=True)
class Line:
    """A line of the summary."""

    name: str
    title: str
    target: float
    ours: float
    other: float
    peer: str
    reached: bool
    passes: float = np.nan
    suboptimality: float = np.nan

    @property
    def ratio(self):
        return self.other / self.ours

    @property
    def held(self):
        return self.reached and (np.isnan(self.ratio) or self.ratio >= self.target)

    def __str__(self):
        return (
            f"{self.title:<54}{self.ours:>9.4f} s{self.passes:>7.1f}{self.suboptimality:>9.0e}{self.other:>10.4f} s"
            f"{self.ratio:>8.2f}x{self.target:>7.3g}x  {'yes' if self.held else 'NO':<4}{self.peer}"
        )


def summary(lines):
    """The table, the geometric mean of its ratios, and the worst."""
    header = f"{'problem':<54}{'ours':>11}{'passes':>7}{'subopt':>9}{'best peer':>12}{'ratio':>9}{'target':>8}  held"
    known = [line for line in lines if np.isfinite(line.ratio)]
    text = [header, *map(str, lines)]
    if known:
        mean, worst = np.exp(np.mean([np.log(line.ratio) for line in known])), min(known, key=lambda line: line.ratio)
        text.append(
            f"\ngeometric mean of {len(known)} ratios: {mean:.2f}; the worst: {worst.ratio:.2f}x, {worst.title}"
        )
    return "\n".join(text)


TITLES = ["problem", "ours, s", "suboptimality", "best peer, s", "ratio", "peer and setting"]


def texts(line):
    """A line of the table of comma-separated values."""
    beside = line.other if np.isfinite(line.ratio) else np.nan
    return [
        line.title,
        shown(line.ours, ".4f"),
        shown(line.suboptimality, ".0e"),
        shown(beside, ".4f"),
        shown(line.ratio, ".2f"),
        line.peer,
    ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*ROWS, *RACES]
    parser.add_argument("--rows", nargs="+", choices=names, default=names, metavar="ROW", help=", ".join(names))
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the size of the simulated data")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which a peer is not run tighter")
    parser.add_argument("--peers", nargs="+", default=[""], help="only peers whose name contains one of these")
    parser.add_argument("--write", metavar="FILE", help="where to write the table as comma-separated values")
    return parser.parse_args()


def main():
    args = arguments()
    peers, missing = installed_peers()
    peers = [peer for peer in peers if any(part.lower() in str(peer).lower() for part in args.peers)]
    if missing:
        print("not installed:", ", ".join(missing))
    threads = {info["user_api"]: info["num_threads"] for info in threadpool_info()}
    print(f"threads: {threads}; relative suboptimality wanted: {WANTED:g}; scale {args.scale:g}")
    lines = []
    for name in args.rows:
        line = race(name, args.scale, args.limit) if name in RACES else measure(name, args.scale, peers, args.limit)
        lines.append(line)
        if args.write:
            write_table(args.write, TITLES, map(texts, lines))
    if args.scale != 1:
        print("\nThe targets are those of the full size.")
    print(f"\n{summary(lines)}")


if __name__ == "__main__":
    main()

"""Benchopt's latest results as a table (``table.txt``) and a picture (``suboptimality.png``), beside its HTML page.

In the table a solver's time is that of its loosest setting from which on it stays within the wanted distance.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

OUTPUTS = Path(__file__).parent / "outputs"
OURS = "sklearn_losses[method=auto]"
WANTED = 1e-6
FLOOR = 1e-12  # suboptimalities below are rounding


def load(path):
    """Medians over the repetitions, with the relative suboptimality of every point."""
    columns = ["dataset_name", "objective_name", "solver_name", "stop_val"]
    results = pd.read_parquet(path).groupby(columns, as_index=False)[["time", "objective_value"]].median()
    best = results.groupby(["dataset_name", "objective_name"])["objective_value"].transform("min")
    results["suboptimality"] = (results["objective_value"] - best) / best.abs()
    return results


def time_to_reach(curve):
    """Seconds of the loosest setting that is close enough, infinite where none is."""
    close = curve[(curve["suboptimality"] <= WANTED) & (curve["stop_val"] > 0)]
    return close.sort_values("stop_val")["time"].iloc[0] if len(close) else np.inf


def short(name):
    """A solver's name without benchopt's brackets."""
    return name.replace("[method=", " ").rstrip("]")


def table(results):
    """Text: a block for every problem, the fastest solver first."""
    lines = [f"Seconds to a relative suboptimality of {WANTED:g}; multiples of the time of sklearn_losses.", ""]
    for (dataset, objective), problem in results.groupby(["dataset_name", "objective_name"]):
        times = {solver: time_to_reach(curve) for solver, curve in problem.groupby("solver_name")}
        lines += [f"{dataset}, {objective}"]
        for solver, seconds in sorted(times.items(), key=lambda item: item[1]):
            multiple = seconds / times.get(OURS, np.nan)
            reached = f"{seconds:10.4f} s {multiple:8.1f}x" if np.isfinite(seconds) else f"{'not reached':>12}"
            lines.append(f"    {short(solver):<48}{reached}")
        lines.append("")
    return "\n".join(lines)


def within(curve):
    """The accuracy to be had within a time, whatever the setting: noise cannot make it worse."""
    curve = curve[curve["stop_val"] > 0].sort_values("time")
    return curve["time"], curve["suboptimality"].clip(lower=FLOOR).cummin()


def draw(results):
    """Suboptimality against time, a panel for every problem and ours in black."""
    problems = list(results.groupby(["dataset_name", "objective_name"]))
    n_columns = min(3, len(problems))
    n_rows = -(-len(problems) // n_columns)
    size = (5.0 * n_columns, 3.2 * n_rows + 1.2)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False, layout="constrained")
    for axes in panels.flat[len(problems) :]:
        axes.set_visible(False)
    peers = [name for name in sorted(results["solver_name"].unique()) if name != OURS]
    styles = {name: {"color": plt.cm.tab20(i % 20), "linewidth": 1.5} for i, name in enumerate(peers)}
    styles[OURS] = {"color": "black", "linewidth": 2.5, "zorder": 3}
    handles = {}
    for axes, ((dataset, objective), problem) in zip(panels.flat, problems, strict=False):
        for solver, curve in problem.groupby("solver_name"):
            handles[short(solver)] = axes.loglog(*within(curve), marker="o", markersize=3, **styles[solver])[0]
        axes.axhline(WANTED, color="0.6", linewidth=0.8, linestyle=":")
        axes.set_title(f"{dataset}\n{objective}", fontsize=7, loc="left")
        axes.set(xlabel="seconds", ylabel="relative suboptimality")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_minor_formatter("")
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", nargs="?", type=Path, help="a parquet file; the latest by default")
    path = parser.parse_args().results
    path = path or max(OUTPUTS.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
    results = load(path)
    (OUTPUTS / "table.txt").write_text(table(results), encoding="utf-8")
    draw(results).savefig(OUTPUTS / "suboptimality.png", dpi=110)
    print(table(results))
    print(f"written: {OUTPUTS / 'table.txt'} and {OUTPUTS / 'suboptimality.png'}")


if __name__ == "__main__":
    main()

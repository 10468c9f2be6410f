"""A random tester: fits awkward situations and asks every promise of each, for as long as it is told to.

python tests/random_fits.py --seconds 600 --seed 1          from seed 1 on
python tests/random_fits.py --seconds 60 --only hinge       losses with "hinge" in their name
python tests/random_fits.py --show 17                       one seed, made smaller while it fails, as code
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from promises import Broken, broken_promises
from random_situations import OF_USERS, Situation, draw, of_the_user

FEW = 300  # numbers that are printed
SHRINKING = 20.0  # seconds


def kind_of(broken: Broken) -> str:
    """What failures are sorted by: the promise, the estimator and the loss, and what is unusual about the fit."""
    situation = broken.fit.situation
    words = [type(situation.loss).__name__, situation.domain]
    words += ["alpha=0"] if situation.alpha == 0 else []
    words += [situation.solver] if situation.solver != "auto" else []
    words += ["warm"] if situation.before is not None else []
    words += ["max_iter"] if situation.settings.get("max_iter", 1000) < 1000 else []
    words += ["float32"] if situation.X.dtype == np.float32 else []
    words += [situation.storage] if situation.storage[0] == "c" else []
    return f"{broken.promise}: {' '.join(words)}"


def shrunk(broken: Broken, seed: int, seconds: float = SHRINKING) -> Broken:
    """The same promise broken by less: fewer rows and columns, plainer settings."""
    deadline = time.monotonic() + seconds
    situation = broken.fit.situation

    def still(candidate: Situation | None) -> Broken | None:
        if candidate is None or time.monotonic() > deadline:
            return None
        found = [
            b for b in broken_promises(candidate, seed)[0] if b.promise == broken.promise and b.fit.name == "the fit"
        ]
        return found[0] if found else None

    best = still(situation)
    if best is None:
        return broken
    for candidate in plainer(situation):
        if found := still(candidate(situation)):
            best, situation = found, found.fit.situation
    for axis in (0, 1):
        size = situation.X.shape[axis]
        step = max(1, size // 2)
        while step >= 1:
            begin = 0
            while begin < situation.X.shape[axis] and situation.X.shape[axis] > step:
                left = np.delete(np.arange(situation.X.shape[axis]), slice(begin, begin + step))
                candidate = situation.take(left) if axis == 0 else situation.with_columns(left)
                if found := still(candidate):
                    best, situation = found, found.fit.situation
                else:
                    begin += step
            step //= 2
    for digits in (1, 2, 4):
        if found := still(rounded(situation, digits)):
            return found
    return best


def plainer(situation: Situation):
    """Changes that make a situation plainer, to be tried one after the other."""
    yield lambda s: replace(s, before=None, settings={k: v for k, v in s.settings.items() if k != "warm_start"})
    yield lambda s: replace(s, storage="dense")
    yield lambda s: replace(s, X=s.X.astype(float))
    yield lambda s: replace(s, sample_weight=None)
    yield lambda s: replace(s, soft_labels=None)
    for name in ("class_weight", "random_state", "solver", "tol", "max_iter", "fit_intercept"):
        yield lambda s, name=name: replace(s, settings={k: v for k, v in s.settings.items() if k != name})


def rounded(situation: Situation, digits: int) -> Situation:
    def short(values):
        values = np.asarray(values)
        if values.dtype.kind != "f":
            return values
        return np.array([float(f"{v:.{digits}g}") for v in values.ravel()], values.dtype).reshape(values.shape)

    before = None if situation.before is None else tuple(short(part) for part in situation.before)
    weight = None if situation.sample_weight is None else short(situation.sample_weight)
    return replace(situation, X=short(situation.X), y=short(situation.y), sample_weight=weight, before=before)


def reproduction(broken: Broken, seed: int) -> str:
    """Lines of Python that show it alone, where the data are few."""
    situation, lines = broken.fit.situation, [f"# seed {seed}: {broken.promise}", f"# {broken.sentence}"]
    if broken.fit.name != "the fit":
        lines.append(f"# the fit of seed {seed}, {broken.fit.name}")
    if situation.X.size > FEW:
        lines.append(f"# {'; '.join(situation.story)}")
        lines.append(f"# {situation.estimator}({situation.loss!r}, {situation.settings})")
        lines.append(f"# python tests/random_fits.py --show {seed}")
        return "\n".join(lines)
    ours = {type(situation.loss), situation.settings.get("solver")} & {*OF_USERS, of_the_user}
    lines += ["import numpy as np", "from sklearn_losses import *"]
    lines += [f"from random_situations import {name}" for name in sorted(f.__name__ for f in ours)]
    settings = "".join(
        f", {name}={value.__name__ if callable(value) else repr(value)}" for name, value in situation.settings.items()
    )
    lines.append(f"model = {situation.estimator}({situation.loss!r}{settings})")
    for suffix, data in (("0", situation.before), ("", (situation.X, situation.y))):
        if data is not None:
            lines += [f"X{suffix} = {as_code(data[0])}", f"y{suffix} = {as_code(data[1])}"]
    arguments = situation.fit_arguments()
    lines += [f"{name} = {as_code(value)}" for name, value in arguments.items()]
    if situation.storage != "dense":
        lines += ["from random_situations import stored"]
    others = "".join(f", {name}={name}" for name in arguments)
    for suffix in ("0", "") if situation.before is not None else ("",):
        rows = f"X{suffix}" if situation.storage == "dense" else f"stored(X{suffix}, {situation.storage!r})"
        lines.append(f"model.fit({rows}, y{suffix}{others})")
    if broken.known is not None:
        best = ", ".join(str(np.asarray(part, float).tolist()) for part in broken.known.point)
        lines.append(f"print(model.objective_value_, model.dual_gap_)  # {broken.known.best:.12g} is known, at {best}")
    return "\n".join(lines)


def as_code(values) -> str:
    values = np.asarray(values)
    dtype = ", np.float32" if values.dtype == np.float32 else ""
    return f"np.array({json.dumps(values.tolist())}{dtype})"


def run(
    seeds: Iterable[int], seconds: float = np.inf, only: str = "", n_relatives: int = 3, report: Callable = print
) -> dict[str, list[tuple[int, Broken]]]:
    """Examine seed after seed until the time is over; failures by kind."""
    failures: dict[str, list[tuple[int, Broken]]] = defaultdict(list)
    begin, n_situations, n_fits = time.monotonic(), 0, 0
    for seed in seeds:
        if time.monotonic() - begin > seconds:
            break
        found, fits = broken_promises(draw(seed, only), seed, n_relatives)
        n_situations, n_fits = n_situations + 1, n_fits + len(fits)
        for broken in found:
            kind = kind_of(broken)
            if kind not in failures:
                report(f"seed {seed}: {kind}: [{broken.fit.name}] {broken.sentence}")
            failures[kind].append((seed, broken))
    broken_count = sum(map(len, failures.values()))
    report(
        f"{n_situations} situations, {n_fits} fits in {time.monotonic() - begin:.0f} s: {broken_count} broken promises"
    )
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="part of the name of a loss")
    parser.add_argument("--relatives", type=int, default=3, help="other fits of the same objective, a situation")
    parser.add_argument("--show", type=int, default=None, help="a seed to reproduce in few lines")
    parser.add_argument("--promise", default="", help="part of the name of a promise, for --show")
    options = parser.parse_args()
    if options.show is not None:
        for broken in broken_promises(draw(options.show, options.only), options.show)[0]:
            if options.promise in broken.promise:
                print(reproduction(shrunk(broken, options.show), options.show), end="\n\n")
        return
    failures = run(range(options.seed, sys.maxsize), options.seconds, options.only, options.relatives)
    counts = defaultdict(int)
    for kind, found in failures.items():
        counts[kind.split(":")[0]] += len(found)
    for promise, count in sorted(counts.items(), key=lambda entry: -entry[1]):
        print(f"{count:5d} {promise}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

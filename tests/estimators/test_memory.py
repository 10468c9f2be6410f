"""Data that are larger than what a process may allocate: nothing of X is copied as a whole."""

import os
import shutil
import subprocess
import sys

import numpy as np

N_FEATURES = 400

FIT = """
import os, resource, sys
import numpy as np
from sklearn_losses import LogisticRegressor, RowBlocks

X = np.random.RandomState(0).normal(size=(100, 3))
LogisticRegressor().fit(X, X[:, 0] > 0)  # what is imported at first use
for file in zip(*[iter(sys.argv[1:])] * 4):
    if os.fork() == 0:
        break
    if os.wait()[1]:
        sys.exit(f"in vain: {file}")
else:
    sys.exit()

path, more, blocks, loss = file[0], int(file[1]) << 20, file[2] == "blocks", file[3]
X, y = np.load(path, mmap_mode="r"), np.load(path + "-y.npy")
data = RowBlocks([X]) if blocks else X
weights = np.where(np.arange(len(y)) % 1000, 1.0, 0.0)
LogisticRegressor(loss).fit(X[:100], y[:100])  # and what this loss imports
with open("/proc/self/status") as status:
    (used,) = (int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (used + more,) * 2)
model = LogisticRegressor(loss, alpha=0.1, tol=1e-2).fit(data, y, weights)
assert X.nbytes > more
model.coef_ = model.coef_.astype(np.float64)  # of another type than X
assert model.score(data, y) > 0.7
"""


def written(folder, kind, megabytes):
    """A file of a type and size, the same rows again and again, with labels beside it."""
    dtype, random = np.dtype(kind), np.random.RandomState(0)
    rows = random.randint(0, 200, size=(5_000, N_FEATURES)).astype(dtype)
    if dtype == np.float32:
        rows = rows / 100 - 1
    scores = rows @ random.normal(size=N_FEATURES)
    labels = scores + 0.5 * random.normal(scale=scores.std(), size=len(scores)) > np.median(scores)
    copies = (megabytes << 20) // rows.nbytes
    file = folder / "X.npy"
    mapped = np.lib.format.open_memmap(file, "w+", dtype, (copies * len(rows), N_FEATURES))
    for copy in range(copies):
        mapped[copy * len(rows) : (copy + 1) * len(rows)] = rows
    mapped.flush()
    np.save(f"{file}-y.npy", np.tile(labels, copies))
    return file


def fit_and_predict(folder, *files):
    """In a process for each that may allocate less than X takes, beside what it has at the start."""
    command = [sys.executable, "-c", FIT]
    for number, (kind, megabytes, door, *asked) in enumerate(files):
        loss, allowed = asked or ("cross_entropy", megabytes - 15)
        (folder / str(number)).mkdir()
        command += [str(written(folder / str(number), kind, megabytes)), str(allowed), door, loss]
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")  # the others' buffers are in the limit
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | one_thread)
    shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr


def exact(megabytes, door):
    """A fit of a kinked loss, with the memory that its rows are allowed."""
    rows = (megabytes << 20) // (4 * N_FEATURES)
    return "float32", megabytes, door, "hinge", 50 + 280 * rows // 10**6


def test_fits_and_predictions_in_less_memory_than_the_data(tmp_path):
    fit_and_predict(tmp_path, ("float32", 80, "blocks"), ("uint8", 128, "map"), exact(72, "blocks"))

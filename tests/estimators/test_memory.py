"""Data that are larger than what a process may allocate: nothing of X is copied as a whole."""

import subprocess
import sys

import numpy as np
import pytest

N_FEATURES, MEGABYTES = 200, 400
resource = pytest.importorskip("resource") if sys.platform == "win32" else __import__("resource")

PROGRAM = """
import resource, sys
import numpy as np
from sklearn_losses import LogisticRegressor, RowBlocks

path, dtype, limit, by_blocks = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "blocks"
X = np.load(path, mmap_mode="r")
y = np.load(path + ".y.npy")
resource.setrlimit(resource.RLIMIT_DATA, (limit << 20, limit << 20))
data = RowBlocks([X]) if by_blocks else X
model = LogisticRegressor(sys.argv[5], tol=1e-3).fit(data, y)
assert X.dtype == dtype and X.nbytes > limit << 20
model.coef_ = model.coef_.astype(np.float64)  # a model of another type than X
assert model.score(data, y) > 0.7
"""

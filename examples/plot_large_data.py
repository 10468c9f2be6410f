r"""
Does a fit change where the data are?
=====================================

The same rows three times: in memory, in a Parquet file that is read a row group at a
time, and in chunks on a cluster of two workers. A fit is sums over rows. These are
added up in the same order everywhere, so that even the last bit is the same.
"""

# %%
# A table with a label goes into a file. In practice it would be larger than memory, and
# nothing below would change.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from sklearn_losses import LogisticRegressor, RowBlocks

random = np.random.default_rng(0)
names = [f"x{j}" for j in range(6)]
weights = np.array([2.0, -1.5, 1.0, -0.5, 0.25, 0.0])
X = random.normal(size=(60_000, 6)).astype(np.float32)
y = (X @ weights + random.logistic(size=len(X)) > 0).astype(int)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "table.parquet"
parquet.write_table(
    pa.table(dict(zip(names, X.T, strict=True)) | {"label": y}),
    path,
    row_group_size=16_000,
)

# %%
# In memory, and from the file. Its blocks carry the label: ``fit`` needs no more.

in_memory = LogisticRegressor().fit(X, y)
from_file = LogisticRegressor().fit(RowBlocks.from_parquet(path, target="label"))
print("passes over the data:", round(from_file.result_.n_passes, 1))
print("features:", *from_file.feature_names_in_)

# %%
# On a cluster the workers read the file, and keep their part of it. With a client at
# hand the sums run where the chunks are; one gradient a chunk and pass travels.

import dask.array as da
from dask import delayed
from distributed import Client, LocalCluster


def rows_of(path, group):
    """A row group as a matrix."""
    table = parquet.ParquetFile(path).read_row_group(group, columns=names)
    return np.column_stack([table.column(name).to_numpy() for name in names])


with (
    LocalCluster(n_workers=2, processes=False, dashboard_address=":0") as cluster,
    Client(cluster),
):
    sizes = [16_000, 16_000, 16_000, 12_000]
    groups = [
        da.from_delayed(delayed(rows_of)(str(path), group), (size, 6), dtype=np.float32)
        for group, size in enumerate(sizes)
    ]
    on_cluster = LogisticRegressor().fit(da.concatenate(groups), y)
    probabilities = on_cluster.predict_proba(da.concatenate(groups))
    print(type(probabilities), probabilities.shape)
    print(
        "mean probability of class 1:",
        round(float(probabilities[:, 1].mean().compute()), 4),
    )

folder.cleanup()

# %%
# The coefficients are not close: they are the same.

models = {"in memory": in_memory, "Parquet file": from_file, "cluster": on_cluster}
same = [np.array_equal(model.coef_, in_memory.coef_) for model in models.values()]
print("same bits:", all(same))

figure, ax = plt.subplots()
for offset, (name, model) in zip((-0.25, 0.0, 0.25), models.items(), strict=True):
    ax.bar(np.arange(6) + offset, model.coef_[0], width=0.22, label=name)
ax.scatter(np.arange(6), weights, color="black", zorder=3, label="true weights")
ax.set(
    xticks=np.arange(6),
    xticklabels=names,
    ylabel="coefficient",
    title="Three places, one model",
)
ax.legend()

# %%
# **Does a fit change where the data are?** No: not by one bit. What was found on a
# cluster can be checked on a laptop, and what was tried on a laptop holds for the file.

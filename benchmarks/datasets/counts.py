from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Poisson counts with a log-linear mean."""

    name = "counts"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"n_samples, n_features": [(200_000, 50)]}
    test_parameters: ClassVar = {"n_samples, n_features": [(100, 5)]}

    def get_data(self):
        X, y = data.counts(self.n_samples, self.n_features)
        return {"X": X, "y": y}

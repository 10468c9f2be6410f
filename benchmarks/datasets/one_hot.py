from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Sparse rows of fields, each with a one for its level, and two classes."""

    name = "one_hot"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"n_samples, n_fields, n_levels": [(20_000, 10, 300)]}
    test_parameters: ClassVar = {"n_samples, n_fields, n_levels": [(100, 3, 5)]}

    def get_data(self):
        X, y = data.one_hot(self.n_samples, self.n_fields, self.n_levels)
        return {"X": X, "y": y}

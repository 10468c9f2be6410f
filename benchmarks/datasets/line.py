from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """A linear model under noise with outliers; with ``unit_scale`` such that HuberRegressor's scale is one."""

    name = "line"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"n_samples, n_features": [(200_000, 50)], "unit_scale": [False]}
    test_parameters: ClassVar = {"n_samples, n_features": [(100, 5)]}

    def get_data(self):
        simulate = data.noisy_line_of_unit_scale if self.unit_scale else data.noisy_line
        X, y = simulate(self.n_samples, self.n_features)
        return {"X": X, "y": y}

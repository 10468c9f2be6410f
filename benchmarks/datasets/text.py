from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Sparse rows like tf-idf vectors, and two classes."""

    name = "text"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"n_samples, n_features": [(20_000, 50_000)]}
    test_parameters: ClassVar = {"n_samples, n_features": [(100, 200)]}

    def get_data(self):
        X, y = data.text_like(self.n_samples, self.n_features)
        return {"X": X, "y": y}

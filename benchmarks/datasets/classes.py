from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """Dense features and classes; ``scales=2`` gives the columns scales from 1e-2 to 1e2."""

    name = "classes"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {
        "n_samples, n_features": [(200_000, 100)],
        "n_classes": [2],
        "correlation": [0.3],
        "scales": [0],
    }
    test_parameters: ClassVar = {"n_samples, n_features": [(100, 5)]}

    def get_data(self):
        shape = (self.n_samples, self.n_features, self.n_classes)
        X, y = data.classification(*shape, correlation=self.correlation, scales=self.scales)
        return {"X": X, "y": y}

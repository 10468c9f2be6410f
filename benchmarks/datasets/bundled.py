from typing import ClassVar

from benchmark_utils import data
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """A classification data set that comes with scikit-learn, columns standardised."""

    name = "bundled"
    requirements: ClassVar = ["scikit-learn"]
    parameters: ClassVar = {"source": ["digits", "breast_cancer", "iris"]}
    test_parameters: ClassVar = {"source": ["iris"]}

    def get_data(self):
        X, y = data.bundled(self.source)
        return {"X": X, "y": y}

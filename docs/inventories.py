"""Inventories of the names of other projects that the pages link to, so that the site builds without a network.

``python docs/inventories.py`` writes them anew into ``docs/inventories``. A name that is not in the table is not
linked. Every name is imported, so that one which does not exist is an error.
"""

from __future__ import annotations

import importlib
import inspect
import zlib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "inventories"


@dataclass(frozen=True)
class Project:
    """One project's site: where the page of a name is, and the names and labels that we link to."""

    url: str
    page: str
    names: str
    elsewhere: dict[str, str] = field(default_factory=dict)  # names that have no page of their own
    # labels and terms of its user guide, for the docstrings that we inherit
    labels: dict[str, str] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The inventory's entries, sorted: name, role, priority, address, title."""
        pages = {name: self.page.format(name) for name in self.names.split()} | self.elsewhere
        entries = [f"{name} py:{kind_of(name)} 1 {page}#$ -" for name, page in pages.items()]
        entries += [f"{label} std:label -1 {page} -" for label, page in self.labels.items()]
        entries += [f"{term} std:term -1 {page} -" for term, page in self.terms.items()]
        return sorted(entries)


PROJECTS = {
    "sklearn": Project(
        "https://scikit-learn.org/stable/",
        "modules/generated/{}.html",
        """
        sklearn.base.BaseEstimator sklearn.base.clone
        sklearn.calibration.CalibratedClassifierCV sklearn.calibration.CalibrationDisplay
        sklearn.calibration.calibration_curve
        sklearn.callback.ProgressBar sklearn.callback.ScoringMonitor
        sklearn.compose.ColumnTransformer sklearn.compose.TransformedTargetRegressor
        sklearn.compose.make_column_selector sklearn.compose.make_column_transformer
        sklearn.datasets.load_breast_cancer sklearn.datasets.load_diabetes sklearn.datasets.load_digits
        sklearn.datasets.load_iris sklearn.datasets.load_wine sklearn.datasets.make_blobs
        sklearn.datasets.make_classification sklearn.datasets.make_moons sklearn.datasets.make_regression
        sklearn.ensemble.ExtraTreesClassifier sklearn.ensemble.RandomForestClassifier
        sklearn.exceptions.ConvergenceWarning
        sklearn.impute.SimpleImputer
        sklearn.inspection.DecisionBoundaryDisplay
        sklearn.kernel_approximation.Nystroem
        sklearn.linear_model.ElasticNet sklearn.linear_model.GammaRegressor sklearn.linear_model.HuberRegressor
        sklearn.linear_model.Lasso sklearn.linear_model.LinearRegression sklearn.linear_model.LogisticRegression
        sklearn.linear_model.PoissonRegressor sklearn.linear_model.QuantileRegressor sklearn.linear_model.Ridge
        sklearn.linear_model.RidgeClassifier sklearn.linear_model.SGDClassifier sklearn.linear_model.SGDRegressor
        sklearn.linear_model.TweedieRegressor
        sklearn.metrics.accuracy_score sklearn.metrics.average_precision_score sklearn.metrics.brier_score_loss
        sklearn.metrics.f1_score sklearn.metrics.log_loss sklearn.metrics.precision_score sklearn.metrics.r2_score
        sklearn.metrics.recall_score sklearn.metrics.roc_auc_score
        sklearn.model_selection.GridSearchCV sklearn.model_selection.KFold
        sklearn.model_selection.RepeatedKFold sklearn.model_selection.RepeatedStratifiedKFold
        sklearn.model_selection.StratifiedKFold sklearn.model_selection.TunedThresholdClassifierCV
        sklearn.model_selection.cross_val_predict sklearn.model_selection.cross_val_score
        sklearn.model_selection.cross_validate sklearn.model_selection.train_test_split
        sklearn.multioutput.MultiOutputRegressor
        sklearn.get_config sklearn.set_config
        sklearn.pipeline.Pipeline sklearn.pipeline.make_pipeline
        sklearn.preprocessing.OneHotEncoder sklearn.preprocessing.PolynomialFeatures
        sklearn.preprocessing.SplineTransformer sklearn.preprocessing.StandardScaler sklearn.preprocessing.scale
        sklearn.svm.LinearSVC sklearn.svm.LinearSVR sklearn.svm.SVC
        sklearn.utils.metadata_routing.MetadataRequest
        """,
        labels={
            "accuracy_score": "modules/model_evaluation.html#accuracy-score",
            "metadata_routing": "metadata_routing.html#metadata-routing",
            "r2_score": "modules/model_evaluation.html#r2-score",
        },
        terms={"meta-estimator": "glossary.html#term-meta-estimator"},
    ),
    "numpy": Project(
        "https://numpy.org/doc/stable/",
        "reference/generated/{}.html",
        """
        numpy.abs numpy.allclose numpy.arange numpy.array numpy.clip numpy.column_stack numpy.concatenate numpy.diag
        numpy.exp numpy.expm1 numpy.eye numpy.isfinite numpy.linspace numpy.log numpy.log1p numpy.logspace
        numpy.maximum numpy.mean numpy.median numpy.memmap numpy.minimum numpy.ndarray numpy.outer numpy.quantile
        numpy.sqrt numpy.std numpy.where numpy.zeros
        """,
        elsewhere={"numpy.random.default_rng": "reference/random/generator.html"},
    ),
    "scipy": Project(
        "https://docs.scipy.org/doc/scipy/",
        "reference/generated/{}.html",
        """
        scipy.optimize.OptimizeResult scipy.optimize.check_grad scipy.optimize.minimize
        scipy.special.xlogy
        """,
    ),
    "joblib": Project(
        "https://joblib.readthedocs.io/en/stable/",
        "generated/{}.html",
        "joblib.parallel_config",
    ),
    "pandas": Project(
        "https://pandas.pydata.org/docs/",
        "reference/api/{}.html",
        "pandas.DataFrame pandas.Series",
    ),
}


def kind_of(name: str) -> str:
    """The role of Sphinx's Python domain for a dotted name."""
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            found = getattr(found, part)
        if inspect.isclass(found):
            return "exception" if issubclass(found, BaseException) else "class"
        return "function" if n == len(parts) - 1 else "method"
    raise ImportError(f"There is no module in {name}.")


def inventory(name: str, project: Project) -> bytes:
    """An inventory in Sphinx's second format."""
    head = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: \n# The remainder is compressed with zlib.\n"
    return head.encode() + zlib.compress("".join(f"{line}\n" for line in project.lines()).encode(), 9)


def content(data: bytes) -> bytes:
    """What an inventory says, however it is compressed."""
    *head, packed = data.split(b"\n", 4)
    return b"\n".join([*head, zlib.decompress(packed)])


def mapping() -> dict[str, tuple[str, str]]:
    """The value of ``intersphinx_mapping``."""
    return {name: (project.url, str(FOLDER / f"{name}.inv")) for name, project in PROJECTS.items()}


def stale() -> list[str]:
    """The inventories that say something else than the table."""
    return [
        name
        for name, project in PROJECTS.items()
        if not (file := FOLDER / f"{name}.inv").exists()
        or content(file.read_bytes()) != content(inventory(name, project))
    ]


def main() -> None:
    """Write the inventories that are not up to date."""
    FOLDER.mkdir(exist_ok=True)
    for name in stale():
        (FOLDER / f"{name}.inv").write_bytes(inventory(name, PROJECTS[name]))


if __name__ == "__main__":
    main()

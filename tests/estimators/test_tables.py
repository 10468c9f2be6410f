"""Arrow tables are frames: their columns have names, and types of which some are no numbers."""

from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_losses import LinearRegressor, LogisticRegressor

N = 40
X = np.random.RandomState(0).normal(size=(N, 2))
LABELS = (X[:, 0] + np.random.RandomState(1).normal(size=N) > 0).astype(int)
DAYS = np.arange("2020-01-01", N, dtype="datetime64[D]")


class Column:
    """Equal to nothing in particular, and without a hash, as an Arrow column."""

    __hash__ = None

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)


class Table:
    """What of an Arrow table this package and NumPy see."""

    def __init__(self, names, columns):
        self.column_names, self.columns = names, [Column(values) for values in columns]
        types = [str(np.asarray(values).dtype).replace("datetime64[D]", "date32[day]") for values in columns]
        self.schema = SimpleNamespace(types=types)
        self.shape = (len(columns[0]), len(columns))

    def __len__(self):
        return self.shape[0]

    def __array__(self, dtype=None, copy=None):
        return np.column_stack([np.asarray(column) for column in self.columns]).astype(dtype)


def arrow_table(names, columns):
    import pyarrow

    return pyarrow.Table.from_arrays([pyarrow.array(values) for values in columns], names=names)


def record_batch(names, columns):
    import pyarrow

    return pyarrow.RecordBatch.from_arrays([pyarrow.array(values) for values in columns], names=names)


OF_ARROW = {"Arrow": arrow_table, "Arrow, in a batch": record_batch}
MAKERS = {"like Arrow": Table} | (OF_ARROW if find_spec("pyarrow") else {})
every_maker = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@every_maker
@pytest.mark.parametrize(("estimator", "y"), [(LogisticRegressor, LABELS), (LinearRegressor, X[:, 0] + LABELS)])
def test_a_table_is_its_columns(make, estimator, y):
    table = make(["a", "b"], list(X.T))
    model, plain = estimator().fit(table, y), estimator().fit(X, y)
    assert_allclose(model.coef_, plain.coef_)
    assert_allclose(model.predict(table), plain.predict(X))
    if make is not Table:
        assert_array_equal(model.feature_names_in_, ["a", "b"])
        with pytest.raises(ValueError, match="same order"):
            model.predict(table.select(["b", "a"]))


@every_maker
def test_columns_that_are_no_numbers(make):
    with pytest.raises(TypeError, match=r"^X\['when'\] has dtype date32\[day\]: turn dates"):
        LogisticRegressor().fit(make(["a", "when"], [X[:, 0], DAYS]), LABELS)
    with pytest.raises(ValueError, match=r"^X must hold numbers: could not convert.*'red'.*OneHotEncoder"):
        LogisticRegressor().fit(make(["a", "colour"], [X[:, 0], np.full(N, "red").astype(object)]), LABELS)
    with pytest.raises(ValueError, match="two columns named 'a'"):
        LogisticRegressor().fit(make(["a", "b", "a"], [X[:, 0], X[:, 1], X[:, 0]]), LABELS)


@every_maker
def test_targets_and_weights_from_a_table(make):
    table = make(["a", "b", "y", "w"], [*X.T, LABELS, np.ones(N)])
    expected = LogisticRegressor().fit(X, LABELS)
    y, weights = (table.columns[k] for k in (2, 3))
    assert_allclose(LogisticRegressor().fit(X, y, weights).coef_, expected.coef_)
    soft = make(["0", "1"], [1.0 - LABELS, 1.0 * LABELS])
    assert_allclose(LogisticRegressor().fit(X, y, soft_labels=soft).coef_, expected.coef_)
    when = make(["y"], [DAYS]).columns[0]
    if make is arrow_table:
        with pytest.raises(TypeError, match=r"^y has dtype date32\[day\]: turn dates"):
            LinearRegressor().fit(X, when)

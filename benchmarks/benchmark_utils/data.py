"""Data sets: simulated with a fixed seed, or bundled with scikit-learn. Nothing is downloaded."""

import numpy as np
from scipy import sparse
from sklearn import datasets
from sklearn.linear_model import HuberRegressor
from sklearn.preprocessing import StandardScaler

SIGNAL = 2.0  # standard deviation of the true scores


def correlated(n_samples, n_features, correlation, rng):
    """Gaussian columns of unit variance; each has the given correlation with the one before it."""
    X = rng.standard_normal((n_samples, n_features))
    fresh = np.sqrt(1 - correlation**2)
    for j in range(1, n_features):
        X[:, j] = correlation * X[:, j - 1] + fresh * X[:, j]
    return X


def true_scores(X, n_outputs, rng):
    """Scores of a random linear model with standard deviation `SIGNAL` each."""
    scores = X @ rng.standard_normal((X.shape[1], n_outputs))
    return SIGNAL * scores / scores.std(axis=0)


def labels(scores, rng):
    """Classes drawn from the softmax of the scores; of one column, from its sigmoid."""
    if scores.shape[1] == 1:
        return (rng.logistic(size=len(scores)) < scores[:, 0]).astype(int)
    return (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)


def classification(n_samples, n_features, n_classes=2, correlation=0.3, scales=0.0, seed=0):
    """Dense classes; with ``scales=2`` the columns have scales from 1e-2 to 1e2."""
    rng = np.random.default_rng(seed)
    X = correlated(n_samples, n_features, correlation, rng)
    y = labels(true_scores(X, 1 if n_classes == 2 else n_classes, rng), rng)
    return X * rng.permutation(np.logspace(-scales, scales, n_features)), y


def noisy_line(n_samples, n_features, correlation=0.3, seed=0):
    """A linear model under Student's noise with two degrees of freedom, which has outliers."""
    rng = np.random.default_rng(seed)
    X = correlated(n_samples, n_features, correlation, rng)
    return X, 1.0 + true_scores(X, 1, rng)[:, 0] + rng.standard_t(2, n_samples)


def noisy_line_of_unit_scale(n_samples, n_features, epsilon=1.35, alpha=1e-4, seed=0):
    """The same with y scaled such that HuberRegressor's own estimate of the scale is one.

    HuberRegressor minimises over the scale too. Where that comes out as one, its coefficients are those of the
    Huber loss with ``delta = epsilon`` and the penalty ``HuberRegressor.alpha / n``, and the two can be compared.
    """
    X, y = noisy_line(n_samples, n_features, seed=seed)
    for _ in range(4):
        y = y / HuberRegressor(epsilon=epsilon, alpha=alpha * n_samples, max_iter=1000, tol=1e-8).fit(X, y).scale_
    return X, y


def counts(n_samples, n_features, correlation=0.3, seed=0):
    """Poisson counts with a log-linear mean around two."""
    rng = np.random.default_rng(seed)
    X = correlated(n_samples, n_features, correlation, rng)
    return X, rng.poisson(2 * np.exp(true_scores(X, 1, rng)[:, 0] / 4)).astype(float)


def text_like(n_samples, n_features, row_length=65, n_classes=2, seed=0):
    """Sparse rows like tf-idf vectors: word frequencies after Zipf, rows of norm one."""
    rng = np.random.default_rng(seed)
    frequencies = 1 / np.arange(10, n_features + 10)
    words = rng.choice(n_features, size=n_samples * row_length, p=frequencies / frequencies.sum())
    rows = np.repeat(np.arange(n_samples), row_length)
    X = sparse.csr_matrix((np.ones(len(words)), (rows, words)), shape=(n_samples, n_features))
    X.data = 1 + np.log(X.data)
    document_counts = np.bincount(X.indices, minlength=n_features)
    X = X @ sparse.diags(np.log(n_samples / (1 + document_counts)) + 1)
    X = sparse.csr_matrix(sparse.diags(1 / sparse.linalg.norm(X, axis=1)) @ X)
    return X, labels(true_scores(X, 1 if n_classes == 2 else n_classes, rng), rng)


def rare_text(n_samples, n_features, seed=0):
    """The same with a fifth of the rows in the second class, and weights from 0.5 to 2."""
    X, _ = text_like(n_samples, n_features, seed=seed)
    rng = np.random.default_rng(seed + 1)
    scores = true_scores(X, 1, rng)[:, 0] + rng.logistic(size=n_samples)
    return X, (scores > np.quantile(scores, 0.8)).astype(int), rng.uniform(0.5, 2.0, n_samples)


def one_hot(n_samples, n_fields=10, n_levels=300, seed=0):
    """Fields with a one for one of their levels, levels after Zipf, and two classes."""
    rng = np.random.default_rng(seed)
    X = sparse.hstack([levels(n_samples, n_levels, rng) for _ in range(n_fields)], format="csr")
    return X, labels(true_scores(X, 1, rng), rng)


def one_hot_line(n_samples, n_features, n_numbers=5, seed=0):
    """A linear model of one field of levels and a few numbers, under Student's noise."""
    rng = np.random.default_rng(seed)
    numbers = sparse.csr_matrix(rng.standard_normal((n_samples, n_numbers)))
    X = sparse.hstack([levels(n_samples, n_features - n_numbers, rng), numbers], format="csr")
    return X, 1.0 + true_scores(X, 1, rng)[:, 0] + rng.standard_t(2, n_samples)


def levels(n_samples, n_levels, rng):
    """Rows of zeros with a single one."""
    chances = 1 / np.arange(3, n_levels + 3)
    column = rng.choice(n_levels, size=n_samples, p=chances / chances.sum())
    return sparse.csr_matrix((np.ones(n_samples), (np.arange(n_samples), column)), shape=(n_samples, n_levels))


def sparse_scores(X, rng, n_used=20):
    """Scores of which most features have no part."""
    used = rng.choice(X.shape[1], n_used, replace=False)
    return true_scores(X[:, used], 1, rng)


def sparse_line(n_samples, n_features, seed=0):
    """A linear model with few weights under normal noise; columns one by one in memory, as coordinate descent likes."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(correlated(n_samples, n_features, 0.5, rng))
    return X, 1.0 + sparse_scores(X, rng)[:, 0] + rng.standard_normal(n_samples)


def sparse_classes(n_samples, n_features, seed=0):
    """Two classes that depend on few features."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(correlated(n_samples, n_features, 0.5, rng))
    return X, labels(sparse_scores(X, rng), rng)


def bundled(name):
    """One of scikit-learn's data sets, columns standardised."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return StandardScaler().fit_transform(X), y

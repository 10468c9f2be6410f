"""
The cat, the dog and the pig: which loss tells two models apart?
================================================================

Two models look at three pictures, of a pig, a dog and a cat. Both are right twice and
wrong once, and yet one of them is clearly better. Which loss notices? The first half of
this page asks the question of six rows of probabilities, the second half of models that
were trained on real data with each of the losses.
"""

# %%
# Two models, three pictures
# --------------------------
#
# The columns are the probabilities of cat, dog and pig. Model 1 gets the pig and the
# dog right by a hair, and is badly wrong about the cat. Model 2 is sure about the pig
# and the dog, and nearly right about the cat.

import numpy as np

from sklearn_losses import CrossEntropy, SquaredError, ZeroOne

CAT, DOG, PIG = range(3)
truth = [PIG, DOG, CAT]
model_1 = np.array([[0.3, 0.3, 0.4], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]])
model_2 = np.array([[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]])

# %%
# Every loss of the library is also a metric: call it with the true classes and the
# predicted probabilities.

metrics = {
    "classification error": ZeroOne(),
    "mean squared error": SquaredError(),
    "cross-entropy": CrossEntropy(),
}

print(f"{'pig, dog and cat':<22}{'model 1':>9}{'model 2':>9}")
for name, loss in metrics.items():
    print(f"{name:<22}{loss(truth, model_1):>9.4f}{loss(truth, model_2):>9.4f}")

# %%
# The classification error cannot tell the models apart: it sees only which probability
# is the largest. Squared error and cross-entropy see how large, and both prefer model
# 2.
#
# Why cross-entropy is the usual choice for training
# --------------------------------------------------
#
# A metric only has to rank models; a training loss also has to say where to go. The
# gradient in the score of the true class is what moves the weights. Let that score run
# from "certainly not" to "certainly", with the other two at zero.

from sklearn_losses.activations import Softmax

softmax = Softmax()
scores = np.zeros((201, 3))
scores[:, PIG] = np.linspace(-8, 8, len(scores))
probabilities = softmax.forward(scores)
is_pig = np.tile(np.eye(3)[PIG], (len(scores), 1))

slopes = {}
for name in "cross-entropy", "mean squared error":
    gradient = metrics[name].gradient(is_pig, probabilities)  # dL/dp
    slopes[name] = np.abs(softmax.pull_back(scores, gradient)[:, PIG])  # dL/dp · dp/dz

print(f"\n{'P(true class)':>14}{'|dCE/dz|':>12}{'|dMSE/dz|':>12}")
for row in 0, 50, 75, 100, 150:
    by_loss = "".join(f"{slope[row]:>12.4f}" for slope in slopes.values())
    print(f"{probabilities[row, PIG]:>14.4f}{by_loss}")

# %%
# Where the model is most wrong, cross-entropy pulls hardest: its slope is simply ``1 -
# p``. The slope of the squared error carries one more factor ``p`` from the softmax,
# and vanishes together with it: the surer the mistake, the slower the learning. Plain
# gradient descent, started from weights that are wrong and sure, shows what this costs.
# ``estimator.objective(X, y)`` is the function that a fit minimises, ready for any
# optimiser; here it is the library's gradient descent with a fixed step.

from scipy.optimize import minimize
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from sklearn_losses import SoftmaxClassifier
from sklearn_losses.solvers import gradient_descent

X, y = load_iris(return_X_y=True)
X = scale(X)
learned = SoftmaxClassifier("cross_entropy", alpha=0.01).fit(X, y)


def descend(loss, n_steps=200):
    """Accuracy after each step, from the learned model upside down."""
    objective = SoftmaxClassifier(loss, alpha=0).objective(X, y)
    history = []

    def record(intermediate_result):
        coef, intercept = objective.unpack(intermediate_result.x)
        predicted = (X @ coef.T + intercept).argmax(axis=1)
        history.append(np.mean(predicted == y))

    minimize(
        objective.value_and_gradient,
        objective.pack(-learned.coef_, -learned.intercept_),
        jac=True,
        method=gradient_descent,
        callback=record,
        options={"step_size": 1.0, "backtracking": False, "maxiter": n_steps},
    )
    return np.array(history)


print("\nGradient descent from the learned model upside down")
accuracies = {}
for name, loss in {
    "cross-entropy": "cross_entropy",
    "mean squared error": "squared_error",
}.items():
    accuracies[name] = descend(loss)
    n_steps = 1 + np.argmax(accuracies[name] >= 0.9)
    print(f"{name:<22}90 % of iris are right after {n_steps:>3} steps")

# %%
# The pictures need matplotlib; everything that is printed does without.

try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

COLORS = {"cross-entropy": "C0", "mean squared error": "C1"}

if plt is not None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
    for name, color in COLORS.items():
        left.plot(probabilities[:, PIG], slopes[name], color=color, label=name)
        right.plot(accuracies[name], color=color, label=name)
    left.set(xlabel="probability of the true class", ylabel="slope in its score")
    left.set_title("How hard a loss pulls", loc="left")
    left.legend(frameon=False)
    right.set(xlabel="steps of gradient descent", ylabel="accuracy on iris")
    right.set_title("Learning, from a start that is wrong and sure", loc="left")
    for axes in left, right:
        axes.spines[["top", "right"]].set_visible(False)
    plt.show()

# %%
# The same question, asked of trained models
# ------------------------------------------
#
# How much does it matter on real data? Cross-entropy, squared error and the hinge train
# the same linear model, in the same pipeline, on the same folds. (The library's own
# solver does not crawl along the plateau above: it starts the squared error from the
# solution of the cross-entropy.) A loss as a metric is minus the loss, because greater
# is better for all metrics. The hinge is defined on scores: it has no probabilities,
# and neither log loss nor Brier score.

from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_losses import compare_losses

LOSSES = {
    "cross-entropy": "cross_entropy",
    "mean squared error": "squared_error",
    "hinge": "hinge",
}
DATA = {"digits": load_digits, "wine": load_wine, "breast cancer": load_breast_cancer}

comparisons = {}
for name, load in DATA.items():
    X, y = load(return_X_y=True)
    comparisons[name] = compare_losses(
        make_pipeline(StandardScaler(), SoftmaxClassifier(alpha=1e-3)),
        X,
        y,
        losses=LOSSES,
        scoring={
            "accuracy": "accuracy",
            "log loss": CrossEntropy(),
            "Brier score": SquaredError(),
        },
        random_state=0,
    )

print(
    f"\n{'data':<15}{'trained with':<20}{'accuracy':>10}{'log loss':>12}{'Brier':>12}"
)
for name, comparison in comparisons.items():
    print("-" * 69)
    means = [abs(comparison.means(metric)) for metric in comparison.metrics]
    for label, *row in zip(comparison.losses, *means, strict=True):
        cells = [f"{value:.4f}" if np.isfinite(value) else "-" for value in row]
        print(f"{name:<15}{label:<20}{cells[0]:>10}{cells[1]:>12}{cells[2]:>12}")

# %%
# On accuracy the three are close, about as close as the folds are among themselves:
# each grey dot below is one fold. The probabilities tell them apart, as they told model
# 1 from model 2. And of the three only cross-entropy is convex *and* gives
# probabilities.

if plt is not None:
    figure, panels = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
    for axes, (name, comparison) in zip(panels, comparisons.items(), strict=True):
        comparison.plot("accuracy", ax=axes)
        axes.get_legend().remove()
        axes.set_title(name, loc="left")
        axes.set_xlabel("accuracy")
        if axes is not panels[0]:
            axes.set_yticklabels([])
    plt.show()

winners = [comparison.best("Brier score") for comparison in comparisons.values()]
print(
    "\nClassification error cannot tell the two models apart; squared error and\n"
    "cross-entropy can. Of the trained models those of cross-entropy have the best\n"
    f"Brier score on {winners.count('cross-entropy')} of {len(winners)} data sets, "
    "although the squared error was\ntrained on just that."
)

# %%
# **Which loss tells two models apart?** Squared error and cross-entropy do,
# classification error does not. To train with, cross-entropy is the safer choice: its
# fit is certified, and its probabilities are as good as or better than those of the
# squared error, even by the squared error itself. (On data of your own search ``alpha``
# for each loss as well: ``compare_losses`` does it with ``param_grid``.)

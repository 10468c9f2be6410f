"""
The cat, the dog and the pig: which loss tells two models apart?
================================================================

Two models look at three pictures, of a pig, a dog and a cat. Both are right twice and wrong once, and yet one
of them is clearly better. Which loss notices? The first half of this page asks the question of six rows of
probabilities, the second half of models that were trained on real data with each of the losses.
"""

# %%
# Two models, three pictures
# --------------------------
#
# The columns are the probabilities of cat, dog and pig. Model 1 gets the pig and the dog right by a hair, and
# is badly wrong about the cat. Model 2 is sure about the pig and the dog, and nearly right about the cat.

import numpy as np

from sklearn_losses import CrossEntropy, SquaredError, ZeroOne

CAT, DOG, PIG = range(3)
truth = [PIG, DOG, CAT]
model_1 = np.array([[0.3, 0.3, 0.4], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]])
model_2 = np.array([[0.1, 0.2, 0.7], [0.1, 0.7, 0.2], [0.3, 0.4, 0.3]])

# %%
# Every loss of the library is also a metric: call it with the true classes and the predicted probabilities.

metrics = {
    "classification error": ZeroOne(),
    "mean squared error": SquaredError(),
    "cross-entropy": CrossEntropy(),
}

print(f"{'pig, dog and cat':<22}{'model 1':>9}{'model 2':>9}")
for name, loss in metrics.items():
    print(f"{name:<22}{loss(truth, model_1):>9.4f}{loss(truth, model_2):>9.4f}")

# %%
# The classification error cannot tell the models apart: it sees only which probability is the largest.
# Squared error and cross-entropy see how large, and both prefer model 2.
#
# Why cross-entropy is the usual choice for training
# --------------------------------------------------
#
# A metric only has to rank models; a training loss also has to say where to go. The gradient in the score of
# the true class is what moves the weights. Let that score run from "certainly not" to "certainly", with the
# other two at zero.

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
    chance = probabilities[row, PIG]
    print(f"{chance:>14.4f}{slopes['cross-entropy'][row]:>12.4f}{slopes['mean squared error'][row]:>12.4f}")

# %%
# Where the model is most wrong, cross-entropy pulls hardest: its slope is simply ``1 - p``. The slope of the
# squared error carries one more factor ``p`` from the softmax, and vanishes together with it: the surer the
# mistake, the slower the learning. Plain gradient descent, started from weights that are wrong and sure,
# shows what this costs. ``estimator.objective(X, y)`` is the function that a fit minimises, ready for any
# optimiser; here it is the library's gradient descent with a fixed step.

from scipy.optimize import minimize
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from sklearn_losses import SoftmaxClassifier
from sklearn_losses.solvers import gradient_descent

X, y = load_iris(return_X_y=True)
X = scale(X)
learned = SoftmaxClassifier("cross_entropy", alpha=0.01).fit(X, y)

N_STEPS = 200
print("\nGradient descent from the learned model upside down")
accuracies = {}
for name, loss in {"cross-entropy": "cross_entropy", "mean squared error": "squared_error"}.items():
    objective = SoftmaxClassifier(loss, alpha=0).objective(X, y)
    accuracies[name] = []

    def record(intermediate_result, objective=objective, history=accuracies[name]):
        """Keep the accuracy after every step."""
        history.append(np.mean(objective.scores(intermediate_result.x).argmax(axis=1) == y))

    minimize(
        objective.value_and_gradient,
        objective.pack(-learned.coef_, -learned.intercept_),  # the learned model, upside down
        jac=True,
        method=gradient_descent,
        callback=record,
        options={"step_size": 1.0, "backtracking": False, "maxiter": N_STEPS},
    )
    n_steps = 1 + np.argmax(np.array(accuracies[name]) >= 0.9)
    print(f"{name:<22}90 % of iris are right after {n_steps:>3} steps")

# %%
# .. note:: The pictures need matplotlib; everything that is printed does not.

try:
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

COLORS = {"cross-entropy": "C0", "mean squared error": "C1", "hinge": "C2"}

if plt is not None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for name, slope in slopes.items():
        left.plot(probabilities[:, PIG], slope, color=COLORS[name], label=name)
        right.plot(range(1, len(accuracies[name]) + 1), accuracies[name], color=COLORS[name], label=name)
    left.set(xlabel="probability of the true class", ylabel="size of the gradient in its score")
    left.set_title("How hard a loss pulls", loc="left")
    left.legend(frameon=False)
    right.set(xlabel="steps of gradient descent", ylabel="accuracy on iris", ylim=(-0.02, 1.02))
    right.set_title("Learning, from a start that is wrong and sure", loc="left")
    for axes in left, right:
        axes.spines[["top", "right"]].set_visible(False)
    plt.show()

# %%
# The same question, asked of trained models
# ------------------------------------------
#
# How much does it matter on real data? Cross-entropy, squared error and the hinge train the same linear
# model, in the same pipeline, on the same folds. (The library's own solver does not crawl along the plateau
# above: it starts the squared error from the solution of the cross-entropy.) The hinge is defined on scores,
# so that it has no probabilities, no log loss and no Brier score; ``hasattr`` tells.

from time import perf_counter

from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

LOSSES = {"cross-entropy": "cross_entropy", "mean squared error": "squared_error", "hinge": "hinge"}
DATA = {"digits": load_digits, "wine": load_wine, "breast cancer": load_breast_cancer}
folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=0)


def compare(load):
    """Cross-validate every loss on a data set: test scores and fit times, a row for each fold."""
    X, y = load(return_X_y=True)
    results = {}
    for name, loss in LOSSES.items():
        model = make_pipeline(StandardScaler(), SoftmaxClassifier(loss, alpha=1e-3))
        scoring = {"accuracy": "accuracy"}
        if hasattr(model, "predict_proba"):
            scoring |= {"log loss": CrossEntropy().scorer(), "Brier": SquaredError().scorer()}
        results[name] = cross_validate(model, X, y, cv=folds, scoring=scoring)
    return results


start = perf_counter()
results = {data: compare(load) for data, load in DATA.items()}
n_fits = len(DATA) * len(LOSSES) * folds.get_n_splits()
print(f"\n{n_fits} fits in {perf_counter() - start:.1f} s")

# %%
# A scorer is minus the loss, because in scikit-learn larger is better; the table shows the losses themselves.
# All values are means over five test folds.

print(f"\n{'data':<15}{'trained with':<20}{'accuracy':>10}{'log loss':>10}{'Brier':>10}{'fit time':>12}")
for data, by_loss in results.items():
    print("-" * 77)
    for name, scores in by_loss.items():
        line = f"{data:<15}{name:<20}{scores['test_accuracy'].mean():>10.4f}"
        for metric in "log loss", "Brier":
            key = f"test_{metric}"
            line += f"{-scores[key].mean():>10.4f}" if key in scores else f"{'-':>10}"
        print(line + f"{1e3 * scores['fit_time'].mean():>9.1f} ms")

# %%
# On accuracy the three are close, about as close as the folds are among themselves: each dot below is one
# fold. The probabilities tell them apart, as they told model 1 from model 2. Those of cross-entropy are the
# best throughout, by the Brier score too, although the squared error was trained on just that. And of the
# three only cross-entropy is convex *and* gives probabilities. (For a choice on data of your own, search
# ``alpha`` for each loss as well; the README shows how.)

if plt is not None:
    figure, panels = plt.subplots(1, len(results), figsize=(10, 2.9), layout="constrained")
    for axes, (data, by_loss) in zip(panels, results.items(), strict=True):
        for position, (name, scores) in enumerate(by_loss.items()):
            accuracy = scores["test_accuracy"]
            color = COLORS[name]
            axes.plot(accuracy, [position] * len(accuracy), "o", color=color, alpha=0.45, clip_on=False)
            axes.vlines(accuracy.mean(), position - 0.25, position + 0.25, color=color, linewidth=2.5)
        axes.set_yticks(range(len(LOSSES)), LOSSES if axes is panels[0] else [""] * len(LOSSES))
        axes.set(xlabel="accuracy on a test fold", ylim=(len(LOSSES) - 0.5, -0.5))
        axes.set_title(data, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    plt.show()

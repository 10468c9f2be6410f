"""How the gallery looks: the order of its examples, and the style of their pictures."""

from pathlib import Path

ORDER = [
    # what the losses are
    "plot_cat_dog_pig",
    "plot_sigmoid_softmax",
    "plot_cross_entropy",
    "plot_kl_divergence",
    "plot_loss_landscape",
    "plot_learning_speed",
    "plot_margin_losses",
    "plot_margin_softmax",
    "plot_regression_losses",
    # which one to train with
    "plot_robust_regression",
    "plot_quantile_bands",
    "plot_paths",
    "plot_median_lasso",
    "plot_label_noise",
    "plot_imbalance",
    "plot_calibration",
    "plot_soft_labels",
    "plot_mixed_types",
    # how it is done
    "plot_own_loss",
    "plot_certificates",
    "plot_callbacks",
    "plot_large_data",
]


def place(path):
    """Where an example stands; one that is not in the list comes last."""
    name = Path(path).stem
    return ORDER.index(name) if name in ORDER else len(ORDER), name


class ReadingOrder:
    """The same as a class, which sphinx-gallery makes anew for every folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return place(name)


def set_style(gallery_conf, name):
    """Open axes, and letters that can be read in a thumbnail and beside each other; the rest is matplotlib's."""
    import matplotlib

    matplotlib.rcdefaults()
    matplotlib.use("Agg")
    matplotlib.rcParams.update(
        {
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.figsize": (4.8, 3.5),
            "font.size": 11,
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )

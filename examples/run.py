"""Runs an example and keeps its figures: ``python examples/run.py NAME``."""

import runpy
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent
FIGURES = EXAMPLES.parent / "figures"


def main(name):
    """Run one example; a figure in a window would need a screen."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    saved = []

    def save(*args, **kwargs):
        FIGURES.mkdir(exist_ok=True)
        for number in plt.get_fignums():
            saved.append(FIGURES / f"{name}_{len(saved) + 1}.png")
            plt.figure(number).savefig(saved[-1], dpi=120)
        plt.close("all")

    plt.show = save
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    save()
    print("\nThe figures were saved in:")
    for file in saved:
        print(f"  {file.relative_to(EXAMPLES.parent)}")


if __name__ == "__main__":
    names = sorted(file.stem for file in EXAMPLES.glob("plot_*.py"))
    if len(sys.argv) != 2 or Path(sys.argv[1]).stem not in names:
        sys.exit("Give the name of an example:\n  " + "\n  ".join(names))
    main(Path(sys.argv[1]).stem)

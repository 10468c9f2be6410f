"""Tables as files of comma-separated values."""

import csv
import math


def write_table(path, header, rows):
    """A line of titles and the rows, of texts."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def shown(number, form):
    """A number in a form; nothing where it is not known."""
    return format(number, form) if math.isfinite(number) else ""

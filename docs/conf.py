"""Sphinx configuration; ``make docs`` builds the site with warnings as errors, and without a network."""

import sklearn_losses

project = "sklearn_losses"
author = "the sklearn_losses developers"
project_copyright = f"2026, {author}"
version = release = sklearn_losses.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "README.md"]
templates_path = ["_templates"]
default_role = "py:obj"
rst_prolog = ".. py:currentmodule:: sklearn_losses"

# autosummary's templates list the members, so numpydoc need not do it again
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "min_reported_time": 0,
    "show_memory": False,
    # the table of computation times would load scripts from other hosts
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_losses {release}"
html_show_sourcelink = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}

# Every verb sets up what it needs in .venv, once: a stamp for its extras, renewed when pyproject.toml or compiled code changes.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
COMPILED := $(shell find sklearn_losses -name '*.pyx')

.PHONY: help demo test lint docs bench clean

help:
	@echo "make demo   the cat/dog/pig table, then losses compared on real data"
	@echo "make test   the tests, docstring and document examples included"
	@echo "make lint   ruff and mypy"
	@echo "make docs   the site, in docs/_build/html, and a look at it"
	@echo "make bench  a small benchmark against other libraries, in benchmarks/outputs"
	@echo "make clean  removes everything that the others made"

demo: $(VENV)/.with-plot,frame
	@echo "Running examples/plot_cat_dog_pig.py ..."
	@echo
	@$(BIN)/python examples/run.py plot_cat_dog_pig

test: $(VENV)/.with-test
	MPLBACKEND=Agg $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(VENV)/.with-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.with-docs
	MPLBACKEND=Agg $(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	$(BIN)/python docs/check_site.py

bench: $(VENV)/.with-bench
	MPLBACKEND=Agg $(BIN)/benchopt run benchmarks --config benchmarks/small.yml --no-display
	MPLBACKEND=Agg $(BIN)/python benchmarks/report.py

clean:
	rm -rf $(VENV) .venv-* build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf docs/_build docs/auto_examples docs/generated benchmarks/outputs figures
	rm -f $(COMPILED:.pyx=.c) $(COMPILED:.pyx=.*.so)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is the last thing that venv installs: where it stands, the environment is whole
$(BIN)/pip:
	@echo "Making an environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.with-%: pyproject.toml $(COMPILED) | $(BIN)/pip
	@echo "Installing the package with [$*] into $(VENV): once, and about a minute without a word ..."
	@$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

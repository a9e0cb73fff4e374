# Every target sets up .venv itself. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PARALLEL := -n auto --dist loadfile -p no:benchmark
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: compare test test-full lint bench clustering clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("optmap needs Python 3.11 or newer, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(STAMP)

compare: $(STAMP)
	$(PY) -m optmap.compare instances/

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: lint
	$(PY) -m pytest $(PARALLEL) -m "not full" --cov --cov-report=term --durations=15

test-full: lint
	$(PY) -m pytest $(PARALLEL) --cov --cov-report=term --durations=30

bench: $(STAMP)
	$(PY) -m pytest tests/benchmarks --benchmark-only --benchmark-columns=min,median,rounds -o python_files='bench_*.py' -p no:cacheprovider

clustering: $(STAMP)
	$(PY) tests/benchmarks/partition_table.py 20 --write

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage

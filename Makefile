# Every target sets up .venv itself. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
BEST_KNOWN := whole,whole-traffic,whole-energy,whole-clusters,whole-cpsat,cover,lns,colgen,overlap-spikes,spinemap/hops
PARALLEL := -n auto --dist loadfile -p no:benchmark
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: compare reproduce reference test test-full lint bench clustering limits mutants best-known clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("optmap needs Python 3.11 or newer, found " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(STAMP)

compare: $(STAMP)
	$(PY) -m optmap.compare instances/

reference: $(STAMP)
	$(PY) -m optmap.compare instances/ --out results/reference
	$(PY) -m optmap.experiment.tables.publish results/reference

reproduce: $(STAMP)
	$(PY) -m optmap.reproduce --page docs/reproduction.md

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: lint
	$(PY) -m pytest $(PARALLEL) -m "not full" --durations=15

test-full: lint
	$(PY) -m pytest $(PARALLEL) --cov --cov-report=term --durations=30

bench: $(STAMP)
	$(PY) -m pytest tests/benchmarks --benchmark-only --benchmark-columns=min,median,rounds -o python_files='bench_*.py' -p no:cacheprovider
	$(PY) tests/benchmarks/performance_page.py --write

clustering: $(STAMP)
	$(PY) tests/benchmarks/published_comparison.py --write
	$(PY) tests/benchmarks/partition_table.py 20 --write

limits: $(STAMP)
	$(PY) tests/benchmarks/limits_table.py $(LIMITS)

mutants: $(STAMP)
	$(PY) -m pip install --quiet --constraint constraints.txt --editable ".[mutants]"
	$(PY) tests/mutants/run.py $(MUTANTS)

# Two hours on two cores; LIMIT=5 for a try. The run continues where it was interrupted.
LIMIT ?= 45
best-known: $(STAMP)
	$(PY) -m optmap.compare instances/ --all --methods $(BEST_KNOWN) --limit $(LIMIT) --jobs 2 --out results/best_known_run
	$(PY) -m optmap.submit results/best_known_run

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage

# Everything here sets itself up from nothing: a virtual environment in .venv with the tested versions.
# Another Python:     make play PYTHON=python3.12
# Another pip set-up: make play PIP_FLAGS="--extra-index-url URL"  (for instance, for a CPU-only build of torch)
# The set-up speaks on stderr only and leaves stdin alone, so `make -s play < words` works as a filter.

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/installed
COMPILED := $(VENV)/compiled

.PHONY: help play test clients lint bench clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

play: $(STAMP)  ## play against the shipped network; options in ARGS="--size 9"
	@$(BIN)/gocnn play $(ARGS)

# One thread each: with two, torch's threads of both processes wait for one another: 552 s instead of 299.
test: $(STAMP) $(if $(ARGS),,$(COMPILED))  ## run the tests in two processes; options in ARGS="-k ko"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

# Lizzie needs root to install and is tested where it is there: see docs/clients.md.
clients: $(STAMP)  ## install Sabaki's controller (npm) and KaTrain (pip) into runs/clients, and play with them
	npm install --silent --no-fund --no-audit --prefix runs/clients @sabaki/gtp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) --upgrade \
		--target runs/clients/katrain --no-deps katrain
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) --upgrade \
		--target runs/clients/katrain kivy pysgf chardet urllib3
	$(BIN)/python -m pytest -rs tests/clients $(ARGS)

lint: $(STAMP)  ## ruff on everything, mypy on the public modules
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(STAMP)  ## print the figures of the board and of the engine's start
	$(BIN)/python benchmarks/board_speed.py
	$(BIN)/python benchmarks/startup.py

clean:  ## remove the virtual environment, caches and build products (keeps runs/)
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an interrupted install starts again the next time.
$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once; a few minutes)" >&2
	@$(PYTHON) -m venv $(VENV) </dev/null >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) \
		-c constraints.txt -e '.[dev]' </dev/null >&2
	@touch $@

# Not for some tests alone: these compile what they need.
$(COMPILED): $(STAMP) $(shell grep -rlE --include='*.py' 'gocnn\.jit|numba' gocnn sgf_data engine 2>/dev/null)
	@$(BIN)/python -m tests.precompile
	@touch $@

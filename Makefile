# Every target is one command of Python; `make` only sees to the environment in .venv first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help export test demo webcam fer2013 train evaluate study audit benchmark android arm64 runtimes lint wheel clean
.DEFAULT_GOAL := help

help:            ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(VENV)/ready: requirements/develop.txt requirements/constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"expected Python 3.11, 3.12 or 3.13, got {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	@echo "Making the environment in $(VENV) (about 2 GB; once, a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements/develop.txt -c requirements/constraints.txt
	@touch $@

export: $(VENV)/ready     ## Write every artifact with its card to artifacts/
	@$(PY) -m export

test: $(VENV)/ready       ## Run the tests
	@$(PY) -m pytest

demo: $(VENV)/ready       ## Label a image and a video into demo/out/
	@$(PY) -m demo

webcam: $(VENV)/ready     ## Label the faces that camera 0 sees
	@$(PY) -m runtime run 0 --show

# Asked before the environment is made, also by `make -j`, by the Python that is there.
.NOTPARALLEL:
fer2013:
	@$(PYTHON) -m dataset.locate

train: fer2013 $(VENV)/ready      ## Train every model on FER2013 and FER+ (hours; resumes when cut off)
	@$(PY) -m train --model cnn cnn_lstm edge edge_tiny

evaluate: fer2013 $(VENV)/ready   ## Score the released models on FER2013 into reports/evaluation/
	@$(PY) -m benchmarks evaluate models/*.keras

study: fer2013 $(VENV)/ready      ## Train the rows of the study that have no result, into reports/study.md (all: over a day; resumes)
	@$(PY) -m study

audit: fer2013 $(VENV)/ready      ## Count FER2013's defects into reports/audit.md
	@$(PY) -m dataset.audit

benchmark: $(VENV)/ready  ## Time and score every artifact, into results/ and the README
	@$(PY) -m benchmarks measure --table

android: $(VENV)/ready    ## Build and test the Android library into build/android/, check the sample (needs a JDK, JUnit 4)
	@$(PY) -m android.build

arm64: $(VENV)/ready      ## Compare every artifact on emulated Raspberry Pi processors with this machine
	@$(PY) -m benchmarks arm64

runtimes: $(VENV)/ready   ## Run every artifact on old, new and emulated runtimes, into docs/runtimes.md
	@$(PY) -m benchmarks runtimes

lint: $(VENV)/ready       ## Check style and types
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy reporting dataset train runtime export benchmarks study demo android

wheel: $(VENV)/ready      ## Build the ferkit wheel into dist/
	@$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist . && ls -lh dist

clean:           ## Remove what was made (not .venv)
	rm -rf artifacts build dist demo/out benchmarks/out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

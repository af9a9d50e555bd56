# Every target is one command of Python; `make` prepares its environment first: .venv, or .venv-docs for the site
# and the package.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
DOCS_VENV := .venv-docs
DOCS_PY := $(DOCS_VENV)/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2
export NO_MKDOCS_2_WARNING := 1

.PHONY: help export test demo webcam fer2013 train evaluate study audit benchmark android arm64 runtimes docs lint wheel web web-serve web-benchmark clean
.DEFAULT_GOAL := help

help:            ## Show this list
	@awk -F ':.*## ' '/^##@ /{print "\n" substr($$0, 5)} /^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

$(VENV)/ready: requirements/develop.txt requirements/constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  f"expected Python 3.11, 3.12 or 3.13, got {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	@echo "Making the environment in $(VENV) (about 2 GB; once, a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements/develop.txt -c requirements/constraints.txt
	@touch $@

$(DOCS_VENV)/ready: requirements/docs.txt requirements/constraints.txt
	@echo "Making the environment in $(DOCS_VENV) (about 200 MB; once) ..."
	@$(PYTHON) -m venv --clear $(DOCS_VENV)
	@$(DOCS_PY) -m pip install --quiet --disable-pip-version-check -r requirements/docs.txt -c requirements/constraints.txt
	@touch $@

##@ The two commands: they need nothing but Python and make
export: $(VENV)/ready             ## Write every artifact with its card to artifacts/
	@$(PY) -m export

test: $(VENV)/ready               ## Run the tests, one process a core
	@$(PY) -m pytest -n auto --dist worksteal

##@ See it
demo: $(VENV)/ready               ## Label an image and a video into demo/out/
	@$(PY) -m demo

webcam: $(VENV)/ready             ## Label the faces that camera 0 sees
	@$(PY) -m runtime run 0 --show

##@ With FER2013
# fer2013 is checked before the environment is made, also by `make -j`, by the Python that is there.
.NOTPARALLEL:
fer2013:
	@$(PYTHON) -m dataset.locate

audit: fer2013 $(VENV)/ready      ## Count FER2013's defects into reports/audit.md
	@$(PY) -m dataset.audit

train: fer2013 $(VENV)/ready      ## Train every model on FER2013 and FER+ (hours; resumes)
	@$(PY) -m train --model all

evaluate: fer2013 $(VENV)/ready   ## Score the released models class by class into reports/evaluation/
	@$(PY) -m benchmarks evaluate $(filter-out %/detector.keras,$(wildcard models/*.keras))

study: fer2013 $(VENV)/ready      ## Train the study's experiments that have no result, write reports/study.md (over a day; resumes)
	@$(PY) -m study

##@ Measure
benchmark: $(VENV)/ready          ## Time and score every artifact into results/ and the tables
	@$(PY) -m benchmarks measure --table

runtimes: $(VENV)/ready           ## Run every artifact on old, new and emulated runtimes into docs/runtimes.md
	@$(PY) -m benchmarks runtimes

arm64: $(VENV)/ready              ## Compare every artifact on emulated Raspberry Pi processors with this machine
	@$(PY) -m benchmarks arm64

##@ Build and check
android: $(VENV)/ready            ## Build and test the Android library into build/android/ (needs a JDK, JUnit 4)
	@$(PY) -m android.build

docs: $(DOCS_VENV)/ready          ## Build the site into build/docs/; a broken link or image is an error
	@$(DOCS_PY) -m mkdocs build --clean && echo "build/docs/index.html"

wheel: $(DOCS_VENV)/ready         ## Build sdist and wheel of ferkit into dist/ and check them
	@rm -f dist/ferkit-* && mkdir -p build
	@$(DOCS_PY) -m build --no-isolation --outdir dist . > build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
	@$(DOCS_PY) -m twine check --strict dist/ferkit-* && ls -lh dist

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@cd web && npm ci --silent --no-audit --no-fund && touch node_modules/.package-lock.json

web: web/node_modules/.package-lock.json   ## Build the browser package into web/dist/, its page into build/web/ (needs node 20)
	@cd web && npm run --silent build -- --site ../build/web && du -sh dist ../build/web

web-serve: web            ## Serve the page in build/web/ on localhost
	@node web/scripts/serve.js build/web

web-benchmark: web        ## Time ours beside what users can have elsewhere, in one Chromium, into results/web.json
	@cd web && node benchmark/run.js

lint: $(VENV)/ready               ## Check style and types
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy reporting dataset train runtime export benchmarks study demo docs android

clean:                            ## Remove what was made (not the environments)
	rm -rf artifacts build dist web/dist demo/out benchmarks/out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

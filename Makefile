# The two commands: `make demo` shows the pipeline at work, `make test` checks it. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
PIP := uv pip install -q --python $(BIN)/python --no-deps
else
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps
endif
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test lint setup install recipe lock deps params golden clean distclean

demo: setup
	dvc repro
	@ser summary
	@echo "report: $(CURDIR)/reports/index.html"

# A process for each core; one that is busy with other things makes it slower and nothing else.
test: lint
	pytest -n logical

lint: setup
	ruff check .
	ruff format --check .
	mypy
	lint-imports

setup: .venv/installed

# The stamp holds a copy of what was installed: a touched but unchanged lock file costs nothing.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@if cat $^ | cmp -s - $@; then touch $@; else $(MAKE) --no-print-directory install; fi

install:
ifdef UV
	test -x $(BIN)/python || uv venv -q --python $(PYTHON) .venv
else
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
endif
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) -e .
	@cat requirements.lock pyproject.toml > .venv/installed

# What training the compact denoiser needs beside the project; pesq is compiled.
recipe: setup
	$(PIP) --require-hashes -r recipes/compact_denoiser/requirements.lock

# One lock for Linux, macOS and Windows; it names versions and hashes, and no download host.
lock:
	uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url -q -o requirements.lock

# Which code each stage of dvc.yaml depends on: run it after a change of imports.
deps: setup
	python -m tests.code_deps

# The comments of params.yaml: run it after a change of a parameter's docstring.
params: setup
	python -m tests.params_comments

# What each step of Tier 0 makes of fixed clips: run it after raising a VERSION.
golden: setup
	python -m tests.golden

# What a tool can make anew in seconds.
clean:
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# What cost time, too: the installation, every waveform, feature, checkpoint and report.
distclean: clean
	rm -rf .venv data/raw data/denoised data/features data/encodings data/functionals data/manifest.csv data/manifest.json data/rejects.csv data/audit.json data/fingerprints checkpoints
	find reports -type f -not -name .gitkeep -delete
	find reports -type d -empty -delete

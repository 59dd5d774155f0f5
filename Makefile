# `make` alone lists the targets. Every target makes its own .venv first where there is none.

PYTHON ?= python3
WORKERS ?= auto
RUNS ?= 5
MINUTES ?= 10
SEED ?= 0
TORCH ?= 2.13.0
UML := $(if $(filter x86_64,$(shell uname -m)),user-mode-linux:linux.uml)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest -n $(WORKERS)
BROKEN := $(BIN)/noisecli images sample_data/broken/images demo/broken --std 25
OPENCV := $(BIN)/python -c 'import cv2'
VERSION_OF_OPENCV := $(BIN)/python -c 'import importlib.metadata as m; print(m.version("opencv-python"))'

# Writes the requirements of the extras named after it (of all of them when none is), one a line.
EXTRAS := $(BIN)/python -c 'import sys, tomllib; \
	extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
	print(*(line for name in sys.argv[1:] or extras for line in extras[name]), sep="\n")'

# The ordinary OpenCV wheel needs libGL and glib, which a bare server lacks. Both wheels fill the same folder, so the one
# goes before the other comes. pip would bring the ordinary one back whenever it looks: the stamps keep it from looking.
define use_an_opencv_that_loads
	@reason=$$($(OPENCV) 2>&1) || { \
		version=$$($(VERSION_OF_OPENCV)) && \
		echo "opencv-python cannot be loaded here ($$(echo "$$reason" | tail -n 1))," \
			"so opencv-python-headless $$version takes its place in $(VENV)" && \
		$(PIP) uninstall --yes opencv-python opencv-python-headless 2>/dev/null && \
		$(PIP) install --no-deps "opencv-python-headless==$$version" && \
		$(OPENCV); }
endef

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-servers lint samples golden reference bench soak clean

help:  ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.test  ## run noisecli on sample_data, into demo/
	$(BIN)/noisecli images sample_data/images demo/images --std 25 --sidecars copy
	$(BIN)/noisecli audio sample_data/audio demo/audio --snr-db 10..30 --sidecars copy
	$(BIN)/noisecli preview sample_data/images demo/preview.png --std 5,25,50 --force
	@echo; echo "Now a folder with a broken file in it: it never costs the others, and the exit status is 1."
	@echo "$(BROKEN)"; $(BROKEN); test $$? -eq 1
	@echo; echo "Look at demo/preview.png first, then at demo/images and demo/audio, beside sample_data/images and sample_data/audio."
	@echo "What was done to each file: demo/images/manifest.jsonl. What went wrong: demo/broken/errors.jsonl."

test: $(VENV)/.test  ## the quick tests
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.all  ## every test, with every extra installed
	$(PYTEST)

test-servers: $(VENV)/.servers  ## buckets on a real S3 server, a cluster of Ray, tar shards
	$(PYTEST) tests/storage tests/engines/ray tests/run/tars

lint: $(VENV)/.lint  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict

samples: $(VENV)/.test  ## generate sample_data again
	$(BIN)/python sample_data/generate.py

golden: $(VENV)/.test  ## accept today's output bytes as the golden ones
	NOISECLI_RENEW_GOLDEN=1 $(BIN)/python -m pytest tests/test_golden.py tests/noise/test_golden.py

reference: $(VENV)/.test  ## write what the manual takes from the code: options and formats
	$(BIN)/python -m tests.reference

# An environment of its own: the peers need much that noisecli does not.
bench:  ## noisecli beside its peers: DATA=folder RUNS=5 SCALE=1 ONLY=images|audio|kernels|profile|memory|startup
	@$(MAKE) --no-print-directory VENV=.bench/venv .bench/venv/.bench
	.bench/venv/bin/python tests/bench --runs $(RUNS) \
		$(if $(DATA),--data '$(DATA)') $(if $(filter-out 0,$(SCALE)),--scale) $(if $(ONLY),--only $(ONLY))

soak: $(VENV)/.test  ## broken files, edits, cuts and kills by the thousand: MINUTES=10 SEED=0
	$(BIN)/python tests/soak --minutes $(MINUTES) --seed $(SEED)

clean:  ## remove what the other targets made (sample_data stays)
	rm -rf $(VENV) .bench demo build dist .pytest_cache .mypy_cache .ruff_cache
	find noisecli tests sample_data -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is the last thing that comes into a new environment: without it, the making was cut short and starts again.
$(BIN)/pip:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.test: pyproject.toml | $(BIN)/pip
	@$(PIP) install --editable '.[test]'
	$(use_an_opencv_that_loads)
	@touch $@

# Only what lint needs more: the project itself stays untouched while `make -j` may be testing it.
$(VENV)/.lint: $(VENV)/.test
	@$(EXTRAS) lint >$@.txt
	@$(PIP) install --requirement $@.txt
	@touch $@

$(VENV)/.servers: $(VENV)/.test
	@$(EXTRAS) servers >$@.txt
	@$(PIP) install --requirement $@.txt
	@touch $@

# A torch for CPUs alone is a tenth of the size; where the index has none, the ordinary one comes with the extras. The
# spoken digits of the recipes are made by espeak-ng, a disk that folds case by ntfs-3g, failing writes below Python by a C
# compiler, NFS by a Linux in a process: where one is missing and cannot come, what needs it is skipped by name.
$(VENV)/.all: $(VENV)/.lint
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) install 'torch==$(TORCH)+cpu' 2>/dev/null || \
		echo "no torch $(TORCH)+cpu here, so the ordinary torch"
	@missing=$$(for pair in espeak-ng:espeak-ng ntfs-3g:lowntfs-3g gcc:cc $(UML); do \
			command -v $${pair#*:} >/dev/null || echo $${pair%:*}; done); \
		test -z "$$missing" || { apt-get update && apt-get install --yes $$missing || \
		sudo -n apt-get update && sudo -n apt-get install --yes $$missing; } >/dev/null 2>&1 || \
		echo "missing, so the tests that need them are skipped: apt-get install" $$missing
	@$(EXTRAS) >$@.txt
	@$(PIP) install --requirement $@.txt
	$(use_an_opencv_that_loads)
	@touch $@

$(VENV)/.peers: | $(BIN)/pip
	@for peer in albumentations audiomentations; do \
		echo "installing $$peer"; $(PIP) install $$peer || echo "$$peer cannot be installed here: left out"; done
	@touch $@

# Not editable: what is measured stays as it was when the run began.
$(VENV)/.bench: pyproject.toml $(shell find noisecli -name '*.py') | $(VENV)/.peers
	@$(PIP) install .
	$(use_an_opencv_that_loads)
	@touch $@

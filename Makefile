# Two commands: `make demo` and `make test`. Each makes .venv from requirements.lock; nothing but Python and make is needed.
# `make venv PYTHON=/path/to/python3.11` chooses the interpreter.

PYTHON  ?=
VENV    := .venv
PY      := $(VENV)/bin/python
LOCKED  := $(VENV)/.locked
READY   := $(VENV)/.ready
PEERS   := $(VENV)/.peers
ORACLE  := $(VENV)/.oracle
UV      := 0.13.9

.DELETE_ON_ERROR:
.PHONY: help demo test test-long lint format bench venv lock clean

help:
	@echo "make demo       a small property from reads to bills, in a temporary directory"
	@echo "make test       the tests        make test-long   those that take minutes"
	@echo "make lint       ruff and mypy    make format      let ruff rewrite"
	@echo "make bench      the speed table  make venv        only the environment"
	@echo "make lock       resolve the locks anew              make clean"

demo: $(READY)
	@$(VENV)/bin/meterfold demo

# A file is one process's, as its fixtures are dear; two processes, as few machines have less than two cores.
test: $(READY)
	$(PY) -m pytest -m "not long" --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# The oracle of a year of bills is large and locked apart; without it that one test is skipped, and says so.
test-long: $(READY)
	@cmp -s requirements-oracle.lock $(ORACLE) || { \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-oracle.lock && \
	  cp requirements-oracle.lock $(ORACLE); } || echo "the oracle of bills could not be installed" >&2
	$(PY) -m pytest -m "long" --timeout 7200 $(ARGS)

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(READY)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# The peers are locked apart, so that the environment of everything else is without them; those missing are left out of the table.
bench: $(READY)
	@cmp -s requirements-bench.lock $(PEERS) || { \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-bench.lock && \
	  cp requirements-bench.lock $(PEERS); } || echo "the peers could not be installed" >&2
	@$(PY) -m benchmarks $(ARGS)

venv: $(READY)

# The lock decides every version, so a lock with other content (the stamp is a copy of it) makes the environment from nothing.
# Candidates are run, not just found: a pyenv shim exists for versions that are not active, and a system Python may lack venv.
$(LOCKED): requirements.lock
	@set -eu; found=; \
	if cmp -s requirements.lock $@ && $(PY) -c '' 2>/dev/null; then touch $@; exit 0; fi; \
	for candidate in $(if $(PYTHON),"$(PYTHON)",python3.12 python3.11 python3); do \
	  if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	     >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "meterfold needs Python 3.11 or 3.12 with the venv module; tried: $(if $(PYTHON),$(PYTHON),python3.12 python3.11 python3)." >&2; \
	  echo "Install one (Debian, Ubuntu: python3 and python3-venv), or name it: make venv PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" --version) (once; about 1 GB)"; \
	"$$found" -m venv --clear $(VENV); \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock; \
	cp requirements.lock $@

# setuptools is in the lock, so the editable install needs no isolated, unpinned build environment.
$(READY): $(LOCKED) pyproject.toml setup.py
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock:
	@test -x .lockenv/bin/uv || { $(or $(PYTHON),python3) -m venv --clear .lockenv && \
	  .lockenv/bin/python -m pip install --quiet uv==$(UV); }
	.lockenv/bin/uv pip compile pyproject.toml --extra dev --extra edge --extra deployed --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock $(ARGS)
	.lockenv/bin/uv pip compile --group pyproject.toml:edge-box --constraints requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements-edge.lock $(ARGS)
	.lockenv/bin/uv pip compile pyproject.toml --extra bench --constraints requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements-bench.lock $(ARGS)
	.lockenv/bin/uv pip compile pyproject.toml --extra oracle --constraints requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet --output-file requirements-oracle.lock $(ARGS)

clean:
	rm -rf $(VENV) .lockenv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

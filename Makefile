# Two commands do everything on a fresh Linux machine with Python 3.11+: `make demo` and `make test`.
# All installs go into .venv in this folder, at the versions of constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAMP := $(VENV)/.installed-daemon
DEV_STAMP := $(VENV)/.installed-dev
SUITE ?= trixie

.PHONY: demo test gimp-rig gimp-test lint bench bench-full protos typecheck format clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "setting up .venv, once: about a minute"
	@$(PIP) pip==26.3
	@$(PIP) -c constraints.txt torch==2.13.0
	@$(PIP) -c constraints.txt -e '.[daemon]' scikit-image
	@touch $@

$(DEV_STAMP): $(STAMP)
	@echo "installing the development tools, once"
	@$(PIP) -c constraints.txt --group dev
	@touch $@

demo: $(STAMP)
	@$(BIN)/python daemon/demo.py

# In two processes, a file's tests in one of them: files share what they load. What has bars on the clock runs alone
# afterwards; exit code 5: Qt's libraries are not there, so neither are those tests.
test: $(DEV_STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not gpu and not gimp and not display and not timing"
	$(BIN)/python -m pytest -m timing || [ $$? -eq 5 ]

# A real GIMP 3 in a Debian root of its own; SUITE=trixie has GIMP 3.0, SUITE=sid 3.2. Needs root.
gimp-rig:
	@tests/gimp/rig/build $(SUITE)

gimp-test: $(DEV_STAMP)
	SAFELIGHT_GIMP_SUITE=$(SUITE) $(BIN)/python -m pytest -m "gimp or display" tests/gimp

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_STAMP)
	$(BIN)/python -m tests.bench

# Peak memory of a 4096x4096 result at OSEDiff's real size: up to an hour on a CPU.
bench-full: $(DEV_STAMP)
	$(BIN)/python -m tests.bench large

protos: $(DEV_STAMP)
	$(BIN)/python -m grpc_tools.protoc -I protos --python_out=daemon --pyi_out=daemon --grpc_python_out=daemon protos/safelight/v1/*.proto

clean:
	rm -rf $(VENV) demo/ build/ dist/

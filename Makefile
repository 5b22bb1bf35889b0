# demo: the whole loop on real data.  test: the tests.  Both work on a fresh clone.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Whatever the shell says: else each process of the tests compiles anew all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test slow check bench docs lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"gleis needs Python 3.11, 3.12 or 3.13; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	$(BIN)/uv pip install -q --python $(BIN)/python -r requirements/dev.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup
	$(BIN)/gleis demo

# Three processes even on two cores: a third of the time tests wait for disks and servers.
test: setup
	$(BIN)/python -m pytest -n 3 --dist loadfile

slow: setup
	$(BIN)/python -m pytest -m slow

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini

docs: setup
	$(BIN)/python docs/generate.py

bench: setup
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done

# Pinned versions, exported without the address of any index.
lock: setup
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 pyproject.toml -o requirements/core.txt
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --extra dev -c requirements/core.txt pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Thin: each target says what it runs. PYTHON may name another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test processes at once; 0 runs the tests one after the other in make's own.
TEST_WORKERS ?= 2
DEMO_DIR ?= var/demo
PORT ?= 8000

.PHONY: demo test lint types bench clean

$(VENV)/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "KR needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "▸ installing KR into $(VENV) (a minute or two, once) …"
	@$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "▸ installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/python manage.py demo --dir $(DEMO_DIR) --port $(PORT)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

test: lint types
	$(BIN)/python -m pytest -n $(TEST_WORKERS)

bench: $(VENV)/.installed
	$(BIN)/python manage.py bench pipeline

clean:
	rm -rf $(VENV) var build *.egg-info

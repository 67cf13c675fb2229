# make demo | make test work from a fresh clone as the first command ever typed; both call `make setup`.
PY := .venv/bin/python
LAB ?= lab

.PHONY: help setup setup-dev demo test soak lint build clean

help:
	@echo "make demo   a weak-to-strong gap on real language models, measured and narrowed (no key, no GPU)"
	@echo "make test   all fast tests (<= 10 minutes on 2 cores)"
	@echo "make soak   everything long"
	@echo "make lint   ruff and mypy        make build  wheel and sdist        make setup  only install"

setup:
	@scripts/setup

setup-dev:
	@scripts/setup dev

demo: setup
	@.venv/bin/aar demo --lab $(LAB)

test: setup-dev
	@$(PY) -m pytest -q -m "not soak" -n auto --maxprocesses 4 --dist loadfile tests

soak: setup-dev
	@$(PY) -m pytest -q -n auto --maxprocesses 4 --dist loadfile --timeout 1500 -rfE tests

lint: setup-dev
	@.venv/bin/ruff check src tests bench && .venv/bin/ruff format --check src tests bench && .venv/bin/mypy

build: setup-dev
	@$(PY) -m build

clean:
	rm -rf .venv dist build

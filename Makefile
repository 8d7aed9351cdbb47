# The figures of the README. `make bench` is the engine, `make bench-ui` the live view in a real browser.
PYTHON ?= .venv/bin/python

.PHONY: bench bench-ui
bench:
	$(PYTHON) -m gan_core bench
bench-ui:
	$(PYTHON) -m tests.bench_ui

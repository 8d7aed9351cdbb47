# The figures of docs/figures.md: `make bench` is the engine, `make bench-ui` the live view in a real browser. `make steady`
# takes the tests that may be tried twice five times, and never twice: for a night.
PYTHON ?= .venv/bin/python

.PHONY: bench bench-ui steady
bench:
	$(PYTHON) -m gan_core bench
bench-ui:
	$(PYTHON) -m tests.bench_ui
steady:
	for i in 1 2 3 4 5; do $(PYTHON) -m pytest -m flaky --max-suite-reruns=0 || exit 1; done

"""One training step, how it is compiled, and a run of many."""

"""Learning with it: labs, failures on demand, examples."""

"""How good samples are: metrics, judges, floors, words; live on a budget, or in full."""

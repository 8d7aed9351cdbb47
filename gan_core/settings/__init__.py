"""The settings of a run: the config with its links and JSON, presets, recipes, what does not go together."""

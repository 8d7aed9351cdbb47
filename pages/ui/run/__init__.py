"""A page around a run: settings, transport, time machine, saving, exports."""

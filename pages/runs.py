"""Runs: what was saved, by hand, by autosave or by the command line; open, branch, compare, take away, delete."""

from pages.ui import frame, runs_view

frame.through_app()
runs_view.page()

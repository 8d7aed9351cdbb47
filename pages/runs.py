"""Runs: what was saved, by hand, by autosave or by the command line; open, branch, compare, take away, delete."""

from pages.ui import runs_view

runs_view.page()

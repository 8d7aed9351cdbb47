"""Saved runs: written, read, listed, autosaved, in bounded room."""

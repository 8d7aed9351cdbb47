"""A user's own file: the one door to its readers, on the page and on the command line; what the same file is."""

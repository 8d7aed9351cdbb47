"""What is learned: the data sets, their download, and a user's own files."""

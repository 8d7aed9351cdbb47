"""The training process, its client, and who owns which run."""

"""The way of a frame from a run to the browsers that show it."""

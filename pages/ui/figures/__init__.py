"""A snapshot as Plotly figures, and scores as texts."""

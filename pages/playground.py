"""The 2-D playground: knobs in the sidebar, the plane and the losses beside each other."""

from pages.ui import live, points_view

live.page("points", points_view.switches)

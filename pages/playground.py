"""The 2-D playground: knobs in the sidebar, the plane and the losses beside each other."""

from pages.ui import frame, live, points_view

frame.through_app()
live.page("points", points_view.switches)

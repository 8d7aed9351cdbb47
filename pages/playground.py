"""The 2-D playground: knobs in the sidebar, the plane and the losses beside each other."""

from pages.ui.run import points_display, run_page

run_page.page("points", points_display.switches)

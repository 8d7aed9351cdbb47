"""The 2-D playground: knobs in the sidebar, the plane and the losses beside each other."""

from pages.ui import points_view
from pages.ui.run import run_page

run_page.page("points", points_view.switches)

"""Images: knobs in the sidebar, the sample grid, real pictures and the losses beside each other."""

from pages.ui import images_view
from pages.ui.run import run_page

run_page.page("images", images_view.switches)

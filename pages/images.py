"""Images: knobs in the sidebar, the sample grid, real pictures and the losses beside each other."""

from pages.ui.run import images_display, run_page

run_page.page("images", images_display.switches)

"""Images: knobs in the sidebar, the sample grid, real pictures and the losses beside each other."""

from pages.ui import images_view, live

live.page("images", images_view.switches)

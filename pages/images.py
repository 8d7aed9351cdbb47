"""Images: knobs in the sidebar, the sample grid, real pictures and the losses beside each other."""

from pages.ui import frame, images_view, live

frame.through_app()
live.page("images", images_view.switches)

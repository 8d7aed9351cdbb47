"""Watch: what somebody presents, read-only, with own zoom, layers and past."""

from pages.ui import frame, watch_view

frame.through_app()
watch_view.page()

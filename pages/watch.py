"""Watch: what somebody presents, read-only, with own zoom, layers and past."""

from pages.ui import watch_view

watch_view.page()

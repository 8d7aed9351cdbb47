"""Compare: two to four runs side by side; a race of one knob's values, or saved runs and the ones that train now."""

from pages.ui import compare_view

compare_view.page()

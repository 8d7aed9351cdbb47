"""GANscope: `streamlit run app.py`. The frame around every page."""

from pages.ui import frame

frame.run()

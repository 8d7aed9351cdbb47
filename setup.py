"""Puts the app into the wheel: `app.py`, the pages, the static files and Streamlit's settings lie in `gan_core/site`.

Everything else about the package is in pyproject.toml. The app's folders keep their places in the repository, and an
installed GANscope brings no module named `app` or `pages` among everybody's packages.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class WithTheApp(build_py):
    """Copies what `streamlit run` needs beside the package."""

    def run(self) -> None:
        """As without, and the app."""
        super().run()
        if self.editable_mode:
            return  # the repository itself is used
        site = Path(self.build_lib) / "gan_core" / "site"
        shutil.rmtree(site, ignore_errors=True)
        leave = shutil.ignore_patterns("__pycache__", "plotly.min.js", "secrets.toml")
        for name in ("pages", "static", ".streamlit"):
            shutil.copytree(ROOT / name, site / name, ignore=leave)
        shutil.copy2(ROOT / "app.py", site)


setup(cmdclass={"build_py": WithTheApp})

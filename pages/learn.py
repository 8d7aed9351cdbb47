"""Learn: labs with a question and a goal, failures on demand, examples."""

from pages.ui.learn import learn_page

learn_page.page("labs", "learn_part")

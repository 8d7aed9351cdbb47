"""The old address of the examples, in no menu: the page Learn, with these chosen."""

from pages.ui.learn import learn_page

learn_page.page("examples", "learn_part_of_examples")

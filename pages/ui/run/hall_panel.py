"""What a presenter asks of the hall: the forms of a poll and of the game behind Present, and what the page shows."""

from collections.abc import Hashable
from functools import partial

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.labs.lab import Lab
from gan_core.serving.client import Run
from pages.ui.components.markdown import plain
from pages.ui.frames import hall_texts, rounds
from pages.ui.frames.hall import Hall
from pages.ui.frames.polls import LETTERS, LONGEST_ANSWER, LONGEST_QUESTION, MOST_ANSWERS, Poll
from pages.ui.frames.presentations import SHOWS, Show
from pages.ui.session import clicks, page_state

SAID = "hall_said"  # the text that the feed keeps fresh
HALL_MS = 500  # from one frame to the next while answers come, and all else stands still
OWN = "A question of my own"


def _of_lab(lab: Lab | None) -> list[Poll]:
    """The prediction of a lab, with what happens, as a poll; none without a lab."""
    if lab is None:
        return []
    try:
        return [Poll(lab.question, lab.answers, lab.right - 1 if lab.right else None)]
    except ConfigError:  # of a teacher's lab, that is too long for a phone
        return []


def ready_made(run: Run, lab: Lab | None = None) -> list[Poll]:
    """Questions that fit, the best first: the prediction of the lab that the page is in, then those of the data."""
    return [*_of_lab(lab), *_of_data(run)]


def _of_data(run: Run) -> list[Poll]:
    if DATASETS[run.config.data].kind == "images":
        names = run.data.class_names
        digits = run.config.data in ("digits", "mnist")
        first = Poll("Which digit becomes readable first?", ("0", "1", "7", "Another one"))
        found = Poll("When will you recognize something?", ("Before step 200", "By step 1,000", "Later", "Never"))
        every = Poll("Will it make images of every class?", ("Yes, of all", "Most of them", "Only a few"))
        return [*[first] * digits, found, *[every] * (len(names) > 1)]
    modes = getattr(run.data, "modes", None)
    count = 0 if modes is None else len(modes)
    if count >= 5:
        few = max(2, count // 2)
        parts = (f"All {count}", f"{few + 1} to {count - 1}", f"2 to {few}", "One")
        own = Poll(f"How many of the {count} modes will it find?", parts)
    else:
        own = Poll("Will orange cover all the blue points?", ("Yes, all", "Most of them", "A small part"))
    accuracy = Poll(
        "Where will the accuracy of D end?", ("Near 50 %: it can only guess", "Between", "Near 100 %: it tells all")
    )
    return [own, accuracy]


# -- behind Present -----------------------------------------------------------------------------------------


def poll_form(run: Run, show: Show) -> None:
    """Question and answers, and the button that opens the poll."""
    polls = {poll.question: poll for poll in ready_made(run, page_state.page().lab)}
    keys = _keys(run)
    chosen = f"poll_choice_{_about(run)}"
    st.selectbox(
        "Question",
        [*polls, OWN],
        key=chosen,
        on_change=clicks.here(_choose),
        args=(chosen, keys, polls),
        help="Fills in the fields below, which you can change.",
    )
    if keys[0] not in st.session_state:
        _fill(keys, next(iter(polls.values())))
    with st.form(f"poll_form_{_about(run)}", border=False):
        st.text_input("What you ask", key=keys[0], max_chars=LONGEST_QUESTION, help="Viewers see it on phones.")
        columns = st.columns(2, gap="xsmall")
        for i, key in enumerate(keys[1:]):
            columns[i % 2].text_input(
                f"Answer {LETTERS[i]}", key=key, max_chars=LONGEST_ANSWER, help="Two to four answers; empty: left out."
            )
        key = page_state.mine("poll_go")
        begin = clicks.once(key, partial(_ask, run, keys))
        st.form_submit_button("Start the poll", key=key, on_click=begin)
    refused = page_state.page().poll_refused
    if refused:
        st.error(refused)
    elif show.hall.ballot is not None:
        st.caption("The poll that is on the page now gives way to it.")


def _keys(run: Run) -> list[str]:
    """Of the fields: the question's, and each answer's."""
    return [f"poll_{name}_{_about(run)}" for name in ("question", *LETTERS[:MOST_ANSWERS])]


def _about(run: Run) -> str:
    """What the page is about: another lab, or other data, has other questions."""
    lab = page_state.page().lab
    return run.config.data if lab is None else f"{lab.name}_{run.config.data}"


def _fill(keys: list[str], poll: Poll | None) -> None:
    answers = () if poll is None else poll.answers
    texts = ("" if poll is None else poll.question, *answers, *[""] * (MOST_ANSWERS - len(answers)))
    for key, text in zip(keys, texts, strict=True):
        st.session_state[key] = text


def _choose(chosen: str, keys: list[str], polls: dict[str, Poll]) -> None:
    _fill(keys, polls.get(st.session_state.get(chosen) or ""))


def _ask(run: Run, keys: list[str]) -> None:
    question, *answers = (str(st.session_state.get(key) or "") for key in keys)
    here = page_state.page()
    try:
        poll = Poll(question, tuple(answer for answer in answers if answer.strip()))
        same = [own for own in _of_lab(here.lab) if (own.question, own.answers) == (poll.question, poll.answers)]
        SHOWS.ask(run, same[0] if same else poll)  # that of the lab knows what happens
        here.poll_refused = ""
    except ConfigError as error:
        here.poll_refused = str(error)


def game_form(run: Run, show: Show) -> None:
    """What the game is, and the button that begins a round."""
    what = "images" if DATASETS[run.config.data].kind == "images" else "points, each among faint real ones,"
    st.markdown(
        f"Viewers judge {what} for {rounds.ROUND_SECONDS:.0f} seconds: real or generated? Then the accuracy of the "
        "hall stands beside that of the discriminator on the same samples. Play another round at a later step."
    )
    _round_button(run, show.hall)


def _round_button(run: Run, hall: Hall) -> None:
    ready = run.worker is not None and run.step > 0
    clicks.button(
        "Start a round",
        page_state.mine("round_go"),
        hall.begin_round,
        disabled=not ready,
        help="Training may go on meanwhile: the samples are of the step at which you press.",
    )
    if not ready:
        st.caption("There are no samples yet. Press Play or Step first.")


# -- on the page --------------------------------------------------------------------------------------------


def _hall(run: Run) -> Hall | None:
    show = SHOWS.of(run)
    return None if show is None else show.hall


def stage(run: Run) -> Hashable:
    """What decides which buttons stand on the page."""
    hall = _hall(run)
    if hall is None:
        return None
    ballot, now = hall.ballot, hall.round
    poll = None if ballot is None else (ballot.number, ballot.open, ballot.truth)
    return poll, None if now is None else (now.number, now.stage), len(hall.results)


def lively(run: Run) -> bool:
    """Whether answers are awaited."""
    hall = _hall(run)
    if hall is None:
        return False
    polled = hall.ballot is not None and hall.ballot.open
    return polled or (hall.round is not None and hall.round.stage in (rounds.DRAWING, rounds.ON))


def text(run: Run, with_bars: bool) -> dict[str, str]:
    """The poll and the rounds as the presenter sees them, by the key of their element; nothing where there is none."""
    show = SHOWS.of(run)
    if show is None:
        return {}
    hall, parts = show.hall, []
    ballot, now = hall.ballot, hall.round
    if ballot is not None:
        parts.append(hall_texts.asked(ballot, show.watchers(), with_bars))
    if now is not None or hall.results:
        parts.append(hall_texts.played(now, list(hall.results)))
    return {SAID: f'<div class="ganscope-asked">{"".join(parts)}</div>'} if parts else {}


def with_bars() -> bool:
    """Whether the presenter sees what is answered while the poll is open."""
    return bool(st.session_state.get("poll_bars", True))


def buttons(run: Run) -> None:
    """What the presenter can do with the poll and the round, in a row below them."""
    hall = _hall(run)
    if hall is None:
        return
    ballot, now = hall.ballot, hall.round
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="hall_buttons"):
        if ballot is not None:
            _poll_buttons(hall)
        if now is not None and now.stage in (rounds.DRAWING, rounds.ON):
            clicks.button("End the round", "round_stop", hall.stop_round, help="Ends it now, with what was judged.")
        elif now is not None or hall.results:
            clicks.button("Next round", "round_next", hall.begin_round, help="A round with samples of the step of now.")
            clicks.button("Clear", "rounds_clear", hall.clear_rounds, help="Takes the table away, for all.")


def _poll_buttons(hall: Hall) -> None:
    ballot = hall.ballot
    if ballot is None:
        return
    if ballot.open:
        clicks.button(
            "Close the poll", "poll_close", hall.close, type="primary", help="Viewers then see what was answered."
        )
        st.session_state.setdefault("poll_bars", True)
        st.toggle(
            "Live bars",
            st.session_state.poll_bars,
            key="poll_bars",
            help="Off: until the poll is closed this page only says how many have answered. For when the hall sees it.",
        )
        return
    known = ballot.poll.truth
    if known is not None:
        clicks.button("Show what happened", "poll_truth", partial(hall.mark, known), disabled=ballot.truth == known)
    else:
        st.markdown("**This happened:**", width="content")
        for i, answer in enumerate(ballot.poll.answers):
            clicks.button(
                LETTERS[i],
                f"poll_truth_{i}",
                partial(hall.mark, i),
                type="primary" if i == ballot.truth else "secondary",
                help=f"Shows everyone what happened: {plain(answer)}.",
            )
    clicks.button("Remove", "poll_away", hall.put_away, help="Takes question and bars away, for all.")

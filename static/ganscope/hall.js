// What the presenter asks of those who watch: a poll, and rounds of "Real or generated?". The answer to a frame says
// that there is news; what it is comes by a request of its own, and answers go by another.

import { post } from "./answers.js";
import { unpack } from "./frames.js";
import { Game } from "./game.js";

const LETTERS = "ABCD";

export class Hall {
  constructor(node, token, watcher) {
    Object.assign(this, { node, token, watcher, revision: 0, game: null });
    this.node.classList.add("ganscope-hall");
    this.node.hidden = true;
    this.node.innerHTML = '<section class="poll"></section><section class="rounds"></section>';
    [this.poll, this.rounds] = this.node.children;
  }

  // Hears what is new; again with the next frame where that does not get through.
  async refresh(line) {
    const answer = await line.ask(`ganscope/frames/${this.token}/hall?watcher=${this.watcher}`);
    if (answer?.status !== 200 || this.gone) return;
    const told = unpack(answer.bytes);
    const { round } = told;
    if (this.game && (round?.stage !== "on" || round.number !== this.game.number)) {
      this.game.remove();
      this.game = null;
    }
    if (round?.stage === "on" && this.played !== round.number) {
      const asked = performance.now();
      const samples = await line.ask(`ganscope/frames/${this.token}/rounds/${round.number}`);
      if (!samples || this.gone) return;
      this.played = round.number;
      if (samples.status === 200) {
        const left = round.left - (performance.now() - asked) / 1000;
        const { number, judged } = round;
        const about = { token: this.token, watcher: this.watcher, number, judged, left };
        this.game = new Game(this.node.parentElement, { ...about, samples: unpack(samples.bytes) });
      }
    }
    this.revision = told.revision;
    this.show(told);
  }

  show({ poll, round, rounds }) {
    this.ask(poll);
    this.rounds.hidden = !rounds;
    this.rounds.innerHTML = rounds && `<h2>Real or generated?</h2>${rounds}`; // made by the server, of numbers
    if (rounds && round?.mine) {
      const [right, of] = round.mine;
      const mine = document.createElement("p");
      mine.textContent = `You: ${right} of ${of} right in the last round.`;
      this.rounds.append(mine);
    }
    this.node.hidden = !poll && !rounds;
  }

  ask(poll) {
    const asked = poll && `${poll.number} ${poll.open}`;
    this.poll.hidden = !poll;
    if (!poll || (poll.open && asked === this.asked)) return; // the buttons that are there stay
    this.asked = asked;
    const question = document.createElement("h2");
    question.textContent = poll.question;
    this.said = document.createElement("p");
    this.said.setAttribute("role", "status");
    if (!poll.open) {
      const bars = document.createElement("div");
      bars.innerHTML = poll.bars; // made by the server, of numbers and escaped words
      this.poll.replaceChildren(question, bars);
      return;
    }
    const answers = document.createElement("div");
    answers.className = "answers";
    this.buttons = poll.answers.map((answer, i) => {
      const button = document.createElement("button");
      button.textContent = `${LETTERS[i]}: ${answer}`;
      button.addEventListener("click", () => this.answer(poll, i));
      return button;
    });
    answers.append(...this.buttons);
    this.poll.replaceChildren(question, answers, this.said);
    this.mark(poll, poll.mine);
    this.node.scrollIntoView({ block: "nearest" });
  }

  async answer(poll, i) {
    const path = `ganscope/frames/${this.token}/answers`;
    const { asked } = this;
    const said = await post(path, { watcher: this.watcher, poll: poll.number, answer: i });
    if (this.asked !== asked) return; // another poll stands there by now
    if (said?.status === 200) this.mark(poll, i);
    else this.said.textContent = said ? said.text : "Connection lost. Press your answer again.";
  }

  // Shows which answer counts.
  mark(poll, mine) {
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(i === mine));
      button.textContent = `${i === mine ? "✔ " : ""}${LETTERS[i]}: ${poll.answers[i]}`;
    });
    if (mine === null) return;
    this.said.textContent = `Your answer: ${LETTERS[mine]}. You see all answers once the presenter closes the poll.`;
  }

  remove() {
    this.gone = true;
    this.game?.remove();
    this.game = null;
  }
}

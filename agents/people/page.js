"use strict";
// One person's page. It shows what the server says and sends answers; it knows no game.
// Texts may come from anybody: they enter the page as text, never as HTML.

const LONGEST_SILENCE_MS = 40000; // of the server, whose news come after 20 s at the latest
const TOO_QUICK_MS = 350; // a second click of a double click must not answer the next question

const name = location.pathname.split("/").pop();
const token = location.hash.slice(1);
const $ = (id) => document.getElementById(id);
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };

let state = null; // the last that the server said
let asked = null; // the id of the question whose form is shown
let shownAt = 0;
let folded = false; // the rules, once they were read
let runsOutAt = null; // performance.now() at which the time for the question is up

// Small tools.

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function prose(text) {
  // paragraphs and lists that begin with "- "
  const parts = [];
  for (const block of text.split(/\n{2,}/)) {
    let lines = [];
    let items = [];
    const close = () => {
      if (lines.length) parts.push(el("p", {}, lines.join("\n")));
      if (items.length) parts.push(el("ul", {}, ...items.map((item) => el("li", {}, item))));
      lines = [];
      items = [];
    };
    for (const line of block.split("\n")) {
      if (line.startsWith("- ")) {
        if (lines.length) close();
        items.push(line.slice(2));
      } else {
        if (items.length) close();
        lines.push(line);
      }
    }
    close();
  }
  return parts;
}

function pairs(list) {
  return el("dl", {}, ...list.map(([label, value]) =>
    el("div", {}, ...(label ? [el("dt", {}, label)] : []), el("dd", {}, value === "" ? "–" : value))));
}

const show = (id, wanted) => { $(id).hidden = !wanted; };

const memory = {
  get(key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full */ } },
};

// What is seen.

function render() {
  const game = state.game;
  const question = game && game.question;
  const over = state.endings.length > 0;
  const covered = Boolean(game) && state.shared && memory.get("seat") !== seatOf(game);
  if (game && !state.shared) memory.set("seat", seatOf(game));
  show("idle", !game);
  show("game", game && !covered);
  show("cover", covered);
  $("number").textContent = game ? `· game ${game.number}` : "";
  $("who").textContent = game ? `You are ${game.who}` : `Welcome, ${state.name}`;
  if (game) renderGame(game, over);
  if (covered) renderCover(game);
  renderStatus(question, over);
  renderOthers(over);
  if (question && !covered) renderQuestion(question, game);
  if (!question) asked = null;
  renderOver(over);
}

const seatOf = (game) => `${game.number}/${game.seat}`;

function renderGame(game, over) {
  const now = game.question ? game.log[game.log.length - 1] : null;
  const before = now ? game.log.slice(0, -1) : game.log;
  for (const id of ["rules-text", "briefing-text", "log", "told"]) $(id).lang = game.language;
  unlessSame("rules-text", [game.rules], () => prose(game.rules));
  unlessSame("briefing-text", [game.briefing], () => prose(game.briefing));
  unlessSame("log", before, () => before.map((entry) => logged(entry, game.who)));
  unlessSame("told", [now], () => now ? told(now) : []);
  show("rules", game.rules);
  const read = game.log.some((entry) => entry.kind === "answer");
  if (read && !folded && matchMedia("(max-width: 62rem)").matches) $("rules").open = false;
  folded = read;
  show("briefing", game.briefing);
  show("turn", game.question);
  show("waiting", !game.question && !over);
}

function unlessSame(id, content, make) {
  const key = JSON.stringify(content);
  if ($(id).dataset.content === key) return;
  $(id).dataset.content = key;
  $(id).replaceChildren(...make());
}

function logged(entry, who) {
  const mine = entry.kind === "answer";
  const said = mine ? [pairs(entry.fields)] : prose(entry.text);
  return el("li", { class: entry.kind },
    el("p", { class: "name" }, mine ? `You (${who})` : "The game"),
    el("div", { class: "said prose" }, ...said));
}

function told(entry) {
  return entry.kind === "refused"
    ? [el("div", { class: "refused prose", role: "alert" }, ...prose(entry.text))]
    : prose(entry.text);
}

function renderCover(game) {
  const text = `Now it is ${game.who}’s turn`;
  if ($("cover-title").textContent === text) return;
  $("cover-title").textContent = text;
  $("uncover").textContent = `I am ${game.who}`;
  reveal($("cover"), $("cover-title"));
}

function renderStatus(question, over) {
  const [text, kind] = over ? ["Game over", "over"]
    : question ? ["Your turn", "turn"]
    : state.game ? ["Waiting for the other player", "wait"] : ["Ready", "wait"];
  const pill = $("status");
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = `status ${kind}`;
  document.title = `${question ? "● " : ""}${text} · Catallaxy`;
}

function renderOthers(over) {
  const count = state.waiting;
  show("others", count > 0);
  const games = count === 1 ? "One more game is waiting for you." : `${count} more games are waiting for you.`;
  $("others").firstElementChild.textContent = games;
  $("next").textContent = over ? "Next game" : "Go to it";
  $("next").className = over ? "primary" : "";
}

function renderOver(over) {
  const was = !$("over").hidden;
  show("over", over);
  unlessSame("endings", state.endings, () => (over ? endings(state.endings) : []));
  if (over && !was) reveal($("over"), $("over-title"));
}

function endings(all) {
  // what happened is the same for all who share the page; what they earned is not
  const [first] = all;
  return [
    ...(first.outcome ? [el("p", { class: "outcome" }, first.outcome)] : []),
    ...all.map((each) =>
      el("p", { class: "earned" }, all.length > 1 ? `${each.who}: ${each.earned}` : each.earned)),
    ...(first.last.length ? [el("div", { class: "last" }, pairs(first.last))] : []),
  ];
}

function reveal(card, target) {
  card.scrollIntoView({ block: "nearest" });
  target.focus({ preventScroll: true });
}

// The form.

function renderQuestion(question, game) {
  runsOutAt = question.seconds_left === null ? null : performance.now() + 1000 * question.seconds_left;
  if (asked !== question.id) renderForm(question, game);
  tick();
}

function renderForm(question, game) {
  const first = asked === null && shownAt === 0;
  asked = question.id;
  $("form").dataset.id = question.id;
  shownAt = performance.now();
  $("sending").textContent = "";
  $("turn-title").textContent = game.log[game.log.length - 1].kind === "refused" ? "Try again" : "Your turn";
  const filled = memory.get(draftOf(question.id)) || question.filled;
  $("form").replaceChildren(...controls(question.fields, filled));
  const box = $("form").querySelector("input[type=text], textarea");
  const typing = box && matchMedia("(pointer: fine)").matches;
  if (!first) reveal($("turn"), typing ? box : $("turn-title"));
}

const draftOf = (id) => `draft ${token} ${id}`; // ids are the same in every run of a design

function controls(fields, filled) {
  if (fields.length === 1 && fields[0].kind === "choice" && !fields[0].optional) {
    const [field] = fields;
    return [el("fieldset", {}, el("legend", { class: "unseen" }, field.label),
      el("div", { class: "actions" }, ...field.options.map((option) =>
        el("button", { type: "submit", name: field.name, value: option.value }, option.label))))];
  }
  const numbers = fields.filter((field) => field.kind === "number");
  const made = fields.map((field) => [field, control(field, filled[field.name] || "")]);
  const rows = numbers.length > 1
    ? [el("div", { class: "pair" }, ...made.filter(([f]) => f.kind === "number").map(([, c]) => c)),
       ...made.filter(([f]) => f.kind !== "number").map(([, c]) => c)]
    : made.map(([, c]) => c);
  return [...rows, el("div", { class: "actions" }, el("button", { type: "submit", class: "primary" }, "Send"))];
}

function control(field, value) {
  const id = `field-${field.name}`;
  const optional = field.optional ? [" ", el("small", {}, "(may stay empty)")] : [];
  const problem = el("p", { class: "problem", id: `${id}-problem`, hidden: true });
  if (field.kind === "choice") {
    const radios = field.options.map((option) => el("label", { class: "radio" },
      el("input", { type: "radio", name: field.name, value: option.value, checked: option.value === value }),
      option.label));
    return el("fieldset", { class: "field" }, el("legend", {}, field.label, ...optional), ...radios, problem);
  }
  const label = el("label", { for: id }, field.label, ...optional);
  const described = { id, name: field.name, "aria-describedby": `${id}-problem` };
  if (field.kind === "number") {
    const input = el("input", { ...described, type: "text", inputmode: "decimal" });
    input.value = value;
    return el("div", { class: "field" }, label, input, problem);
  }
  const area = el("textarea", { ...described, rows: 3 });
  area.value = value;
  const count = el("p", { class: "count", id: `${id}-count` });
  if (field.longest !== null) area.setAttribute("aria-describedby", `${id}-problem ${id}-count`);
  const recount = () => {
    if (field.longest === null) return;
    const left = field.longest - [...area.value].length;
    count.textContent = left >= 0 ? `${left.toLocaleString("en")} characters left`
      : `${(-left).toLocaleString("en")} characters too many`;
    count.classList.toggle("bad", left < 0);
  };
  area.addEventListener("input", recount);
  recount();
  return el("div", { class: "field" }, label, area, count, problem);
}

// What is wrong with a field before anything is sent, so that it costs no try.
function problemOf(field, value) {
  const plain = value.trim();
  if (field.optional && plain === "") return "";
  if (field.kind === "choice") return plain === "" ? "Choose one." : "";
  if (field.kind === "number") {
    const number = plain.replace(/(?<=\d),(?=\d{3})/g, "").replace(/\$/g, "").trim();
    return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(number) ? ""
      : "Write a number, such as 1250 or 12.5.";
  }
  return "";
}

function valuesOf(question, submitter) {
  const entered = new FormData($("form"));
  if (submitter && submitter.name) entered.set(submitter.name, submitter.value);
  return Object.fromEntries(question.fields.map((field) => [field.name, entered.get(field.name) || ""]));
}

function complain(question, values) {
  let first = null;
  for (const field of question.fields) {
    const place = $(`field-${field.name}-problem`);
    if (!place) continue;
    const problem = problemOf(field, values[field.name]);
    place.textContent = problem;
    place.hidden = !problem;
    const box = $("form").elements[field.name];
    if (box instanceof HTMLElement) {
      if (problem) box.setAttribute("aria-invalid", "true");
      else box.removeAttribute("aria-invalid");
    }
    if (problem && first === null) first = box instanceof HTMLElement ? box : box[0];
  }
  if (first) first.focus();
  return first !== null;
}

async function submit(event) {
  event.preventDefault();
  const question = state && state.game && state.game.question;
  if (!question || performance.now() - shownAt < TOO_QUICK_MS) return;
  const fields = valuesOf(question, event.submitter);
  if (complain(question, fields)) return;
  const buttons = [...$("form").querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  $("sending").textContent = "";
  try {
    const done = await post("answer", { question: question.id, fields });
    if (!done.ok && done.status !== 409) throw new Error(await done.text());
    if (done.ok) sessionStorage.removeItem(draftOf(question.id));
  } catch (error) {
    $("sending").textContent = `Your answer was not sent. ${error.message || ""}`;
    for (const button of buttons) button.disabled = false;
  }
}

const post = (what, body) =>
  fetch(`/play/${name}/${what}`, { method: "POST", headers, body: JSON.stringify(body) });

// The clock.

function tick() {
  const clock = $("clock");
  const left = runsOutAt === null || !asked ? null : Math.max(0, Math.ceil((runsOutAt - performance.now()) / 1000));
  clock.hidden = left === null;
  if (left === null) return;
  const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
  if (clock.textContent !== text) clock.textContent = text;
  clock.classList.toggle("short", left <= 15);
}

// News from the server.

function banner(text, calm) {
  $("banner").textContent = text;
  $("banner").hidden = text === "";
  $("banner").classList.toggle("calm", Boolean(calm));
}

function lost() {
  const over = state && state.endings.length > 0;
  if (over) banner("The run is over. You can close this page.", true);
  else banner("The run does not answer. If it was stopped, an unfinished game begins anew when it goes on.");
  $("status").textContent = over ? "Run over" : "No connection";
  $("status").className = `status ${over ? "over" : "lost"}`;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function watch() {
  let after = "";
  let wait = 500;
  for (;;) {
    try {
      const answer = await fetch(`/play/${name}/state?after=${after}`, {
        headers, cache: "no-store", signal: AbortSignal.timeout(LONGEST_SILENCE_MS),
      });
      if (answer.status === 403 || answer.status === 404) {
        banner("This page is not open to you. Open the address that the run has printed, all of it.");
        $("status").textContent = "Closed";
        return;
      }
      if (!answer.ok) throw new Error(await answer.text());
      state = await answer.json();
      after = state.version;
      wait = 500;
      banner("");
      render();
    } catch (error) {
      console.info("no news:", error.message);
      lost();
      await pause(wait);
      wait = Math.min(2 * wait, 8000);
    }
  }
}

$("form").addEventListener("submit", submit);
$("form").addEventListener("input", () => {
  const question = state && state.game && state.game.question;
  if (question) memory.set(draftOf(question.id), valuesOf(question, null));
});
$("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
});
$("next").addEventListener("click", () => post("turn", {}).catch(lost));
$("uncover").addEventListener("click", () => {
  memory.set("seat", seatOf(state.game));
  render();
});
addEventListener("hashchange", () => location.reload());
setInterval(tick, 250);
watch();

"use strict";
// The token stands in the fragment, which no server sees. It is taken out of the address, posted once, and kept in a cookie
// that this script cannot read. This window keeps the number of its sitting, and nothing else.
const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
const $ = (id) => document.getElementById(id);
const linkToken = location.hash.slice(1);
if (linkToken) history.replaceState(null, "", location.pathname);
let fence = null, endsAt = 0, dirty = false, saving = false;

function show(id) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== id;
  document.body.dataset.shows = id;
}

function fill(values) {
  for (const place of document.querySelectorAll("[data-of]"))
    if (place.dataset.of in values) place.textContent = values[place.dataset.of] ?? "";
}

async function call(method, path, body, headers = {}) {
  const answer = await fetch("/api/sitting/" + path + "/", {
    method, headers: {"Content-Type": "application/json", "X-CSRFToken": csrf(), ...headers}, body: JSON.stringify(body ?? {}),
  });
  return {ok: answer.ok, status: answer.status, body: await answer.json().catch(() => ({}))};
}

async function look() {
  const {ok, status, body} = await call("POST", "look", {}, linkToken ? {Authorization: "Interview " + linkToken} : {});
  if (status === 401 || status === 403) return show("invalid");
  if (!ok) return show("trouble");
  fill(body);
  document.body.dataset.verdict = body.verdict;
  if (body.verdict !== "valid") return show(body.verdict);
  $("begin").textContent = $("begin").dataset[body.state === "in_progress" ? "continue" : "start"];
  show("welcome");
}

async function begin() {
  $("begin").disabled = $("take-over").disabled = true;
  const {ok, body} = await call("POST", "begin").catch(() => ({ok: false}));
  $("begin").disabled = $("take-over").disabled = false;
  if (!ok) return look();  // it has become something else meanwhile
  fence = body.fence;
  endsAt = performance.now() + body.left * 1000;
  for (const [name, text] of Object.entries(body.answers)) if ($(name)) $(name).value = text;
  dirty = false;
  tick();
  show("sitting");
}

const tell = (what) => ($("saved").textContent = $("saved").dataset[what]);  // the page has the words
const answers = () => Object.fromEntries(new FormData($("answers")));

async function save() {
  if (!dirty || saving || fence === null) return;
  saving = true;
  dirty = false;
  try {
    const {ok, status, body} = await call("PUT", "save", {fence, answers: answers()});
    if (ok) tell("saved");
    else if (body.code === "stale_session") leave("elsewhere");
    else if (status < 500) leave(null);
    else throw new Error();
  } catch {
    dirty = true;
    tell("trying");
  }
  saving = false;
}

function leave(to) {
  fence = null;
  if (to) show(to);
  else look();
}

$("begin").addEventListener("click", begin);
$("take-over").addEventListener("click", begin);
$("answers").addEventListener("input", () => {
  dirty = true;
  $("saved").textContent = "…";
});
$("answers").addEventListener("submit", async (event) => {
  event.preventDefault();
  const {ok, body} = await call("POST", "submit", {fence, answers: answers()}).catch(() => ({ok: false, body: {}}));
  if (ok) leave("handed-in");
  else if (body.code === "stale_session") leave("elsewhere");
  else if (body.code) leave(null);
  else tell("failed");
});
for (const button of document.querySelectorAll(".ask"))
  button.addEventListener("click", async () => {
    const {status} = await call("POST", "ask-for-link");
    show(status === 429 ? "trouble" : "asked");
  });

setInterval(save, 500);
function tick() {
  if (fence === null) return;
  const left = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
  $("left").textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
  if (left === 0) save().then(() => leave(null));
}

setInterval(tick, 250);
look().catch(() => show("trouble"));

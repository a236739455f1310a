// The applicant's pages. The token leaves the address bar before anything else happens, and is posted once.
"use strict";

const page = document.querySelector("main").dataset.page;

// A window has a name of its own, so that two of them are two sessions. It outlives a reload, not the window.
function windowName() {
  let name = sessionStorage.getItem("window");
  if (!name) {
    name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("window", name);
  }
  return name;
}

async function post(path, values) {
  const answer = await fetch(path, { method: "POST", body: new URLSearchParams(values) });
  if (answer.status >= 500) throw new Error("again");
  return answer.json();
}

async function openLink() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/go");
  const main = document.querySelector("main");
  if (!token && "hasVisit" in main.dataset) return location.replace("/go/interview");
  if (!token) return (document.getElementById("no-link").hidden = false);
  document.getElementById("wait").hidden = false;
  try {
    location.replace((await post("/go/open", { token })).next);
  } catch {
    location.replace("/go/trouble");
  }
}

// ---- Answering -------------------------------------------------------------------------------------------------------

class Sitting {
  constructor(main) {
    this.csrf = main.dataset.csrf;
    this.form = document.getElementById("answers");
    this.status = document.getElementById("saved");
    this.dirty = false;
    this.saving = false;
    this.ended = false;
    this.form.addEventListener("input", () => this.changed());
    document.getElementById("submit").addEventListener("click", () => document.getElementById("sure").showModal());
    document.getElementById("submit-no").addEventListener("click", () => document.getElementById("sure").close());
    document.getElementById("submit-yes").addEventListener("click", () => this.submit());
    document.getElementById("take-over").addEventListener("click", () => {
      sessionStorage.removeItem("window");
      location.reload();
    });
    addEventListener("pagehide", () => this.lastWords());
    // A machine that slept, a window that was forgotten: ask at once.
    addEventListener("focus", () => this.fence !== undefined && this.askLeft());
  }

  values(more) {
    return { csrf: this.csrf, window: windowName(), fence: this.fence, ...more };
  }
  answers() {
    return JSON.stringify(Object.fromEntries(new FormData(this.form)));
  }
  say(what) {
    this.status.textContent = this.status.dataset[what];
    this.status.dataset.now = what;
  }

  async begin() {
    let sat;
    try {
      sat = await post("/go/sit", { csrf: this.csrf, window: windowName() });
    } catch {
      this.say("unsaved");
      return setTimeout(() => this.begin(), 2000);
    }
    if (sat.stale || sat.reload) return location.reload();
    this.fence = sat.fence;
    for (const field of this.form.elements) {
      field.value = sat.answers[field.name] || "";
      field.disabled = false;
    }
    this.say(Object.keys(sat.answers).length ? "restored" : "nothing");
    this.setLeft(sat.left);
    setInterval(() => this.tick(), 250);
    setInterval(() => this.askLeft(), 5000);
  }

  // The server says how much time is left; between its answers the page counts by a clock that nobody can move.
  setLeft(seconds) {
    this.endsAt = performance.now() + seconds * 1000;
    this.tick();
  }
  tick() {
    if (this.ended) return;
    const left = Math.max(0, Math.ceil((this.endsAt - performance.now()) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(left / 3600);
    const text = (hours ? hours + ":" + two(Math.floor((left % 3600) / 60)) : Math.floor(left / 60)) + ":" + two(left % 60);
    const face = document.getElementById("left");
    if (face.textContent !== text) face.textContent = text;
    face.classList.toggle("soon", left < 300);
    if (this.lastLeft > left && [1800, 600, 300, 60].includes(left)) {
      const announce = document.getElementById("announce");
      announce.textContent = left / 60 + " " + announce.dataset.minutes;
    }
    this.lastLeft = left;
    if (left === 0) this.timeIsUp();
  }
  async askLeft() {
    if (this.ended) return;
    try {
      const now = await (await fetch("/go/left?fence=" + this.fence)).json();
      if (this.ended) return; // meanwhile
      if (now.over) return this.timeIsUp();
      if (!now.open) return location.replace("/go/interview"); // somebody ended it: the page says what it is now
      if (!now.holder) return this.stale();
      this.setLeft(now.left);
    } catch {
      // No connection: the page counts on.
    }
  }

  changed() {
    this.dirty = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), 600);
  }
  async save() {
    if (this.ended || this.saving || !this.dirty) return;
    this.saving = true;
    this.dirty = false;
    this.say("saving");
    try {
      const done = await post("/go/save", this.values({ answers: this.answers() }));
      if (done.stale) return this.stale();
      if (done.over) return this.timeIsUp();
      if (done.reload) return location.reload();
      if (!this.dirty) this.say("saved");
    } catch {
      this.dirty = true;
      this.say("unsaved");
      this.timer = setTimeout(() => this.save(), 2000);
    } finally {
      this.saving = false;
    }
    if (this.dirty) this.timer = setTimeout(() => this.save(), 600);
  }
  // The window closes: what was typed since the last save goes along, and what a save under way may not bring any more.
  lastWords() {
    if (this.ended || !(this.dirty || this.saving) || this.fence === undefined) return;
    navigator.sendBeacon("/go/save", new URLSearchParams(this.values({ answers: this.answers() })));
  }

  async submit() {
    if (this.ended) return;
    this.ended = true;
    try {
      const done = await post("/go/submit", this.values({ answers: this.answers() }));
      if (done.stale) return this.stale();
      location.replace("/go/interview");
    } catch {
      this.ended = false;
      document.getElementById("sure").close();
      this.say("unsaved");
      this.changed();
    }
  }
  end(notice) {
    this.ended = true;
    for (const field of this.form.elements) field.disabled = true;
    document.getElementById("submit").disabled = true;
    document.getElementById("sure").close();
    document.getElementById(notice).hidden = false;
    document.getElementById(notice).scrollIntoView({ block: "center" });
  }
  stale() {
    this.end("notice-stale");
    this.status.textContent = "";
  }
  timeIsUp() {
    if (this.ended) return;
    this.end("notice-over");
    // The server says what came of it, after whatever it still had to do.
    setTimeout(() => location.replace("/go/interview"), 1500);
  }
}

if (page === "opening") openLink();
addEventListener("hashchange", () => location.pathname === "/go" && openLink());
const start = document.querySelector("form.start");
if (start) start.elements.window.value = windowName();
if (page === "sitting") new Sitting(document.querySelector("main")).begin();

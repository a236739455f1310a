// The staff's pages work without this; it shows forms as dialogues and keeps the list current.
"use strict";

const dialogue = document.getElementById("dialogue");

async function showDialogue(href) {
  const answer = await fetch(href);
  const text = await answer.text();
  const part = new DOMParser().parseFromString(text, "text/html").querySelector("[data-part=dialogue]");
  if (!part) return location.assign(href);
  dialogue.querySelector(".dialogue-body").replaceChildren(document.adoptNode(part));
  const title = dialogue.querySelector("h1");
  if (title) dialogue.setAttribute("aria-label", title.textContent);
  dialogue.showModal();
  const first = dialogue.querySelector("input:not([type=hidden]), select, textarea, button");
  if (first) first.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialogue]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    showDialogue(link.href);
  }
  if (event.target.closest("dialog [data-close]")) {
    event.preventDefault();
    dialogue.close();
  }
  const off = event.target.closest("[aria-disabled=true]");
  if (off) event.preventDefault();
});

// A second click on a form that is under way does nothing; and if it did, its key is the same.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method === "post") {
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 10000);
  }
});

// ---- The list, live --------------------------------------------------------------------------------------------------

const rows = document.getElementById("rows");
let source;

function listen() {
  if (!rows) return;
  const body = rows.querySelector(".rows-body");
  source = new EventSource(body.dataset.events);
  source.onmessage = async () => {
    source.close();
    if (!dialogue.open) await renew();
    else dialogue.addEventListener("close", renew, { once: true });
  };
}

async function renew() {
  const body = rows.querySelector(".rows-body");
  const focused = document.activeElement && rows.contains(document.activeElement) && document.activeElement.closest("tr");
  const column = focused && document.activeElement.closest("td, th").cellIndex;
  try {
    const answer = await fetch(body.dataset.rows);
    if (!answer.ok || answer.redirected) return location.reload();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".rows-body");
    if (!fresh) return location.reload();
    rows.replaceChildren(document.adoptNode(fresh));
    if (focused) {
      const row = rows.querySelector(`tr[data-id="${focused.dataset.id}"]`);
      const again = row && row.cells[column].querySelector("a, button");
      if (again) again.focus();
    }
    const said = document.getElementById("refreshed");
    said.textContent = said.dataset.words;
    listen();
  } catch {
    setTimeout(renew, 3000);
  }
}
listen();
addEventListener("pagehide", () => source && source.close());

"use strict";
// Each button carries the name of its click (data-key): a second press is the same request, and gets the same answer.
const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
const notice = document.getElementById("notice");

function say(text, bad) {
  notice.textContent = text;
  notice.classList.toggle("bad", bad);
  notice.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-post]");
  if (!button) return;
  const began = performance.now();
  try {
    const answer = await fetch(button.dataset.post, {
      method: "POST",
      headers: {"Content-Type": "application/json", "X-CSRFToken": csrf(), "Idempotency-Key": button.dataset.key},
      body: button.dataset.body ?? "{}",
    });
    const body = await answer.json();
    document.body.dataset.milliseconds = Math.round(performance.now() - began);
    if (!answer.ok) return say(body.message ?? body.detail ?? body.code, true);
    button.disabled = true;
    const row = button.closest("tr");
    if (row && button.classList.contains("retake")) row.querySelector(".state").textContent = notice.dataset.archived;
    say(button.dataset.done, false);
  } catch {
    say(notice.dataset.noAnswer, true);
  }
});

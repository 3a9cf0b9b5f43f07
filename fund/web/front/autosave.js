// Saves a draft while it is written: <form data-autosave="/address/that/takes/the/same/fields">, and beside it
// <p data-autosave-says data-saving="…" data-saved="…" data-failed="…"></p>. The server answers 204 or 200 when it has
// it. Nothing is lost when it fails: the button still saves, and the next pause tries again.
const PAUSE_MS = 1500;

function watch(form) {
  const says = form.querySelector("[data-autosave-says]") || document.querySelector("[data-autosave-says]");
  const say = (what) => { if (says) says.textContent = says.dataset[what] || ""; };
  let pause, last = new URLSearchParams(new FormData(form)).toString(), busy = false;

  async function save() {
    const words = new FormData(form);
    for (const [name, value] of [...words]) if (value instanceof File) words.delete(name);
    const now = new URLSearchParams(words).toString();
    if (busy || now === last) return;
    busy = true;
    say("saving");
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: words, headers: { Accept: "application/json" }, credentials: "same-origin", redirect: "manual",
      });
      if (!answer.ok) throw new Error(answer.status);
      last = now;
      say("saved");
    } catch { say("failed"); }
    busy = false;
  }

  form.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(save, PAUSE_MS); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); });
}

export function start() {
  document.querySelectorAll("form[data-autosave]").forEach(watch);
}

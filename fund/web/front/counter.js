// Counts words or characters as fund/kernel/text.py does: NFC, line ends as one, no space around, the same list of spaces.
const SPACES = "\\t\\n \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\ufeff";
const WORD = new RegExp(`[^${SPACES}]+`, "gu");
const AROUND = new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, "gu");
const LINE_END = /\r\n?|[\x0b\x0c\x85\u2028\u2029]/g;

export const tidy = (text) => text.replace(LINE_END, "\n").normalize("NFC").replace(AROUND, "");
export const countWords = (text) => (tidy(text).match(WORD) || []).length;
export const countCharacters = (text) => [...tidy(text)].length;

function watch(box) {
  const field = box.querySelector("textarea, input");
  const said = document.getElementById(`${field.id}-count`);
  const { mostWords, mostCharacters, sayNow, sayOver } = box.dataset;
  const most = Number(mostWords || mostCharacters);
  const count = mostWords ? countWords : countCharacters;
  // Read out after a pause, not at every key.
  const aloud = said.cloneNode();
  aloud.removeAttribute("id");
  aloud.className = "govuk-visually-hidden";
  aloud.setAttribute("aria-live", "polite");
  said.after(aloud);
  let pause;
  const show = () => {
    const now = count(field.value);
    said.textContent = (now > most ? sayOver : sayNow).replace("#", now).replace("~", now - most);
    said.classList.toggle("fund-counted__limit--over", now > most);
    clearTimeout(pause);
    pause = setTimeout(() => { aloud.textContent = said.textContent; }, 1000);
  };
  field.addEventListener("input", show);
  if (field.value) show();
}

export function start() {
  document.querySelectorAll("[data-module='fund-counter']").forEach(watch);
}

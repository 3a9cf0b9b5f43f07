// What makes a page that already works a little kinder. Without it everything still works.

document.body.classList.add("js-enabled", "govuk-frontend-supported");

// The list of what to mend is read out first; its links put the cursor into the field and show its label.
const summary = document.querySelector(".govuk-error-summary");
if (summary) {
  summary.setAttribute("tabindex", "-1");
  summary.focus();
  summary.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    (field.closest("fieldset, .govuk-form-group") || field).scrollIntoView();
    field.focus({ preventScroll: true });
  });
}

// The skip link moves the cursor, not only the view.
document.querySelector(".govuk-skip-link")?.addEventListener("click", () => {
  const main = document.getElementById("main-content");
  main.setAttribute("tabindex", "-1");
  main.focus();
  main.addEventListener("blur", () => main.removeAttribute("tabindex"), { once: true });
});

// A form that was just sent is not sent again by a second press.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented) return;
  if (form.dataset.sentAt && Date.now() - Number(form.dataset.sentAt) < 3000) event.preventDefault();
  else form.dataset.sentAt = String(Date.now());
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent-at]").forEach((form) => delete form.dataset.sentAt));

if (document.querySelector("[data-module='fund-counter']")) import("./counter.js").then((part) => part.start());
if (document.querySelector("form[data-autosave]")) import("./autosave.js").then((part) => part.start());

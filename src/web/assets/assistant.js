
// Fields that the server checks while somebody types; without this it does so when the page is sent.
const waiting = new Map();

document.addEventListener("input", (event) => {
  const place = event.target.closest("[data-check]");
  if (!place) return;
  event.target.dataset.typed = "1";
  clearTimeout(waiting.get(place));
  waiting.set(place, setTimeout(() => check(place, event.target), 350));
});

async function check(place, field) {
  const { form, value } = field;
  // Back to the address, which tells again.
  if (place.dataset.check === "provider" && !value) return check(form.elements.address, form.elements.address);
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, field: place.dataset.check, value });
  const answer = await fetch("/admin/assistant/check", { method: "POST", body }).catch(() => null);
  // What was typed meanwhile has a question of its own.
  if (!answer?.ok || field.value !== value) return;
  const { wrong, says, signs_in: signsIn, set } = await answer.json();
  const told = place.parentElement.querySelector(".wrong");
  if (told && place === field) {
    told.textContent = wrong;
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const chosen = place.dataset.check === "address" && form.elements.provider?.value;
  if (!["address", "provider"].includes(place.dataset.check) || chosen) return;
  const note = form.querySelector(".says");
  note.hidden = !says;
  note.textContent = says ?? "";
  form.querySelector(".with-password").hidden = Boolean(signsIn);
  form.querySelector(".with-code").hidden = !signsIn;
  for (const name of ["server", "port", "encryption"]) {
    const other = form.elements[name];
    if (!other.dataset.typed) other.value = set?.[name] ?? "";
  }
}

// Without this a page is printed from the browser's menu.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}


// WebDMS: access links by Ctrl+C and by button, keys in the table.
(() => {
  const view = document.querySelector("[data-view]");
  const table = document.querySelector("[data-documents]");
  const search = document.querySelector("[data-search]");
  const boxes = () => (table ? [...table.querySelectorAll("input[name=number]")] : []);
  const chosen = () => boxes().filter((box) => box.checked).map((box) => box.closest("tr").dataset.link);
  const isText = (element) =>
    !!element && (element.matches("textarea, select") || (element.matches("input") && !["checkbox", "radio", "button", "submit"].includes(element.type)));
  const say = (near, key) => {
    const place = (near ?? document).querySelector("[data-said]");
    if (!place) return;
    place.textContent = place.dataset[key] ?? "";
    setTimeout(() => (place.textContent = ""), 4000);
  };

  // Several chosen documents: one pair each, with an empty line between.
  const link = () => {
    const links = chosen();
    return links.length ? links.join("\n\n") : (view?.dataset.link ?? "");
  };

  // The copy event works without a secure context. In the View tab, with nothing selected, it gives the link.
  let pending = null;
  const documents = () => [document, ...[...document.querySelectorAll("iframe[data-mail]")].map((frame) => frame.contentDocument).filter(Boolean)];
  const isSelected = (one) => one.getSelection()?.isCollapsed === false;
  const onCopy = (event) => {
    const here = event.currentTarget;
    let text = pending;
    if (text === null) {
      if (!view || isText(here.activeElement) || isSelected(here)) return;
      // What is selected in the other document is seen as selected, too.
      const elsewhere = documents().find(isSelected);
      text = elsewhere ? elsewhere.getSelection().toString() : link();
    }
    if (!text) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
    say(view ?? table, "copied");
  };
  document.addEventListener("copy", onCopy);

  const copy = (text) => {
    // A browser copies only where something is selected.
    const field = document.createElement("textarea");
    const focused = document.activeElement;
    field.value = text;
    field.className = "hidden-text";
    field.setAttribute("aria-hidden", "true");
    document.body.append(field);
    field.select();
    pending = text;
    document.execCommand("copy");
    pending = null;
    field.remove();
    focused?.focus();
  };

  // The mail's frame runs no script of its own; it is listened to from here.
  for (const frame of document.querySelectorAll("iframe[data-mail]")) {
    const listen = () => {
      const inner = frame.contentDocument;
      if (!inner || inner.archivista) return;
      inner.archivista = true;
      inner.addEventListener("copy", onCopy);
      inner.addEventListener("keydown", (event) => event.key === "Escape" && frame.blur());
    };
    frame.addEventListener("load", listen);
    listen();
  }

  // On paper a frame is as high as what is in it.
  const fit = (on) => {
    for (const frame of document.querySelectorAll("iframe[data-mail]")) {
      const inner = frame.contentDocument?.documentElement;
      frame.style.height = on && inner ? `${inner.scrollHeight}px` : "";
    }
  };
  addEventListener("beforeprint", () => fit(true));
  addEventListener("afterprint", () => fit(false));

  for (const button of document.querySelectorAll("[data-copy-link]")) {
    button.hidden = false;
    button.addEventListener("click", () => { copy(view?.dataset.link ?? button.closest("[data-link]").dataset.link); say(button.parentElement, "copied"); });
  }
  document.querySelector("[data-copy-chosen]")?.addEventListener("click", (event) => {
    event.preventDefault();
    const links = chosen();
    if (links.length) copy(links.join("\n\n"));
    say(table, links.length ? "copied" : "none");
  });

  // A range of boxes with the shift key.
  let last = null;
  table?.addEventListener("click", (event) => {
    if (!event.target.matches("input[name=number]")) return;
    const all = boxes();
    const here = all.indexOf(event.target);
    if (event.shiftKey && last !== null) {
      for (let at = Math.min(last, here); at <= Math.max(last, here); at += 1) all[at].checked = event.target.checked;
    }
    last = here;
  });

  // Arrows move between the rows.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const focused = document.activeElement;
    const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
    if (event.key === "Escape") {
      const back = document.querySelector("[data-back]");
      if (focused === search) (rows[0] ?? document.body).focus();
      else if (!isText(focused) && back) location.assign(back.href);
      return;
    }
    if (isText(focused) || focused?.matches("video, audio")) return;
    if (event.key === "/" && search) {
      event.preventDefault();
      (search.offsetParent === null ? document.querySelector("[data-back]") : search)?.focus();
      search.select();
    } else if (event.key === "?") {
      const help = document.querySelector(".help");
      if (help) help.open = !help.open;
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && rows.length) {
      const inTable = rows.indexOf(focused);
      if (inTable < 0 && focused !== document.body && !focused.closest("[data-documents]")) return;
      const start = inTable >= 0 ? inTable : rows.findIndex((row) => row.hasAttribute("aria-current"));
      const next = event.key === "ArrowDown" ? start + 1 : start < 0 ? 0 : start - 1;
      event.preventDefault();
      rows[Math.max(0, Math.min(rows.length - 1, next))].focus();
    }
  });
})();

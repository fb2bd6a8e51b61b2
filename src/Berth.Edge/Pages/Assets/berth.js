// Everything here is a convenience: each page works without it.
"use strict";

// <time> shows UTC; here it shows the person's own time, with the date when it is another day.
const localTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const day = at.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
    time.textContent = at.toLocaleString([], { ...day, hour: "2-digit", minute: "2-digit" });
  }
};
localTimes(document);

// <div data-live="/url"> is kept up to date by server-sent events whose data is the element's new contents.
for (const live of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(live.dataset.live);
  source.addEventListener("update", (event) => {
    // What the person is reading or typing stays: open details remain open, and a form that has the focus is not replaced under their hands.
    if (live.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) { return; }
    const open = new Set([...live.querySelectorAll("details[open][id]")].map((d) => d.id));
    const focus = live.contains(document.activeElement) ? document.activeElement.id : "";
    live.innerHTML = event.data;
    localTimes(live);
    for (const id of open) { document.getElementById(id)?.setAttribute("open", ""); }
    if (focus) { document.getElementById(focus)?.focus(); }
  });
  source.addEventListener("ready", () => { source.close(); location.reload(); });
  source.addEventListener("gone", () => { source.close(); location.reload(); });
  addEventListener("pagehide", () => source.close());
}

// <form data-confirm="question"> asks first. The listener is on the document because live parts are replaced.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) { event.preventDefault(); return; }
  for (const button of event.target.querySelectorAll("button")) { setTimeout(() => { button.disabled = true; }); }
});

// <pre data-stream="/url"> follows a text.
for (const log of document.querySelectorAll("[data-stream]")) {
  (async () => {
    const response = await fetch(log.dataset.stream, { headers: { Accept: "text/plain" } });
    if (!response.ok || !response.body) { return; }
    log.textContent = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) { break; }
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
      log.append(value);
      if (atEnd) { log.scrollTop = log.scrollHeight; }
    }
  })().catch(() => { /* the edge or the program ended: what was read stays */ });
}

// <select data-groups="template"> shows the elements with data-template of its value; groups that do not count are disabled, so that they are neither
// checked nor sent.
for (const select of document.querySelectorAll("select[data-groups]")) {
  const key = select.dataset.groups;
  const show = () => {
    for (const group of select.form.querySelectorAll(`[data-${key}]`)) {
      const chosen = group.dataset[key] === select.value;
      group.hidden = !chosen;
      if ("disabled" in group) { group.disabled = !chosen; }
    }
  };
  for (const field of select.form.querySelectorAll("[data-required]")) { field.required = true; }
  for (const alone of select.form.querySelectorAll(".no-script")) { alone.remove(); }
  select.addEventListener("change", show);
  show();
}

// What the server cannot do alone: the list and the road of a message stay live, times are those of the reader.
// The server renders every line; this only asks for it. Without this script every page still reads, one reload away.
const language = document.documentElement.lang === "en" ? "en-GB" : "fr-FR";

// ------------------------------------------------------------------------------------------------------------- times
const ago = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(language, { day: "2-digit", month: "2-digit" });

function since(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  if (seconds > -60) return ago.format(Math.min(seconds, 0), "second");
  if (seconds > -3600) return ago.format(Math.ceil(seconds / 60), "minute");
  if (seconds > -86400) return ago.format(Math.ceil(seconds / 3600), "hour");
  return day.format(date);
}

function tellTimes(root = document) {
  for (const time of root.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (!time.title) time.title = date.toISOString();
    const shown = time.querySelector(".clock");
    if (shown) shown.textContent = clock.format(date);
    const relative = time.querySelector(".ago");
    if (relative) relative.textContent = since(date);
    else if (time.classList.contains("full")) time.textContent = full.format(date);
    else if (time.classList.contains("exact")) time.textContent = clock.format(date);
  }
}

tellTimes();
setInterval(() => document.hidden || tellTimes(), 5000);

// ------------------------------------------------------------------------------------------------------------ events
async function fragment(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content;
}

// One question at a time: what happens meanwhile is asked for once more, after.
function oneAtATime(work) {
  let asking = false;
  let again = false;
  return async function ask() {
    if (asking) { again = true; return; }
    asking = true;
    try { await work(); } catch { /* the stream tells that the server is away */ } finally { asking = false; }
    if (again) { again = false; ask(); }
  };
}

function listen(after, kinds, work, say = () => {}) {
  const source = new EventSource(`/direct?since=${after}`);
  source.onopen = () => say(true);
  source.onerror = () => say(false);
  for (const kind of kinds) source.addEventListener(kind, work);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// -------------------------------------------------------------------------------------------------------------- list
const table = document.getElementById("exchanges");
if (table) {
  const body = table.tBodies[0];
  const live = document.getElementById("live");
  const empty = document.getElementById("empty");
  const news = document.getElementById("news");
  let newest = Number(table.dataset.newest);
  let event = Number(table.dataset.event);

  const count = () => {
    for (const place of document.querySelectorAll("[data-count]")) {
      const wanted = place.dataset.count;
      const rows = wanted ? body.querySelectorAll(`tr[data-outcome="${wanted}"]`) : body.rows;
      place.textContent = rows.length || "";
    }
  };
  count();

  const refresh = oneAtATime(async () => {
    const query = new URLSearchParams(location.search);
    query.set("since", newest);
    query.set("event", event);
    const found = await fragment(`/lignes?${query}`);
    if (!found) return;
    const rows = [...found.querySelectorAll("tr")];
    if (!rows.length) return;
    tellTimes(found);
    for (const row of rows) {
      row.classList.add("new");
      newest = Math.max(newest, Number(row.dataset.seq));
      event = Math.max(event, Number(row.dataset.event));
    }
    body.prepend(...rows);
    while (body.rows.length > Number(table.dataset.keep)) body.lastElementChild.remove();
    empty.hidden = true;
    news.textContent = rows.length === 1 ? news.dataset.one : `${rows.length} ${news.dataset.many}`;
    count();
  });

  if (!("still" in table.dataset)) {
    const say = (on) => {
      live.textContent = on ? live.dataset.on : live.dataset.off;
      live.classList.toggle("on", on);
    };
    listen(event, ["decided", "refused", "notified", "reset"], refresh, say);
    addEventListener("visibilitychange", () => document.hidden || refresh());
  }
  const filters = document.querySelector(".filters");
  for (const choice of filters.querySelectorAll("input[type=radio], select")) {
    choice.addEventListener("change", () => filters.requestSubmit());
  }
}

// ------------------------------------------------------------------------------------------------------------- story
const story = document.getElementById("story");
if (story) {
  const refresh = oneAtATime(async () => {
    const found = await fragment(story.dataset.src);
    if (!found) return;
    const open = story.querySelector("details")?.open;
    tellTimes(found);
    story.replaceChildren(found);
    story.querySelector("details").open = Boolean(open);
  });
  listen(story.dataset.event, ["decided", "delivered", "relayed", "deferred", "dead", "read", "registered", "notified"], refresh);
}

// ------------------------------------------------------------------------------------------------------------- rules
const sift = document.getElementById("sift");
if (sift) {
  sift.hidden = false;
  const plain = (text) => text.toLocaleLowerCase(language).normalize("NFD").replace(/\p{M}/gu, "");
  sift.addEventListener("input", () => {
    const words = plain(sift.value).split(/\s+/);
    for (const section of document.querySelectorAll(".family")) {
      let shown = 0;
      for (const row of section.querySelectorAll("tbody tr")) {
        const text = plain(row.textContent);
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      section.hidden = !shown;
    }
  });
}

// Makes the list of exchanges live: the server renders each new line, this only asks for it.
const table = document.getElementById("exchanges");
const body = table.tBodies[0];
const live = document.getElementById("live");
const empty = document.getElementById("empty");
const KEEP = 200;

let newest = Number(table.dataset.newest);
let asking = false;
let again = false;

function say(on) {
  live.textContent = on ? live.dataset.on : live.dataset.off;
  live.classList.toggle("on", on);
}

async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  const query = new URLSearchParams(location.search);
  query.set("since", newest);
  const answer = await fetch(`/lignes?${query}`, { headers: { Accept: "text/html" } });
  if (answer.ok && !answer.redirected) {
    const fragment = document.createElement("template");
    fragment.innerHTML = await answer.text();
    const rows = [...fragment.content.querySelectorAll("tr")];
    for (const row of rows) {
      row.classList.add("new");
      newest = Math.max(newest, Number(row.dataset.seq));
    }
    body.prepend(...rows);
    while (body.rows.length > KEEP) body.lastElementChild.remove();
    if (rows.length) empty.hidden = true;
  }
  asking = false;
  if (again) { again = false; refresh(); }
}

const source = new EventSource(`/direct?since=${table.dataset.event}`);
source.onopen = () => say(true);
source.onerror = () => say(false);
source.addEventListener("decided", refresh);
addEventListener("pagehide", () => source.close());

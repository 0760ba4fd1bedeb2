"use strict";

// Everything that is shown was written by somebody else: it goes in as text nodes, and never as HTML.

const EVERY = 3000;

const at = (id) => document.getElementById(id);

/** An element with a class and children; texts become text nodes. */
function element(tag, style, ...children) {
  const made = document.createElement(tag);
  if (style) made.className = style;
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

const count = (number, one, many) => (number === 1 ? `1 ${one}` : `${number} ${many}`);

// ---- tables

function table(style, heads, rows) {
  const head = element("tr", "", heads.map((text) => {
    const cell = element("th", "", text);
    cell.scope = "col";
    return cell;
  }));
  const body = rows.map(({ style: row, cells }) =>
    element("tr", row, cells.map((cell, column) => {
      const made = element("td", "", cell);
      made.dataset.head = heads[column];
      return made;
    })));
  return element("div", "scroll", element("table", style, element("thead", "", head), element("tbody", "", body)));
}

function pairs(params) {
  const items = params.flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]);
  return element("dl", "params", items);
}

// ---- the last requests

/** How an outcome is coloured. The word stands beside it all the same. */
function mood(outcome, losses) {
  if (outcome === "done" || outcome === "passed") return losses > 0 ? "warn" : "good";
  return outcome === "hung-up" ? "warn" : "bad";
}

function badge(outcome, losses) {
  const lost = losses > 0 ? `, ${count(losses, "loss", "losses")}` : "";
  return element("span", `badge ${mood(outcome, losses)}`, outcome + lost);
}

function ms(number) {
  if (typeof number !== "number") return "?";
  return number >= 1000 ? `${(number / 1000).toFixed(2)} s` : `${number.toFixed(number < 10 ? 1 : 0)} ms`;
}

function when(text) {
  const date = new Date(text);
  const made = element("time", "", Number.isNaN(date.getTime()) ? text : clock(date));
  made.dateTime = text;
  made.title = text;
  return made;
}

function clock(date) {
  const two = (number) => String(number).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return date.toDateString() === new Date().toDateString() ? time : `${day} ${time}`;
}

function callMade(call, number) {
  const { target, action, params, outcome, code, request_id: id, took_ms: took } = call;
  const told = [`to ${target}`, code === null ? null : `code ${code}`, ms(took), id === null ? null : `request id ${id}`];
  const head = element("p", "", `${number}. `, element("b", "", action), " ", badge(outcome, 0), " ",
    element("span", "hint", told.filter((part) => part !== null).join(" · ")));
  return element("li", "", head, params.length > 0 ? pairs(params) : element("p", "hint", "as it came, or without parameters"));
}

function times({ took_ms, gateway_ms, upstream_ms, waiting_ms }) {
  return `${ms(took_ms)}: ${ms(gateway_ms)} in the gateway, ${ms(upstream_ms)} upstream, ${ms(waiting_ms)} waiting`;
}

function request(past) {
  const { dialect, action, client, target, outcome, status, message, calls, losses, id } = past;
  const made = element("details", `request ${mood(outcome, losses.length)}`);
  made.open = id !== "" && location.hash === `#request=${encodeURIComponent(id)}`;
  made.append(element("summary", "",
    when(past.at),
    badge(outcome, losses.length),
    element("span", "action", action === "" ? "(no action)" : action),
    element("span", "way", `${dialect} → ${target === null ? "nowhere" : target}`),
    element("span", "took", ms(past.took_ms))));
  const answered = status === null ? "the caller had hung up" : `HTTP ${status}`;
  const inside = element("div", "inside", pairs([
    ["answered", `${outcome}, ${answered}`],
    ...(message === null ? [] : [["message", message]]),
    ["client", client === null ? "not known" : client],
    ["request id", id === "" ? "none" : id],
    ["time", times(past)],
  ]));
  if (losses.length > 0) {
    inside.append(element("h3", "", count(losses.length, "loss", "losses")),
      element("ul", "losses", losses.map(([field, why]) => element("li", "", element("b", "", field), `: ${why}`))));
  }
  inside.append(element("h3", "", calls.length === 0 ? "No call was made for it" : `${count(calls.length, "call", "calls")} made for it`),
    element("ol", "calls", calls.map((call, index) => callMade(call, index + 1))));
  made.append(inside);
  return made;
}

/** What is shown already, by its key, so that a row that is open stays open and keeps the focus. */
let shown = new Map();

function show(requests) {
  const seen = new Map();
  const next = new Map();
  for (const past of requests) {
    const name = JSON.stringify([past.at, past.id, past.action, past.took_ms]);
    const turn = (seen.get(name) ?? 0) + 1;
    seen.set(name, turn);
    const key = `${turn} ${name}`;
    next.set(key, shown.get(key) ?? request(past));
  }
  const list = at("requests");
  for (const [key, row] of shown) {
    if (!next.has(key)) row.remove();
  }
  let place = list.firstChild;
  for (const row of next.values()) {
    if (row === place) place = place.nextSibling;
    else list.insertBefore(row, place);
  }
  shown = next;
}

const EMPTY = "No request has come yet. Send one to the gateway's own address (`listen` in its config), for instance one of the lines that `weighbridge serve` prints at its start; or paste one above and see what would become of it.";

let asking = false;

async function refresh() {
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch("/requests", { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
    const { requests } = await answer.json();
    show(requests);
    say(requests.length === 0 ? EMPTY : `${count(requests.length, "request", "requests")}, the newest first. Open one for its calls.`);
  } catch (error) {
    say(`The gateway does not tell: ${error.message}. What is below may be old.`);
  } finally {
    asking = false;
  }
}

function say(text) {
  // A screen reader is not to hear the same every three seconds.
  if (at("state").textContent !== text) at("state").textContent = text;
}

// ---- explain

const FATES = {
  carried: "carried",
  added: "added",
  implied: "nothing to say there",
  read: "read by the gateway, not passed on",
  beside: "no parameter of this action: ignored, as the caller's cloud does",
  remembered: "no place for it; the gateway remembers it",
  reported: "lost, and reported to the caller",
  refused: "refused",
};
const MOODS = { reported: "warn", remembered: "note", refused: "bad" };

function said(cell) {
  if (cell === null) return "";
  const text = cell.value === "" ? cell.name : `${cell.name}=${cell.value}`;
  return cell.default === true ? `${text} (default)` : text;
}

/** What is alike for all of many backends stands once, or twenty of them would fill the page. */
function gathered(fields) {
  const backends = fields.filter((part) => part.about !== null);
  if (backends.length < 2) return fields;
  const all = backends.map((part) => new Set(part.ways.map((way) => JSON.stringify(way))));
  const alike = (way) => all.every((known) => known.has(JSON.stringify(way)));
  const common = backends[0].ways.filter(alike);
  const own = (part) => ({ ...part, ways: part.ways.filter((way) => !alike(way)) });
  const together = common.length > 0 ? [{ about: `All ${backends.length} backends`, ways: common }] : [];
  return [...fields.filter((part) => part.about === null), ...together, ...backends.map(own)];
}

function ways({ about, ways: rows }, here, there) {
  const cells = rows.map((way) => {
    const fate = FATES[way.fate] ?? way.fate;
    const why = way.why === null ? fate : `${fate}: ${way.why}`;
    return { style: MOODS[way.fate] ?? "", cells: [way.field, said(way.from), said(way.to), why] };
  });
  const made = table("ways", ["field", here, there, "what becomes of it"], cells);
  if (about === null) return [element("h3", "", "The request"), made];
  return [element("h3", "", about), made];
}

function callMeant({ endpoint, action, signature, params }, number) {
  const head = element("p", "", `${number}. `, element("b", "", action), " ", element("span", "hint", `at ${endpoint}, signed with ${signature}`));
  return element("li", "", head, pairs(Object.entries(params)));
}

function explained(told) {
  const here = told.cloud ?? "the caller";
  const there = told.target_cloud ?? "the target";
  const parts = [];
  if (told.refused) {
    const { status, fault, body } = told.refused;
    parts.push(element("p", "verdict bad", told.action ? `${told.action} of ${here} would be refused: ${fault}` : `It would be refused: ${fault}`),
      element("p", "", `Nothing would be sent. The caller would see HTTP ${status}:`),
      element("pre", "", typeof body === "string" ? body : JSON.stringify(body, null, 2)));
  } else if (told.calls.length === 0) {
    parts.push(element("p", "verdict good", `${told.action} of ${here} is answered by the gateway itself`));
  } else {
    const what = told.passed_on ? "goes on as it came, signed anew, to" : `becomes ${count(told.calls.length, "call", "calls")} of ${there}, target`;
    parts.push(element("p", `verdict ${told.losses.length > 0 ? "warn" : "good"}`, `${told.action} of ${here}, as client ${told.client}, ${what} ${told.target}`));
  }
  parts.push(...gathered(told.fields ?? []).flatMap((part) => ways(part, here, there)));
  if (told.losses && told.losses.length > 0) {
    parts.push(element("h3", "", "Lost"),
      element("ul", "losses", told.losses.map(({ field, reason }) => element("li", "", element("b", "", field), `: ${reason}`))));
  }
  if (told.calls && told.calls.length > 0) {
    parts.push(element("h3", "", "What the target would get"), element("ol", "calls", told.calls.map((call, index) => callMeant(call, index + 1))));
  }
  return parts;
}

let run = 0;

async function explain(text) {
  run += 1;
  const mine = run;
  const place = at("explanation");
  place.replaceChildren(element("p", "hint", "Asking the gateway …"));
  let parts;
  try {
    const answer = await fetch("/explain", { method: "POST", headers: { "content-type": "text/plain" }, body: text });
    if (answer.ok) {
      parts = [...explained(await answer.json()), link(text)];
    } else {
      parts = [element("p", "verdict bad", await answer.text())];
    }
  } catch (error) {
    parts = [element("p", "verdict bad", `The gateway does not tell: ${error.message}`)];
  }
  // A later one may have been asked meanwhile.
  if (mine === run) place.replaceChildren(...parts);
}

function link(text) {
  const made = element("a", "", "link to this");
  made.href = `#explain=${encodeURIComponent(text)}`;
  return element("p", "hint", made, " (it holds the whole request, a signature too)");
}

function explainFragment() {
  const text = location.hash.startsWith("#explain=") ? location.hash.slice("#explain=".length) : "";
  if (text === "") return;
  let request;
  try {
    request = decodeURIComponent(text);
  } catch {
    request = text;
  }
  at("request").value = request;
  explain(request);
}

at("explain").addEventListener("submit", (event) => {
  event.preventDefault();
  explain(at("request").value);
});
at("request").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    at("explain").requestSubmit();
  }
});
at("live").addEventListener("change", () => {
  if (at("live").checked) refresh();
});
window.addEventListener("hashchange", explainFragment);
setInterval(() => {
  if (at("live").checked && !document.hidden) refresh();
}, EVERY);
explainFragment();
refresh();

"use strict";

const EVERY_MS = 15000, SURE_MS = 5000;
const KINDS = { schedule: "Checks", stories: "/stories", link: "Links", highlight: "Highlights", subscribe: "New subscriptions", media: "Downloads" };
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640, HEIGHT = 120, BASE = 119, TOP = 4;

let proof = "";
let timer = 0;

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" }); // of a day in UTC
const moment = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function element(name, text, classes) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

// `whose` names the row to a screen reader, for which all buttons of a table are alike.
function button(text, body, classes, ask, whose) {
  const made = element("button", text, classes);
  made.type = "button";
  if (whose) made.append(element("span", " " + whose, "spoken"));
  onPress(made, classes === "danger" || classes === "strong", () => {
    const wanted = ask ? ask() : body;
    if (wanted) act(wanted);
  });
  return made;
}

// What spends, blocks or drops is done by a second press within some seconds.
function onPress(made, asks, go) {
  const label = made.firstChild, text = label.data;
  made.onclick = () => {
    if (!asks || made.dataset.asked) return go();
    made.dataset.asked = "true";
    label.data = text + ": sure?";
    setTimeout(() => {
      delete made.dataset.asked;
      if (label.data === text + ": sure?") label.data = text;
    }, SURE_MS);
  };
}

function say(text, classes) {
  at("state").textContent = text;
  at("state").className = classes || "";
}

async function call(path, options) {
  const answer = await fetch("/admin/api/" + path, {
    credentials: "omit", cache: "no-store", headers: { Authorization: proof, "Content-Type": "application/json" }, ...options,
  });
  if (answer.status === 401) throw new Error("closed");
  if (!answer.ok) throw new Error("refused");
  return answer.json();
}

function failed(error) {
  if (error.message === "closed") {
    clearInterval(timer);
    document.querySelector("main").hidden = true;
    say("This page has been open for long, or isn't yours. Please open it again: /admin in Telegram gives a link.", "bad");
  } else {
    say(error.message === "refused" ? "That couldn't be done." : "The bot doesn't answer.", "bad");
  }
}

async function act(body) {
  for (const one of document.querySelectorAll("button")) one.disabled = true;
  try {
    show(await call("do", { method: "POST", body: JSON.stringify(body) }));
  } catch (error) {
    for (const one of document.querySelectorAll("button")) one.disabled = false;
    failed(error);
  }
}

async function refresh() {
  if (document.hidden || document.querySelector("[data-asked]")) return;
  try {
    show(await call("state"));
  } catch (error) {
    failed(error);
  }
}

async function begin() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  try {
    if (key) {
      history.replaceState(null, "", location.pathname);
      const opened = await call("session", { method: "POST", body: JSON.stringify({ key }) });
      sessionStorage.setItem("session", opened.session);
      proof = "Bearer " + opened.session;
    } else {
      proof = "Bearer " + (sessionStorage.getItem("session") || "");
    }
    show(await call("state"));
    timer = setInterval(refresh, EVERY_MS);
  } catch (error) {
    failed(error);
  }
  document.documentElement.dataset.ready = "true";
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return number.format(seconds / 3600) + " h";
}

function days(count) {
  if (count === null) return "nothing is spent";
  if (count > 365) return "over a year";
  if (count > 60) return "about " + Math.round(count / 30) + " months";
  return count < 2 ? "about " + duration(count * 86400) : "about " + Math.round(count) + " days";
}

function show(state) {
  const f = state.figures;
  say("As of " + moment.format(new Date(state.now)));
  document.querySelector("main").hidden = false;
  const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD" });
  at("switch-text").textContent = state.stopped ? "Spending is stopped: nothing is checked or fetched." : "Spending is on.";
  at("switch-text").className = state.stopped ? "bad" : "";
  const turn = at("switch");
  turn.textContent = state.stopped ? "Resume spending" : "Stop spending";
  turn.className = state.stopped ? "strong" : "danger";
  turn.disabled = false;
  delete turn.dataset.asked;
  at("leave").onclick = () => act({ action: "end_session" });
  onPress(turn, true, () => act({ action: state.stopped ? "resume" : "stop" }));
  figures([
    ["Today", number.format(f.spent) + " of " + number.format(f.budget) + " credits"],
    ["30 days", number.format(f.month) + " credits (" + money.format(f.month * f.price) + ")"],
    ["Balance", f.balance === null ? "not known" : number.format(f.balance) + " credits"],
    ["Lasts for", days(f.days_left)],
    ["Profiles checked", number.format(f.profiles) + " of " + number.format(f.possible)],
    ["Post to alert", f.delay_s === null ? "–" : "about " + duration(f.delay_s)],
    ["Alerts waiting", number.format(f.waiting)],
    ["Alerts given up", number.format(f.parked)],
  ]);
  incidents(state.incidents);
  parked(state.parked);
  chart("spent", state.days, Object.keys(KINDS), (day, kind) => day.spent[kind] || 0, KINDS);
  chart("delay", state.days, ["delay"], (day) => (day.delay_s || 0) / 60);
  chart("waiting", state.days, ["waiting"], (day) => day.waiting);
  people(state.people);
  schedule(state.schedule);
}

function figures(rows) {
  at("figures").replaceChildren(...rows.map(([name, value]) => {
    const box = element("div");
    box.append(element("dt", name), element("dd", value));
    return box;
  }));
}

function incidents(found) {
  const open = found.filter((one) => !one.closed), over = found.filter((one) => one.closed).slice(0, 10);
  const rows = [...open, ...over].map((one) => {
    const row = element("div", undefined, "item");
    const text = element("p");
    text.append(element("span", "#" + one.id + " ", one.closed ? "faint" : "bad"), one.text);
    const when = moment.format(new Date(one.opened)) + (one.closed ? ", over at " + moment.format(new Date(one.closed)) : "");
    row.append(text, element("span", when, "faint"));
    return row;
  });
  if (!open.length) rows.unshift(element("p", "Nothing is wrong.", "good"));
  at("incidents").replaceChildren(...rows);
}

function parked(found) {
  if (!found.length) return at("parked").replaceChildren(element("p", "None.", "faint"));
  at("parked").replaceChildren(...found.map((one) => {
    const row = element("div", undefined, "item"), text = element("p");
    text.append(one.chat + " ", element("span", moment.format(new Date(one.at)) + ", " + one.copies + " tries. " + one.reason, "faint"));
    const buttons = element("div");
    const whose = "the alert in " + one.chat;
    buttons.append(
      button("Send again", { action: "send_again", id: one.id }, "", null, whose), button("Drop", { action: "drop", id: one.id }, "danger", null, whose),
    );
    row.append(text, buttons);
    return row;
  }));
}

function table(id, heads, rows) {
  const made = element("table"), head = element("tr");
  head.append(...heads.map(([text, classes]) => element("th", text, classes)));
  for (const row of rows) [...row.children].forEach((cell, place) => { cell.dataset.label = heads[place][0]; });
  made.append(head, ...rows);
  at(id).replaceChildren(rows.length ? made : element("p", "None yet.", "faint"));
}

function cells(...found) {
  const row = element("tr");
  row.append(...found.map(([content, classes]) => {
    const cell = element("td", undefined, classes);
    cell.append(...(Array.isArray(content) ? content : [content]));
    return cell;
  }));
  return row;
}

const STATES = { owner: "owner", allowed: "allowed", blocked: "blocked", asked: "asked to be let in", guest: "" };

function people(found) {
  table("people", [["Name"], ["Credits this month", "number"], ["Limit a day", "number"], ["Actions", "number"]], found.map((one) => {
    const whose = one.name + ", ID " + one.id;
    const name = [one.name + " ", element("span", "ID " + one.id + " ", "faint"), element("span", STATES[one.state] + (one.reason ? ": " + one.reason : ""), one.state === "blocked" ? "bad" : "faint")];
    const limit = button("Limit", null, "", () => {
      const said = prompt("Credits a day for " + one.name + " (empty: as for everybody)", one.limit === null ? "" : one.limit);
      if (said === null) return null;
      const wanted = said.trim() === "" ? null : Number(said);
      return { action: "limit", id: one.id, value: wanted };
    }, whose);
    const buttons = one.state === "owner" ? [] : [limit];
    if (one.state === "blocked") buttons.push(button("Unblock", { action: "unblock", id: one.id }, "", null, whose));
    else if (one.state === "asked") buttons.push(button("Let in", { action: "allow", id: one.id }, "", null, whose));
    if (one.state !== "owner" && one.state !== "blocked") buttons.push(button("Block", { action: "block", id: one.id }, "danger", null, whose));
    return cells([name, "name"], [number.format(one.credits), "number"], [one.limit === null ? "–" : number.format(one.limit), "number"], [buttons, "buttons"]);
  }));
}

function schedule(found) {
  table("schedule", [["Profile"], ["Next check"], ["Expected delay", "number"], ["Credits a day", "number"]], found.map((one) => cells(
    [one.profile, "name"], [moment.format(new Date(one.next))], [duration(one.delay_s), "number"],
    [one.credits_a_day === null ? "–" : number.format(one.credits_a_day < 10 ? one.credits_a_day : Math.round(one.credits_a_day)), "number"],
  )));
}

function drawn(name, values, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function chart(id, days, kinds, value, names) {
  const most = Math.max(0, ...days.map((day) => kinds.reduce((sum, kind) => sum + value(day, kind), 0)));
  if (!most) return at(id).replaceChildren(element("p", "Nothing yet: the first figures come after an hour.", "faint"));
  const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": at(id).previousElementSibling.textContent });
  const step = WIDTH / Math.max(days.length, 10);
  svg.append(drawn("line", { x1: 0, x2: WIDTH, y1: BASE, y2: BASE }));
  svg.append(drawn("line", { x1: 0, x2: WIDTH, y1: TOP, y2: TOP, class: "most" }));
  days.forEach((day, place) => {
    let y = BASE;
    kinds.forEach((kind, index) => {
      const height = (value(day, kind) / most) * (BASE - TOP);
      y -= height;
      if (height) {
        const bar = drawn("rect", { x: place * step + 1, y, width: Math.max(1, step - 2), height, class: "k" + (index + 1) });
        bar.append(drawn("title", {}, `${date.format(new Date(day.day))}: ${number.format(value(day, kind))}`));
        svg.append(bar);
      }
    });
  });
  const plot = element("div", undefined, "plot"), scale = element("div", undefined, "scale");
  scale.append(element("span", number.format(most)), element("span", "0"));
  plot.append(scale, svg);
  const legend = element("p", undefined, "legend");
  const [first, last] = [days[0], days[days.length - 1]].map(({ day }) => date.format(new Date(day)));
  legend.append(element("span", first === last ? first : first + " to " + last));
  for (const [index, kind] of kinds.entries()) {
    if (!names || !days.some((day) => value(day, kind))) continue;
    const one = element("span");
    one.append(element("i", "", "k" + (index + 1)), names[kind]);
    legend.append(one);
  }
  at(id).replaceChildren(plot, legend);
}

begin();

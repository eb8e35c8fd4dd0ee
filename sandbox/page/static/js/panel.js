// The "Sandbox" panel: samples to try, the publication of a story, the bill and the clock.
import * as api from "./api.js";
import { $, h, icon, iconButton, memory, reconcile } from "./dom.js";
import { attempt, toast } from "./notices.js";
import { isMine } from "./model.js";
import { messages, now, on, store } from "./state.js";

const EVERY = 2_000; // ms between two requests of the bill while the panel is open
const STEPS = [["10 min", 600], ["1 h", 3_600], ["6 h", 21_600], ["1 day", 86_400]];
const SPEEDS = [1, 10, 60, 600];

let pace = 1;

/** The tour: a sample gets a tick when this visitor has sent it. The tour disappears when all have a tick. */
function samples(list, actions) {
  const rows = list.map(({ text, note, chat }) => {
    const tick = h("span", { class: "tick", role: "img", "aria-label": "not tried yet" });
    const row = h("li", {}, tick,
      h("button", { type: "button", class: "sample", title: "Put into the typing box", onclick: () => actions.fillSample(text, chat) },
        h("code", { dir: "ltr" }, text), h("span", {}, note)),
      iconButton("send", `Send ${text}`, () => actions.sendSample(text, chat), "icon-button sample-send"));
    return { text, row, tick };
  });
  const done = h("p", { class: "faint", hidden: true }, "You have tried everything. Well done!");
  const tour = h("ol", { class: "samples" }, rows.map(({ row }) => row));
  const draw = () => {
    const mine = [...store.chats.keys()].flatMap((id) => messages(id)).filter((message) => isMine(message, store.person));
    const written = new Set(mine.map((message) => message.text));
    for (const { text, row, tick } of rows) {
      if (!written.has(text) || row.classList.contains("tried")) continue;
      row.classList.add("tried");
      tick.replaceChildren(icon("check"));
      tick.setAttribute("aria-label", "tried");
    }
    tour.hidden = rows.every(({ row }) => row.classList.contains("tried"));
    done.hidden = !tour.hidden;
  };
  on("messages", draw);
  draw();
  return [tour, done];
}

function publisher(profiles) {
  const choice = h("select", { id: "publish-as" }, profiles.map((name) => h("option", { value: name }, name)));
  choice.value = profiles.includes("natgeo") ? "natgeo" : profiles[0];
  const publish = async (mediaType, word) => {
    const done = await attempt(() => api.publish(choice.value, { media_type: mediaType }));
    if (done) toast(`${choice.value} has posted a ${word}.`);
  };
  return h("div", { class: "publish" }, h("label", { for: "publish-as" }, "As"), choice,
    h("button", { type: "button", class: "soft", onclick: () => publish(1, "photo") }, icon("photo"), "Photo"),
    h("button", { type: "button", class: "soft", onclick: () => publish(2, "video") }, icon("video"), "Video"));
}

function clock() {
  const steps = STEPS.map(([label, seconds]) =>
    h("button", { type: "button", class: "soft", "aria-label": `Move the clock on by ${label}`, onclick: () => advance(seconds) }, `+${label}`));
  const speeds = SPEEDS.map((speed) =>
    h("button", { type: "button", class: "soft speed", "aria-pressed": String(speed === pace), data: { speed }, onclick: () => setPace(speed) }, `${speed}×`));
  return h("div", { class: "clock" }, h("output", { id: "clock-now" }),
    h("div", { class: "row", role: "group", "aria-label": "Move on" }, steps),
    h("div", { class: "row", role: "group", "aria-label": "Speed while this page is open" }, speeds));
}

async function advance(seconds) {
  await attempt(() => api.advance(seconds));
  await look();
}

function setPace(speed) {
  pace = speed;
  for (const node of document.querySelectorAll(".speed")) {
    node.setAttribute("aria-pressed", String(Number(node.dataset.speed) === pace));
  }
}

/** One second of this page is `pace` seconds of the sandbox. */
function tick() {
  if (pace > 1 && store.linked) api.advance(pace - 1).then(() => (store.skew += pace - 1), () => setPace(1));
  if ($("clock-now")) $("clock-now").textContent = stamp(now());
}

const stamp = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

function bill() {
  return h("div", { class: "bill" },
    h("p", { class: "total" }, h("strong", { id: "bill-total" }, "0"), h("span", { id: "bill-unit" }, "credits billed")),
    h("ul", { id: "bill-paths" }), h("p", { id: "bill-calls", class: "faint" }));
}

function drawBill({ billed, calls }) {
  $("bill-total").textContent = billed.total;
  $("bill-unit").textContent = billed.total === 1 ? "credit billed" : "credits billed";
  const rows = Object.entries(billed.by_path).sort(([, a], [, b]) => b - a)
    .map(([path, count]) => ({ key: path, signature: `${count}`, path, count }));
  reconcile($("bill-paths"), rows, ({ path, count }) => h("li", {}, h("code", {}, path), h("span", {}, String(count))));
  const words = Object.entries(calls).map(([service, count]) => `${service} ${count}`);
  $("bill-calls").textContent = words.length ? `Requests: ${words.join(" · ")}` : "No requests yet";
}

/** Requests the bill and the time from the sandbox. */
async function look() {
  const seen = await api.state().catch(() => null);
  if (!seen) return;
  store.skew = seen.now - Date.now() / 1000;
  if ($("bill-total")) drawBill(seen);
}

const section = (title, ...content) => h("section", {}, h("h3", {}, title), ...content);

function toggle(open) {
  $("app").dataset.panel = open ? "open" : "closed";
  $("panel").inert = !open;
  $("panel-toggle").setAttribute("aria-expanded", String(open));
  memory.write("panel", open);
}

export async function setUpPanel(world, actions) {
  const close = iconButton("close", "Close the sandbox panel", () => {
    toggle(false);
    $("panel-toggle").focus();
  });
  $("panel").replaceChildren(h("header", {}, icon("flask"), h("h2", {}, "Sandbox"), close), h("div", { class: "sections" },
    section(`${world.samples.length} things to try`, ...samples(world.samples, actions)),
    section("Publish a story now", publisher(world.profiles)),
    section("The bill", bill()),
    section("The clock", clock())));
  const wide = matchMedia("(min-width: 1180px)").matches;
  toggle(wide && memory.read("panel", true));
  $("panel-toggle").addEventListener("click", () => {
    const open = $("app").dataset.panel !== "open";
    toggle(open);
    if (open) close.focus(); // on a phone the panel covers the chat
  });
  $("panel").addEventListener("keydown", (event) => event.key === "Escape" && close.click());
  on("link", look);
  setInterval(tick, 1_000);
  setInterval(() => store.linked && !document.hidden && $("app").dataset.panel === "open" && look(), EVERY);
  tick();
  await look();
}

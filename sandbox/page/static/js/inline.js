// The bar of inline mode: "@bot natgeo" shows the results of the bot. A tap sends a result as the person.
import * as api from "./api.js";
import { $, h, icon } from "./dom.js";
import { fileUrl } from "./model.js";
import { attempt } from "./notices.js";
import { store } from "./state.js";

const PAUSE = 400; // ms without a typed letter before the query is sent, as in Telegram's own apps
const PATIENCE = 10_000;
const AGAIN = 100;

let latest = 0; // the number of the newest query; the answer to an older query is not shown
let timer = null;
let act = null;

const bar = () => $("inline");

function close() {
  latest += 1;
  clearTimeout(timer);
  bar().hidden = true;
  bar().replaceChildren();
}

async function ask(number, query) {
  const answer = await attempt(() => answered(number, query));
  if (answer && number === latest) show(answer);
}

async function answered(number, query) {
  const { inline_query_id: id } = await api.inline({ user_id: store.person.id, query });
  const end = Date.now() + PATIENCE;
  while (number === latest && Date.now() < end) {
    const got = await api.inlineAnswer(id);
    if (got.answered) return { id, ...got };
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
  return null;
}

function show({ id, results, button }) {
  const into = button && h("button", { type: "button", class: "soft", dir: "auto", onclick: () => follow(button) }, button.text);
  const tiles = results.map((result) => tile(id, result));
  bar().replaceChildren(...[into, tiles.length > 0 && h("div", { class: "results" }, tiles)].filter(Boolean));
  bar().hidden = bar().children.length === 0;
}

function follow(button) {
  act.fill("");
  act.link(`https://t.me/${store.bot.username}?start=${button.start_parameter}`);
}

function tile(id, result) {
  const onclick = () => choose(id, result.id);
  const src = fileUrl(result.photo_file_id ?? result.video_file_id ?? result.mpeg4_file_id);
  const picture = result.type === "photo"
    ? h("img", { src, alt: "" })
    : [h("video", { src, muted: true, playsinline: "", preload: "metadata", tabindex: "-1" }), h("span", { class: "badge" }, icon("play"))];
  return h("button", { type: "button", class: "result", "aria-label": `Send ${result.title ?? result.type}`, onclick }, picture);
}

/** Sends a result into the open chat. The bot gets no further query. */
async function choose(id, resultId) {
  const sent = await attempt(() => api.choose(id, { chat_id: store.open, result_id: resultId }));
  if (sent) act.fill("");
}

export const inlineBar = {
  /** Sends the text after the bot's name to the bot as a query. */
  propose(text) {
    const name = `@${store.bot?.username} `;
    close();
    if (!text.toLowerCase().startsWith(name.toLowerCase())) return;
    const number = latest;
    timer = setTimeout(() => ask(number, text.slice(name.length)), PAUSE);
  },
  close,
};

export function setUpInline(actions) {
  act = actions;
}

// Inline keyboards. A pressed button spins until the bot answers its callback query.
import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { alert, attempt, toast } from "./notices.js";
import { store } from "./state.js";

const PATIENCE = 15_000; // ms; after this time the spinner stops, as in Telegram's own apps
const busy = new Set(); // names of the buttons that wait for an answer; kept when the buttons are drawn again
const answered = new Map(); // by callback_query_id: the function that ends the wait for the answer

/** The buttons below a bubble. `actions` has link(url) -> bool and fill(text). */
export function keyboard(message, actions) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  const keys = rows.map((row) => h("div", { class: "row" }, row.map((button) => key(message, button, actions))));
  return h("div", { class: "keyboard" }, keys);
}

function key(message, button, actions) {
  const className = `key ${button.style ?? ""}`;
  const label = h("span", { dir: "auto" }, button.text);
  if (button.url) {
    const onclick = (event) => actions.link(button.url) && event.preventDefault();
    const link = { class: className, href: button.url, target: "_blank", rel: "noopener noreferrer", onclick };
    return h("a", link, label, icon("external"));
  }
  const name = `${message.chat.id}:${message.message_id}:${button.callback_data}`;
  const onclick = () => act(message, button, name, actions);
  const waits = busy.has(name) ? "true" : null;
  return h("button", { type: "button", class: className, data: { name }, "aria-busy": waits, onclick }, label, corner(button));
}

function corner(button) {
  if (button.copy_text) return icon("copy");
  const asks = button.switch_inline_query ?? button.switch_inline_query_current_chat;
  return asks === undefined ? null : icon("forward");
}

function act(message, button, name, actions) {
  if (button.copy_text) {
    navigator.clipboard?.writeText(button.copy_text.text);
    toast("Copied.");
  } else if (button.callback_data !== undefined) {
    if (!busy.has(name)) press(message, button.callback_data, name);
  } else {
    const query = button.switch_inline_query_current_chat ?? button.switch_inline_query ?? "";
    actions.fill(`@${store.bot.username} ${query}`);
  }
}

async function press(message, data, name) {
  spin(name, true);
  const body = { user_id: store.person.id, message_id: message.message_id, data };
  const answer = await attempt(async () => {
    const pressed = await api.press(message.chat.id, body);
    return untilAnswered(pressed.callback_query_id);
  });
  spin(name, false);
  if (answer?.url) window.open(answer.url, "_blank", "noopener");
  if (answer?.text) (answer.show_alert ? alert : toast)(answer.text);
}

function spin(name, on) {
  if (on) busy.add(name);
  else busy.delete(name);
  for (const node of document.querySelectorAll("button.key")) {
    if (node.dataset.name === name) node.setAttribute("aria-busy", String(on));
  }
}

/** Returns the answer to a callback query. A live event ends the wait, and the control API returns the answer. */
async function untilAnswered(id) {
  const woken = new Promise((resolve) => {
    answered.set(id, resolve);
    setTimeout(resolve, PATIENCE);
  });
  const early = await api.callback(id);
  if (!early.answered) await woken;
  answered.delete(id);
  return early.answered ? early : api.callback(id);
}

/** Reports that the bot has answered a callback query. */
export function wake(id) {
  answered.get(id)?.();
}

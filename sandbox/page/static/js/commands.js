// The commands that the bot has registered for a chat and a language: the menu, and the suggestions after "/".
import * as api from "./api.js";
import { $, h } from "./dom.js";
import { on, store } from "./state.js";

let known = [];
let shown = [];
let chosen = 0;
let act = null;

const list = () => $("commands");
const isOpen = () => !list().hidden;

async function load() {
  const chat = store.open;
  if (chat === null || !store.person) return;
  const found = await api.commands(chat, store.person.language_code ?? "").catch(() => []);
  if (chat === store.open) known = found;
  $("command-menu").hidden = known.length === 0;
  if (isOpen() && $("box").value) commandList.propose($("box").value);
  else if (isOpen()) open(known);
}

function open(commands, at = 0) {
  shown = commands;
  chosen = at;
  list().hidden = shown.length === 0;
  $("command-menu").setAttribute("aria-expanded", String(isOpen()));
  list().replaceChildren(...shown.map(option));
  mark();
}

function option({ command, description }, index) {
  const node = h("li", { role: "option", id: `command-${index}` },
    h("strong", {}, `/${command}`), h("span", { dir: "auto" }, description));
  node.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the text box
  node.addEventListener("click", () => choose(index, true));
  return node;
}

function mark() {
  [...list().children].forEach((node, index) => node.setAttribute("aria-selected", String(index === chosen)));
  if (isOpen()) $("box").setAttribute("aria-activedescendant", `command-${chosen}`);
  else $("box").removeAttribute("aria-activedescendant");
  list().children[chosen]?.scrollIntoView({ block: "nearest" });
}

/** A tap sends the command, as in Telegram's own menu. The Tab key completes the command. */
function choose(index, byPointer) {
  const text = `/${shown[index].command}`;
  open([]);
  if (byPointer) send(text);
  else act.fill(`${text} `);
}

function send(text) {
  act.fill("");
  act.send(text);
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Tab: () => choose(chosen, false),
  Enter: () => (shown.length ? enter() : null),
  Escape: () => open([]),
};

function move(step) {
  chosen = (chosen + step + shown.length) % shown.length;
  mark();
}

/** The Enter key sends a complete command, and completes an incomplete command. */
function enter() {
  const text = `/${shown[chosen].command}`;
  const complete = $("box").value.trim() === text;
  open([]);
  if (complete) send(text);
  else act.fill(`${text} `);
}

export const commandList = {
  /** Shows the commands that begin with `text`. */
  propose(text) {
    const typed = /^\/(\w*)$/.exec(text);
    open(typed ? known.filter(({ command }) => command.startsWith(typed[1].toLowerCase())) : []);
  },
  /** Returns whether the list of commands has handled the key. */
  keydown(event) {
    if (!isOpen() || !KEYS[event.key] || event.shiftKey) return false;
    event.preventDefault();
    KEYS[event.key]();
    return true;
  },
  reload: load,
};

export function setUpCommands(actions) {
  act = actions;
  for (const topic of ["open", "person", "commands"]) on(topic, load);
  $("command-menu").addEventListener("click", () => {
    open(isOpen() ? [] : known);
    $("box").focus();
  });
  $("box").addEventListener("blur", () => open([]));
  $("command-menu").addEventListener("pointerdown", (event) => event.preventDefault());
}

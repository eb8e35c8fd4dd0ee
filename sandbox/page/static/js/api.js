// The sandbox's control API, with one function for each call.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const value = parsed(text);
  if (!answer.ok) throw new ApiError(answer.status, value?.description ?? value?.error ?? `${answer.status} ${answer.statusText}`);
  return value;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const get = (path) => call("GET", path);
const post = (path, body) => call("POST", path, body);
const segment = encodeURIComponent;

export const world = () => get("/page/world");
export const commands = (chatId, language) => get(`/page/commands?chat_id=${chatId}&language_code=${segment(language)}`);
export const setLanguage = (userId, language) => call("PATCH", `/control/users/${userId}`, { language_code: language });

export const state = () => get("/control/state");
export const createUser = (user) => post("/control/users", user);
export const createChat = (chat) => post("/control/chats", chat);
export const chats = () => get("/control/chats");
export const messages = (chatId, after = 0) => get(`/control/chats/${chatId}/messages?from_bot=false&after=${after}`);
export const write = (chatId, message) => post(`/control/chats/${chatId}/messages`, message);
export const edit = (chatId, messageId, message) => call("PATCH", `/control/chats/${chatId}/messages/${messageId}`, message);
export const press = (chatId, body) => post(`/control/chats/${chatId}/press`, body);
export const callback = (id) => get(`/control/callbacks/${segment(id)}`);
export const inline = (body) => post("/control/inline", body);
export const inlineAnswer = (id) => get(`/control/inline/${segment(id)}`);
export const choose = (id, body) => post(`/control/inline/${segment(id)}/choose`, body);
export const makeTopic = (chatId, threadId, name) => call("PUT", `/control/chats/${chatId}/threads/${threadId}`, { name, state: "open" });
export const members = (chatId) => get(`/control/chats/${chatId}/members`);
export const setMember = (chatId, userId, status) => call("PUT", `/control/chats/${chatId}/members/${userId}`, { status });
export const addBot = (chatId, status, by) => call("PUT", `/control/chats/${chatId}/members/bot`, { status, by });
export const publish = (username, story) => post(`/control/profiles/${segment(username)}/stories`, story);
export const advance = (seconds) => post("/control/clock", { advance_s: seconds });

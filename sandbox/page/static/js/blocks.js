// The division of a chat's messages into the blocks that are drawn: dates, service lines and bubbles.
// The items of an album share one bubble. All functions are pure.
import { dayLabel, isMine, senderOf, serviceOf } from "./model.js";

const TOGETHER = 300; // seconds; messages of one sender within this time are drawn close together

/** The blocks in order, each as {type: "date" | "service" | "bubble", key, signature, …}. */
export function blocksOf(messages, person, now) {
  const blocks = [];
  let label = null;
  for (const message of messages) {
    const day = dayLabel(message.date, now);
    if (day !== label) blocks.push({ type: "date", key: `d-${day}`, label: day });
    label = day;
    const service = serviceOf(message);
    if (service) blocks.push({ type: "service", key: `s-${message.message_id}`, text: service });
    else if (!joinsAlbum(blocks.at(-1), message)) blocks.push(bubble(message, person));
  }
  blocks.forEach((block, index) => neighbours(block, blocks[index - 1], blocks[index + 1]));
  for (const block of blocks) block.signature = signature(block);
  return blocks;
}

function joinsAlbum(last, message) {
  const group = message.media_group_id;
  if (!group || last?.type !== "bubble" || last.messages[0].media_group_id !== group) return false;
  last.messages.push(message);
  return true;
}

function bubble(message, person) {
  return {
    type: "bubble",
    key: `m-${message.message_id}`,
    messages: [message],
    sender: senderOf(message),
    mine: isMine(message, person),
  };
}

function neighbours(block, before, after) {
  if (block.type !== "bubble") return;
  block.first = !close(before, block);
  block.last = !close(block, after);
}

function close(one, two) {
  if (one?.type !== "bubble" || two?.type !== "bubble") return false;
  if (one.sender?.id !== two.sender?.id) return false;
  return two.messages[0].date - one.messages.at(-1).date < TOGETHER;
}

function signature(block) {
  const { type, label, text, messages, first, last, mine } = block;
  return JSON.stringify([type, label, text, messages, first, last, mine]);
}

// The parts of a Bot API Message that people see. Pure functions of Message, Chat and User objects.

export const fileUrl = (fileId) => `/page/files/${encodeURIComponent(fileId)}`;

/** The picture or video of a message as {type, src, poster, width, height, duration, spoiler}, or null without one. */
export function mediaOf(message) {
  const spoiler = Boolean(message.has_media_spoiler);
  if (message.photo?.length) {
    const photo = message.photo.reduce((big, size) => (size.width > big.width ? size : big));
    return { type: "photo", src: fileUrl(photo.file_id), width: photo.width, height: photo.height, spoiler };
  }
  const clip = message.animation ?? message.video;
  if (!clip) return null;
  return {
    type: message.animation ? "animation" : "video",
    src: fileUrl(clip.file_id),
    poster: clip.thumbnail ? fileUrl(clip.thumbnail.file_id) : null,
    width: clip.width || 9,
    height: clip.height || 16,
    duration: clip.duration,
    spoiler,
  };
}

/** The file that is shown as a row, as {name, size, src, audio}, or null without such a file. */
export function fileOf(message) {
  const file = message.document ?? message.audio ?? message.voice;
  if (!file || message.animation) return null;
  const name = file.file_name ?? file.title ?? (message.voice ? "Voice message" : "File");
  return { name, size: file.file_size, src: fileUrl(file.file_id), audio: !message.document };
}

export function textOf(message) {
  return {
    text: message.text ?? message.caption ?? "",
    entities: message.entities ?? message.caption_entities ?? [],
  };
}

export const nameOf = (who) =>
  who ? who.title ?? [who.first_name, who.last_name].filter(Boolean).join(" ") : "";

export const senderOf = (message) => message.sender_chat ?? message.from ?? message.chat;

export const isMine = (message, person) =>
  message.chat.type !== "channel" && !message.sender_chat && message.from?.id === person?.id;

/** A message as one line for the chat list, a quote or the reply bar. */
export function preview(message) {
  const { text } = textOf(message);
  if (text) return text.replace(/\s+/g, " ").slice(0, 140);
  if (serviceOf(message)) return serviceOf(message);
  const kind = mediaOf(message)?.type;
  const words = { photo: "Photo", video: "Video", animation: "GIF" };
  return words[kind] ?? fileOf(message)?.name ?? "Message";
}

const SERVICE = {
  new_chat_members: (m) => `${m.new_chat_members.map(nameOf).join(", ")} joined`,
  left_chat_member: (m) => `${nameOf(m.left_chat_member)} left`,
  new_chat_title: (m) => `The name is now “${m.new_chat_title}”`,
  group_chat_created: () => "Group created",
  supergroup_chat_created: () => "Group created",
  channel_chat_created: () => "Channel created",
  migrate_to_chat_id: () => "The group became a supergroup",
  migrate_from_chat_id: () => "The group became a supergroup",
  pinned_message: () => "A message was pinned",
  forum_topic_created: (m) => `Topic “${m.forum_topic_created.name}” created`,
  forum_topic_edited: () => "Topic changed",
  forum_topic_closed: () => "Topic closed",
  forum_topic_reopened: () => "Topic reopened",
};

/** The sentence of a service message, or null for any other message. */
export function serviceOf(message) {
  const key = Object.keys(SERVICE).find((name) => message[name] !== undefined);
  return key ? SERVICE[key](message) : null;
}

const day = (seconds) => new Date(seconds * 1000).toDateString();

/** The day as "Today", "Yesterday" or a date. `now` is the time of the sandbox's clock. */
export function dayLabel(seconds, now) {
  if (day(seconds) === day(now)) return "Today";
  if (day(seconds) === day(now - 86_400)) return "Yesterday";
  const date = new Date(seconds * 1000);
  const sameYear = date.getFullYear() === new Date(now * 1000).getFullYear();
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", ...(sameYear ? {} : { year: "numeric" }) });
}

export const clockTime = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

export const duration = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;

export function bytes(size) {
  if (!size) return "";
  const steps = ["B", "kB", "MB", "GB"];
  const power = Math.min(3, Math.floor(Math.log(size) / Math.log(1000)));
  return `${(size / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${steps[power]}`;
}

/** Two letters and a hue, which are shown for a chat without a picture. */
export function initials(who) {
  const words = nameOf(who).trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "");
  return letters.join("").toUpperCase();
}

export const hue = (id) => (Math.abs(Number(id)) * 47) % 360;

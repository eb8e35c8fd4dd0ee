// The WebSocket that receives the events. After a break, the connection is opened again automatically.
const FIRST = 300;
const LONGEST = 4_000; // maximum ms between two attempts to connect

/** Calls `onEvent(event)` for each event, and `onLink(isOpen)` when the connection opens or breaks. */
export function connect(onEvent, onLink) {
  let wait = FIRST;
  function open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    socket.addEventListener("open", () => {
      wait = FIRST;
      onLink(true);
    });
    socket.addEventListener("message", (frame) => onEvent(JSON.parse(frame.data)));
    socket.addEventListener("close", () => {
      onLink(false);
      setTimeout(open, wait);
      wait = Math.min(LONGEST, wait * 2);
    });
  }
  open();
}

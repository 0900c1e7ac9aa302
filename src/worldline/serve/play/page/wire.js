// The connection: messages out, frames and messages in, and coming back after a loss.

const HEADER_BYTES = 40;
const RETRY_MS = [200, 500, 1000, 2000, 4000];
const NOT_AGAIN = new Set([1000, 1008, 1009, 1011, 1013, 4000, 4001]);
const KEY = "worldline-session";

export const FORKED = 1, RECORDING = 2, PAUSED = 4, CUT = 8;

/** A frame off the wire: see docs/play.md. */
export function unpack(buffer) {
  const view = new DataView(buffer);
  if (view.getUint8(0) !== 1) throw new Error("frames of another version; reload the page");
  const flags = view.getUint8(1), width = view.getUint16(2, true);
  const count = flags & FORKED ? 2 : 1;
  const floats = (at, n) => Array.from({ length: n }, (_, i) => view.getFloat32(at + 4 * i, true));
  const [tookMs, waitedMs, reward, end, trust] = floats(20, 5);
  const first = HEADER_BYTES + 4 * width * count, size = view.getUint32(16, true);
  const picture = (from, to) => new Blob([buffer.slice(from, to)], { type: "image/png" });
  const pictures = [picture(first, first + size)];
  if (count === 2) pictures.push(picture(first + size, buffer.byteLength));
  return {
    flags, tookMs, waitedMs, reward, end, trust, pictures,
    frame: view.getUint32(4, true), oldest: view.getUint32(8, true), act: view.getUint32(12, true),
    actions: Array.from({ length: count }, (_, i) => floats(HEADER_BYTES + 4 * width * i, width)),
  };
}

export class Wire {
  /** `on` has frame(frame), message(record), lost() and closed(code, reason). */
  constructor(on) {
    this.on = on;
    this.tries = 0;
    this.seed = null;
    this.token = sessionStorage.getItem(KEY);
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/v1/play`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.send({ type: "open", resume: this.token, seed: this.seed });
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      if (typeof event.data !== "string") return this.on.frame(unpack(event.data));
      const record = JSON.parse(event.data);
      if (record.type === "hello") {
        this.tries = 0;
        this.keep(record.token);
      }
      this.on.message(record);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      if (NOT_AGAIN.has(event.code)) {
        this.keep(null);
        this.on.closed(event.code, event.reason);
        return;
      }
      this.on.lost();
      const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
      this.tries += 1;
      setTimeout(() => socket === this.socket && this.open(), wait);
    };
  }

  /** Open another session. */
  anew() {
    this.keep(null);
    this.tries = 0;
    this.open();
  }

  keep(token) {
    this.token = token;
    if (token === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  }

  send(record) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(record));
  }
}

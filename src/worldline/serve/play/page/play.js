// The page: puts connection, controls and screens together.

import { Pad, keyName } from "./pad.js";
import { Screen } from "./stage.js";
import { CUT, FORKED, PAUSED, RECORDING, Wire } from "./wire.js";

const at = (id) => document.getElementById(id);
const own = new Screen(at("own")), other = new Screen(at("other"));
const kept = new Map(); // frame number to picture, for the slider to show while it is dragged
const sent = new Map(); // number of an action to when it was sent
const arrivals = [];
const KEEP = 600, SURE = 0.5; // pictures; and from which probability on an episode has ended
const FRESH_S = 0.5, STALE_S = 1.5; // trust that is older says so, and is believed no more
const TWINS = {
  old: "Same moment: what was done before the rewind, then the last of it held",
  none: "Same moment: nothing is done",
};

const now = {
  pad: null, told: null, fps: 10, frame: 0, oldest: 0, paused: false, forked: false, recording: false,
  scrubbing: false, lines: [], actions: [], act: 0, answerMs: NaN, tripMs: NaN, tookMs: NaN, open: false,
  watching: true, stale: true, looked: null, mode: "old", filming: false, cutShort: false,
};
let waiting = null; // an action that goes out with the next picture of the screen

const wire = new Wire({ frame: onFrame, message: onMessage, lost: onLost, closed: onClosed });

function onFrame(frame) {
  const time = performance.now();
  arrivals.push(time);
  while (arrivals.length > 30 || time - arrivals[0] > 2000) arrivals.shift();
  if (frame.flags & CUT) {
    for (const number of kept.keys()) if (number > frame.frame || number < frame.oldest) kept.delete(number);
    arrivals.length = 0;
    now.lines = [];
    forgetTrust();
  }
  kept.set(frame.frame, frame.pictures[0]);
  for (const number of kept.keys()) {
    if (kept.size <= KEEP) break;
    kept.delete(number);
  }
  if (sent.has(frame.act)) now.answerMs = blend(now.answerMs, time - sent.get(frame.act));
  for (const number of sent.keys()) if (number <= frame.act) sent.delete(number);
  if (Number.isFinite(frame.tookMs)) now.tookMs = blend(now.tookMs, frame.tookMs);
  Object.assign(now, { frame: frame.frame, oldest: frame.oldest, actions: frame.actions });
  setFlags(frame.flags & PAUSED, frame.flags & FORKED, frame.flags & RECORDING);
  if (Number.isFinite(frame.reward)) {
    at("earned").hidden = false;
    at("reward").textContent = frame.reward.toFixed(2);
  }
  const ended = frame.end > SURE;
  if (ended && !now.ended) say("For the world this episode has ended; restart, or go on all the same.");
  now.ended = ended;
  now.stale = true;
  showAge();
  if (now.scrubbing) return;
  own.show(frame.pictures[0]);
  if (frame.pictures[1]) other.show(frame.pictures[1]);
  showTime();
}

const blend = (old, value) => (Number.isFinite(old) ? 0.8 * old + 0.2 * value : value);

function onMessage(record) {
  const handlers = {
    loading: () => cover("Opening the world. This takes some seconds."),
    hello: () => begin(record),
    state: () => onState(record),
    look: () => onLook(record),
    pong: () => (now.tripMs = blend(now.tripMs, performance.now() - record.sent)),
    recorded: () => addFilm(record),
    error: () => say(record.reason, true),
    over: () => (now.why = record.reason),
    full: () => (now.why = record.reason),
  };
  handlers[record.type]?.();
}

function begin(record) {
  Object.assign(now, { told: record.pad, fps: record.fps, open: true, why: "", frame: record.frame });
  now.seed = record.seed;
  kept.clear();
  sent.clear();
  now.act = 0;
  now.filming = record.recording;
  now.cutShort = false;
  forgetTrust();
  now.answerMs = now.tripMs = now.tookMs = NaN;
  at("world").textContent = record.world;
  document.title = `${record.world}: play · Worldline`;
  now.pad = new Pad(record.pad, at("pad"), own.box, (action) => (waiting = action));
  at("keys").replaceChildren(...now.pad.explain());
  at("actions").hidden = record.pad.scheme === "none";
  if (record.resumed) now.pad.repeat();
  cover("");
  for (const id of ["pause", "step", "past", "restart", "record", "fork", "mode"]) at(id).disabled = false;
  wire.send({ type: "watch", on: now.watching });
  say(record.resumed ? "Back in your session." : "");
  if (document.activeElement === document.body) own.box.focus({ preventScroll: true });
}

function onState(record) {
  now.seed = record.seed;
  const said = {
    restart: `Began anew with seed ${record.seed}.`,
    rewind: `Back at ${seconds(record.frame)}; play goes on from here.`,
    fork: "Forked: two futures of one moment, with the same noise.",
    join: "One future again.",
  };
  if (record.after === "record" && record.recording) say("Recording.");
  else if (said[record.after]) say(said[record.after]);
  setFlags(record.paused, record.forked, record.recording);
}

function setFlags(paused, forked, recording) {
  // Frames that were on their way may say otherwise for a moment.
  if (Boolean(recording) !== now.recording) now.cutShort = now.filming && !recording;
  Object.assign(now, { paused: Boolean(paused), forked: Boolean(forked), recording: Boolean(recording) });
  at("panes").classList.toggle("forked", now.forked);
  at("panes").classList.toggle("still", now.paused && !now.scrubbing);
  at("other").hidden = !now.forked;
  press("pause", now.paused, now.paused ? "Play" : "Pause");
  press("fork", now.forked, now.forked ? "End fork" : "Fork");
  press("record", now.recording, now.recording ? "Stop" : now.cutShort ? "Record again" : "Record");
}

function press(id, on, text) {
  const button = at(id);
  if (button.textContent !== text) button.textContent = text;
  // What changes its name says all; only one of the two may change.
  button.setAttribute("aria-pressed", on && id !== "pause" ? "true" : "false");
}

function onLook(record) {
  Object.assign(now, { lines: record.lines, stale: true, looked: record.frame });
  at("lines-found").textContent = record.lines.length ? "" : "(nothing found to move)";
  const value = record.trust, gauge = at("trust");
  at("trust-value").textContent = value.toFixed(2);
  at("trust-why").textContent = record.reason;
  at("trust-bar").setAttribute("aria-valuenow", value.toFixed(2));
  at("trust-bar").firstElementChild.style.width = `${100 * value}%`;
  gauge.className = `trust ${value >= 0.8 ? "good" : value >= 0.4 ? "middling" : "low"}`;
  showAge();
}

/** Trust was found in frames of some time ago; how long, and whether that is too long. */
function showAge() {
  if (now.looked === null) return;
  const age = (now.frame - now.looked) / now.fps;
  at("trust-age").textContent = age > FRESH_S ? `${age.toFixed(1)} s ago` : "";
  at("trust").classList.toggle("stale", age > STALE_S);
}

function forgetTrust() {
  now.looked = null;
  at("trust").className = "trust";
  at("trust-value").textContent = "–";
  at("trust-age").textContent = at("lines-found").textContent = "";
  at("trust-why").textContent = now.watching ? "Not judged yet." : "Not judged while world lines are off.";
  at("trust-bar").setAttribute("aria-valuenow", "0");
  at("trust-bar").firstElementChild.style.width = "0";
}

function addFilm(record) {
  const item = document.createElement("li"), link = document.createElement("a");
  link.href = record.href;
  link.download = `${at("world").textContent}-${at("films").childElementCount + 1}.mp4`;
  link.textContent = `Recording, ${record.seconds.toFixed(1)} s (mp4, marked as generated)`;
  item.append(link);
  at("films").prepend(item);
  say(record.reason ? `The recording ended: ${record.reason}.` : "The recording is ready below.");
}

function onLost() {
  now.open = false;
  cover("The connection is lost; trying to come back.");
  say("The connection is lost; trying to come back.", true);
}

function onClosed(code, reason) {
  now.open = false;
  const why = now.why || reason || "The session is over.";
  cover(capital(why), code === 1013 ? "Try again" : "Start anew");
  for (const id of ["pause", "step", "past", "restart", "record", "fork", "mode"]) at(id).disabled = true;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
const seconds = (frame) => `${(frame / now.fps).toFixed(1)} s`;

function cover(text, button = "") {
  at("cover").hidden = !text;
  at("cover-text").textContent = text;
  at("cover-button").hidden = !button;
  at("cover-button").textContent = button;
}

function say(text, bad = false) {
  at("status").textContent = text ? capital(text) : "";
  at("status").classList.toggle("bad", bad);
}

function showTime() {
  const slider = at("past");
  slider.min = now.oldest;
  slider.max = now.frame;
  slider.value = now.frame;
  at("when").textContent = seconds(now.frame);
}

function rewind(frames) {
  if (frames > 0) wire.send({ type: "rewind", frames });
}

function togglePause() {
  now.hidden = false;  // what a person asks for counts, also once the page is seen again
  wire.send({ type: "pause", on: !now.paused });
  if (now.paused) setFlags(false, now.forked, now.recording);
  else setFlags(true, now.forked, now.recording);
}

at("pause").onclick = togglePause;
at("step").onclick = () => wire.send({ type: "step" });
at("restart").onclick = () => wire.send({ type: "restart" });
at("record").onclick = () => {
  // Who meant to end a recording that has ended by itself does not begin another.
  if (now.cutShort) {
    now.cutShort = now.filming = false;
    setFlags(now.paused, now.forked, now.recording);
    say("That recording has ended already; press again to begin another.");
    return;
  }
  now.filming = !now.recording;
  wire.send({ type: "record", on: now.filming });
};
at("fork").onclick = () => {
  if (now.forked) return wire.send({ type: "join" });
  now.mode = at("mode").value;
  wire.send({ type: "fork", other: now.mode });
};
at("cover-button").onclick = () => {
  cover("Opening the world.");
  wire.anew();
};
at("show-lines").onchange = at("show-action").onchange = () => {
  const watching = at("show-lines").checked;
  now.stale = true;
  if (watching !== now.watching) wire.send({ type: "watch", on: watching });
  now.watching = watching;
  if (!watching) {
    now.lines = [];
    forgetTrust();
  }
};
at("past").oninput = () => {
  if (!now.scrubbing) {
    now.scrubbing = true;
    wire.send({ type: "pause", on: true });
  }
  const frame = Number(at("past").value), picture = kept.get(frame);
  if (picture) own.show(picture);
  at("when").textContent = seconds(frame);
};
at("past").onchange = () => {
  const frame = Number(at("past").value);
  now.scrubbing = false;
  // Frames that were on their way when the slider was taken have come by now, and count.
  rewind(now.frame - frame);
};

const typing = (target) => target instanceof Element && target.matches("input, select, textarea");
const pressing = (target) => target instanceof Element && target.matches("button, a, summary");

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !now.open) return;
  if (event.code === "Space" && pressing(event.target)) return;
  const key = keyName(event);
  let taken = now.pad?.press(key);
  if (!taken && !event.repeat) {
    taken = true;
    if (event.code === "KeyP") togglePause();
    else if (event.code === "Period") wire.send({ type: "step" });
    else if (event.code === "Backspace") rewind(Math.max(1, Math.round(now.fps)));
    else taken = false;
  }
  if (taken) event.preventDefault();
});
window.addEventListener("keyup", (event) => now.pad?.release(keyName(event)));
window.addEventListener("resize", () => (now.stale = true));
window.addEventListener("blur", () => now.pad?.releaseAll());
// A world that nobody looks at need not be made.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) now.pad?.releaseAll();
  if (document.hidden && now.open && !now.paused) {
    now.hidden = true;
    wire.send({ type: "pause", on: true });
  } else if (!document.hidden && now.hidden) {
    now.hidden = false;
    wire.send({ type: "pause", on: false });
  }
});
// After a click the keys belong to the world again, not to the button; a keyboard's focus stays.
document.addEventListener("click", (event) => {
  if (event.detail > 0 && event.target.closest?.("button")) own.box.focus({ preventScroll: true });
});

/** Once per picture of the screen: say the newest action, and draw what lies over the frames. */
function draw() {
  if (waiting && now.open) {
    now.act += 1;
    sent.set(now.act, performance.now());
    wire.send({ type: "act", action: waiting, number: now.act });
    waiting = null;
  }
  requestAnimationFrame(draw);
  if (!now.stale) return; // what lies over a frame changes with the frame
  now.stale = false;
  const lines = now.watching && !now.scrubbing ? now.lines : [];
  const pad = at("show-action").checked ? now.told : null;
  own.mark({ lines, action: now.actions[0], pad });
  if (now.forked) {
    other.mark({ lines: [], action: now.actions[1], pad });
    if (!other.caption.textContent) other.caption.textContent = TWINS[now.mode];
  } else other.caption.textContent = "";
}

function tick() {
  const show = (id, value, digits = 0) => (at(id).textContent = Number.isFinite(value) ? value.toFixed(digits) : "–");
  const span = arrivals.length > 1 ? arrivals.at(-1) - arrivals[0] : NaN;
  show("rate", now.paused ? 0 : ((arrivals.length - 1) / span) * 1000, 1);
  show("took", now.tookMs);
  show("answer", now.answerMs);
  show("trip", now.tripMs);
}

setInterval(tick, 250);
setInterval(() => now.open && wire.send({ type: "ping", sent: performance.now() }), 2000);
wire.open();
draw();

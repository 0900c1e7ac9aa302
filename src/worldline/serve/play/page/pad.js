// Keys, touch and pointer become actions. The server says which: see docs/play.md.

const CODES = {
  ArrowUp: "up", KeyW: "up", ArrowDown: "down", KeyS: "down", ArrowLeft: "left", KeyA: "left",
  ArrowRight: "right", KeyD: "right", Space: "space",
};
const SIGNS = { up: "↑", down: "↓", left: "←", right: "→", space: "Space" };
const ARROWS = ["up", "left", "right", "down"];

/** The name that the server has for a key, or "". */
export function keyName(event) {
  if (event.code in CODES) return CODES[event.code];
  const match = /^(?:Key([A-Z])|Digit(\d))$/.exec(event.code);
  return match ? (match[1] ?? match[2]).toLowerCase() : "";
}

const shown = (key) => SIGNS[key] ?? key.toUpperCase();

export class Pad {
  /** `tell(action)` is called with every action that differs from the one before. */
  constructor(told, root, screen, tell) {
    this.told = told;
    this.tell = tell;
    this.held = new Set();
    this.stick = null;
    this.place = null;
    this.said = "";
    this.lit = new Map();
    root.replaceChildren();
    this.root = root;
    this.knows = new Set(this.keys());
    if (told.scheme === "none") return;
    if (told.scheme === "stick") root.append(this.buildStick());
    if (told.scheme === "keys" && ARROWS.some((key) => this.knows.has(key))) root.append(this.buildCross());
    const rest = this.listButtons();
    if (rest.length) {
      const group = document.createElement("div");
      group.className = "buttons";
      group.append(...rest.map(({ key, name }) => this.buildButton(key, name)));
      root.append(group);
    }
    screen.classList.toggle("aimed", told.scheme === "pointer");
    this.follow(screen);
  }

  keys() {
    const { scheme, choices, buttons } = this.told;
    if (scheme === "none") return [];
    if (scheme === "keys") return choices.flat().flatMap((option) => option.keys);
    const own = buttons.map((button) => button.key);
    return scheme === "stick" ? [...ARROWS, ...own] : own;
  }

  /** Keys that are no directions, each with what it does. */
  listButtons() {
    if (this.told.scheme !== "keys") return this.told.buttons;
    const found = new Map();
    for (const option of this.told.choices.flat()) {
      if (option.keys.length === 1 && !ARROWS.includes(option.keys[0])) found.set(option.keys[0], option.name);
    }
    for (const key of this.knows) if (!ARROWS.includes(key) && !found.has(key)) found.set(key, key);
    return [...found].map(([key, name]) => ({ key, name }));
  }

  buildButton(key, name) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.className = ARROWS.includes(key) ? key : "";
    button.title = `key ${shown(key)}`;
    button.setAttribute("aria-label", `${name}, key ${shown(key)}`);
    button.onpointerdown = (event) => {
      event.preventDefault();
      button.setPointerCapture(event.pointerId);
      this.press(key);
    };
    button.onpointerup = button.onpointercancel = button.onlostpointercapture = () => this.release(key);
    button.onkeydown = (event) => event.code === "Enter" && !event.repeat && this.press(key);
    button.onkeyup = (event) => event.code === "Enter" && this.release(key);
    button.oncontextmenu = (event) => event.preventDefault();
    this.lit.set(key, button);
    return button;
  }

  buildCross() {
    const cross = document.createElement("div");
    cross.className = "cross";
    const used = ARROWS.filter((key) => this.knows.has(key));
    cross.append(...used.map((key) => {
      const button = this.buildButton(key, key);
      button.textContent = SIGNS[key];
      return button;
    }));
    return cross;
  }

  buildStick() {
    const stick = document.createElement("div"), knob = document.createElement("i");
    stick.className = "stick";
    stick.setAttribute("role", "img");
    stick.setAttribute("aria-label", "Stick: drag it, or use the arrow keys");
    stick.append(knob);
    const move = (event) => {
      const box = stick.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * 2 - 1;
      const y = 1 - ((event.clientY - box.top) / box.height) * 2;
      const far = Math.max(1, Math.hypot(x, y));
      this.stick = [x / far, y / far];
      this.update();
    };
    const end = () => {
      this.stick = null;
      this.update();
    };
    stick.onpointerdown = (event) => {
      event.preventDefault();
      stick.setPointerCapture(event.pointerId);
      move(event);
    };
    stick.onpointermove = (event) => stick.hasPointerCapture(event.pointerId) && move(event);
    stick.onpointerup = stick.onpointercancel = stick.onlostpointercapture = end;
    this.knob = knob;
    return stick;
  }

  /** The pointer over the picture is a place in it. */
  follow(screen) {
    screen.onpointermove = screen.onpointerdown = null;
    if (this.told.scheme !== "pointer") return;
    screen.onpointermove = screen.onpointerdown = (event) => {
      const box = screen.getBoundingClientRect();
      const share = (at, from, size) => Math.min(1, Math.max(-1, ((at - from) / size) * 2 - 1));
      this.place = [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
      this.update();
    };
  }

  press(key) {
    if (!this.knows.has(key)) return false;
    this.held.delete(key); // to the end: the newest counts most
    this.held.add(key);
    this.update();
    return true;
  }

  release(key) {
    if (this.held.delete(key)) this.update();
  }

  releaseAll() {
    this.held.clear();
    this.stick = null;
    this.update();
  }

  /** What is held now, as the server takes it; null while a pointer was never there. */
  action() {
    const { scheme, choices, buttons, columns } = this.told;
    if (scheme === "none") return null;
    if (scheme === "keys") return choices.map((options) => pick(options, [...this.held]));
    const action = new Array(columns).fill(-1);
    const axis = (more, less) => this.held.has(more) - this.held.has(less);
    if (scheme === "stick") {
      const [x, y] = this.stick ?? [axis("right", "left"), axis("up", "down")];
      action[0] = round(x);
      if (columns > 1) action[1] = round(y);
    } else {
      if (!this.place) return null;
      [action[0], action[1]] = this.place.map(round);
    }
    for (const { column, key } of buttons) action[column] = this.held.has(key) ? 1 : -1;
    return action;
  }

  update() {
    for (const [key, button] of this.lit) button.classList.toggle("held", this.held.has(key));
    const action = this.action();
    if (this.knob && action) {
      this.knob.style.transform = `translate(${action[0] * 3}rem, ${-(action[1] ?? 0) * 3}rem)`;
    }
    if (action === null) return;
    const text = JSON.stringify(action);
    if (text === this.said) return;
    this.said = text;
    this.tell(action);
  }

  /** Say the action again, to a session that has not heard it. */
  repeat() {
    this.said = "";
    this.update();
  }

  /** Nodes that say which keys there are. */
  explain() {
    const { scheme, choices, buttons } = this.told;
    if (scheme === "none") return ["This world takes no actions; it goes on by itself."];
    const parts = [];
    const key = (name) => Object.assign(document.createElement("kbd"), { textContent: shown(name) });
    if (scheme === "stick") parts.push(key("up"), key("left"), key("down"), key("right"), " or ", "WASD", " move. ");
    if (scheme === "pointer") parts.push("Move the pointer over the picture, or touch it. ");
    const listed = scheme === "keys" ? choices.flat().filter((option) => option.keys.length) : [];
    for (const option of listed.slice(0, 9)) parts.push(...option.keys.map(key), ` ${option.name} `);
    for (const button of buttons ?? []) parts.push(key(button.key), ` ${button.name} `);
    return parts;
  }
}

const round = (value) => Math.round(value * 1000) / 1000;

/** The choice whose keys are all held and most in number; of equals the one pressed last. */
function pick(options, held) {
  let best = options.find((option) => !option.keys.length)?.value ?? 0, most = 0, latest = -1;
  for (const option of options) {
    if (!option.keys.length || !option.keys.every((key) => held.includes(key))) continue;
    const last = Math.max(...option.keys.map((key) => held.indexOf(key)));
    if (option.keys.length > most || (option.keys.length === most && last > latest)) {
      [best, most, latest] = [option.value, option.keys.length, last];
    }
  }
  return best;
}

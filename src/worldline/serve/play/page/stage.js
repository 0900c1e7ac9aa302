// What is seen: the picture, and drawn over it world lines and actions.

const INK = "#ffffff", SHADE = "#000000b0";

export class Screen {
  constructor(figure) {
    this.figure = figure;
    this.box = figure.querySelector(".screen");
    this.picture = figure.querySelector(".picture");
    this.overlay = figure.querySelector(".overlay");
    this.caption = figure.querySelector("figcaption");
    this.newest = 0;
  }

  /** Show a picture. Decoding takes its time, so one that was overtaken is not shown. */
  async show(blob) {
    const turn = ++this.newest;
    const bitmap = await createImageBitmap(blob);
    if (turn === this.newest) {
      if (this.picture.width !== bitmap.width) {
        this.picture.width = bitmap.width;
        this.picture.height = bitmap.height;
      }
      this.picture.getContext("2d").drawImage(bitmap, 0, 0);
    }
    bitmap.close();
  }

  /** World lines and the action, in the pixels of the display. */
  mark({ lines, action, pad }) {
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    const side = Math.round(this.box.clientWidth * ratio);
    if (!side) return;
    if (this.overlay.width !== side) this.overlay.width = this.overlay.height = side;
    const pen = this.overlay.getContext("2d");
    pen.clearRect(0, 0, side, side);
    for (const line of lines) drawLine(pen, line, side, ratio);
    if (action?.length && pad) drawAction(pen, action, pad, side, ratio);
  }
}

function drawLine(pen, line, side, ratio) {
  const [r, g, b] = line.color, last = line.points.length - 1;
  pen.lineCap = "round";
  for (let i = 1; i <= last; i += 1) {
    const from = line.points[i - 1], to = line.points[i];
    if (!from || !to) continue;
    const share = i / last;
    pen.beginPath();
    pen.moveTo(from[0] * side, from[1] * side);
    pen.lineTo(to[0] * side, to[1] * side);
    pen.lineWidth = (1 + 2.5 * share) * ratio;
    pen.strokeStyle = `rgba(${r}, ${g}, ${b}, ${0.2 + 0.75 * share})`;
    pen.stroke();
  }
  const head = line.points[last];
  if (!head) return;
  pen.beginPath();
  pen.arc(head[0] * side, head[1] * side, 4 * ratio, 0, 2 * Math.PI);
  pen.fillStyle = `rgb(${r}, ${g}, ${b})`;
  pen.fill();
  pen.lineWidth = 1.5 * ratio;
  pen.strokeStyle = SHADE;
  pen.stroke();
}

function drawAction(pen, action, pad, side, ratio) {
  if (pad.scheme === "keys") {
    let start = 0;
    const names = pad.choices.map((options) => {
      const values = action.slice(start, start + options.length);
      start += options.length;
      return options[values.indexOf(Math.max(...values))]?.name;
    });
    write(pen, names.join(", "), side, ratio);
    return;
  }
  if (pad.scheme === "pointer") {
    const x = ((action[0] + 1) / 2) * side, y = ((action[1] + 1) / 2) * side;
    for (const [style, width] of [[SHADE, 4], [INK, 1.5]]) {
      pen.strokeStyle = style;
      pen.lineWidth = width * ratio;
      pen.beginPath();
      pen.arc(x, y, 9 * ratio, 0, 2 * Math.PI);
      pen.moveTo(x - 14 * ratio, y);
      pen.lineTo(x + 14 * ratio, y);
      pen.moveTo(x, y - 14 * ratio);
      pen.lineTo(x, y + 14 * ratio);
      pen.stroke();
    }
  } else {
    const radius = 16 * ratio, x = side - radius - 10 * ratio, y = x;
    const dx = action[0] * (radius - 4 * ratio), dy = -(action[1] ?? 0) * (radius - 4 * ratio);
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = SHADE;
    pen.fill();
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + dx, y + dy);
    pen.lineWidth = 3 * ratio;
    pen.strokeStyle = INK;
    pen.stroke();
    pen.beginPath();
    pen.arc(x + dx, y + dy, 3.5 * ratio, 0, 2 * Math.PI);
    pen.fillStyle = INK;
    pen.fill();
  }
  const pressed = pad.buttons.filter((button) => action[button.column] > 0);
  if (pressed.length) write(pen, pressed.map((button) => button.name).join(", "), side, ratio);
}

function write(pen, text, side, ratio) {
  pen.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const width = pen.measureText(text).width + 14 * ratio, height = 24 * ratio, at = 8 * ratio;
  pen.fillStyle = SHADE;
  pen.beginPath();
  pen.roundRect(at, side - height - at, width, height, 5 * ratio);
  pen.fill();
  pen.fillStyle = INK;
  pen.fillText(text, at + 7 * ratio, side - height / 2 - at);
}

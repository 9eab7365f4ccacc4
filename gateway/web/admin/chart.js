// Small lines over the last two minutes: what matters is whether something rises.

const NS = "http://www.w3.org/2000/svg";
const POINTS = 120;
const WIDTH = 120;
const HEIGHT = 32;

/** A line that grows at its right end. */
export class Sparkline {
  constructor(label) {
    this.values = [];
    this.element = document.createElementNS(NS, "svg");
    this.element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("role", "img");
    this.element.setAttribute("class", "spark");
    this.label = label;
    this.area = this.element.appendChild(document.createElementNS(NS, "polygon"));
    this.line = this.element.appendChild(document.createElementNS(NS, "polyline"));
  }

  /** Adds a value; null: there is none for this second, the line goes on as it was. */
  push(value) {
    this.values.push(value ?? this.values.at(-1) ?? 0);
    if (this.values.length > POINTS) this.values.shift();
    const most = Math.max(...this.values, 1e-9);
    const left = POINTS - this.values.length;
    const points = this.values.map((v, index) => {
      const x = ((left + index) / (POINTS - 1)) * WIDTH;
      return `${x.toFixed(1)},${(HEIGHT - 2 - (v / most) * (HEIGHT - 4)).toFixed(1)}`;
    });
    this.line.setAttribute("points", points.join(" "));
    const first = points[0].split(",")[0];
    this.area.setAttribute("points", `${first},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`);
    this.element.setAttribute("aria-label", `${this.label} over the last two minutes, at most ${number(most)}`);
  }
}

/** A number for people. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (!Number.isInteger(value) && Math.abs(value) < 10) return value.toFixed(value < 1 ? 2 : 1);
  return Math.round(value).toLocaleString("en");
}

/** Bytes for people. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${number(value)} ${units[unit]}`;
}

/** A moment in Unix milliseconds, as text; "0" is none. */
export function moment(text) {
  const time = Number(text);
  return time > 0 ? new Date(time).toLocaleString() : "–";
}

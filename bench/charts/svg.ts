/**
 * The few elements of SVG that charts are made of.
 *
 * @module
 */

/** A text. The classes are those of `style.ts`; where it stands is the start of its baseline unless a class says else. */
export function textAt(x: number, y: number, text: string, classes: string): string {
  return `<text class="${classes}" x="${round(x)}" y="${round(y)}">${escape(text)}</text>`;
}

/** A straight line. */
export function lineBetween(x1: number, y1: number, x2: number, y2: number, classes: string): string {
  return `<line class="${classes}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** A line through corners. */
export function polyline(corners: readonly (readonly [x: number, y: number])[], classes: string): string {
  return `<polyline class="${classes}" points="${corners.map(([x, y]) => `${round(x)},${round(y)}`).join(" ")}"/>`;
}

/** A dot. */
export function dot(x: number, y: number, radius: number, classes: string): string {
  return `<circle class="${classes}" cx="${round(x)}" cy="${round(y)}" r="${radius}"/>`;
}

/** A bar from the left to the right; what is too short to be seen is drawn all the same. */
export function barAt(x: number, y: number, width: number, height: number, classes: string): string {
  const drawn = round(Math.max(1.5, width));
  return `<rect class="${classes}" x="${round(x)}" y="${round(y)}" width="${drawn}" height="${height}" rx="2"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attributes; what XML cannot hold is left out. */
export function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  const clean = text.replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "");
  return clean.replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
}

/**
 * Figures of a bench in words.
 *
 * @module
 */

import { milliseconds } from "./table.ts";

const MOST_COLUMNS = 80;

/** `52 µs`, and from a millisecond on `5.20 ms`; `-` where there is none. */
export function duration(valueMs: number): string {
  if (!Number.isFinite(valueMs)) return "-";
  return valueMs < 0.9995 ? `${Math.round(valueMs * 1000)} µs` : milliseconds(valueMs);
}

/** Breaks a text into lines. */
export function wrapped(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= MOST_COLUMNS) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.join("\n");
}

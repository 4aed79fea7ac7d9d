/**
 * Tables of plain text.
 *
 * @module
 */

import process from "node:process";
import type { WriteStream } from "node:tty";

/** A column: its heading, which is as wide as the column. Everything stands to the right. */
export type Column = string;

const GAP = "  ";

/** One row, cell under heading. */
export function rowOf(columns: readonly Column[], cells: readonly string[]): string {
  return columns.map((column, nth) => (cells[nth] ?? "").padStart(column.length)).join(GAP).trimEnd();
}

/** `12,345`. */
export function count(value: number): string {
  return Math.round(value).toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `0.52 ms`, three digits that mean something. */
export function milliseconds(valueMs: number): string {
  const decimals = valueMs < 9.995 ? 2 : valueMs < 99.95 ? 1 : 0;
  return `${valueMs.toFixed(decimals)} ms`;
}

/**
 * The last line of the output while it still changes: on a terminal it is written over, cut to its width; elsewhere it is
 * written now and then anew.
 */
export class LiveLine {
  readonly #everyMs: number;
  readonly #output: WriteStream;
  #shownMs: number = performance.now();

  /** @param everyMs How often a changed line is worth a line of a file; Infinity: never. */
  constructor(everyMs: number, output: WriteStream = process.stdout) {
    this.#everyMs = everyMs;
    this.#output = output;
  }

  /** Shows it as it is now. */
  show(line: string): void {
    const { isTTY, columns } = this.#output;
    if (isTTY) {
      this.#output.write(`\r${line.slice(0, (columns || Infinity) - 1)}\x1b[K`);
      return;
    }
    if (performance.now() - this.#shownMs < this.#everyMs) return;
    this.#shownMs = performance.now();
    this.#output.write(`${line}\n`);
  }

  /** Shows it for the last time. */
  end(line: string): void {
    this.#shownMs = performance.now();
    this.#output.write(this.#output.isTTY ? `\r${line}\x1b[K\n` : `${line}\n`);
  }
}

/**
 * Tables of plain text.
 *
 * @module
 */

import process from "node:process";

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

/** The last line of the output while it still changes: on a terminal it is written over, elsewhere now and then anew. */
export class LiveLine {
  readonly #isTerminal: boolean = process.stdout.isTTY === true;
  readonly #everyMs: number;
  #shownMs: number = performance.now();

  /** @param everyMs How often a changed line is worth a line of a file. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Shows it as it is now. */
  show(line: string): void {
    if (this.#isTerminal) {
      process.stdout.write(`\r${line}\x1b[K`);
      return;
    }
    if (performance.now() - this.#shownMs < this.#everyMs) return;
    this.#shownMs = performance.now();
    process.stdout.write(`${line}\n`);
  }

  /** Shows it for the last time. */
  end(line: string): void {
    this.#shownMs = performance.now();
    process.stdout.write(this.#isTerminal ? `\r${line}\x1b[K\n` : `${line}\n`);
  }
}

/**
 * What the child of the demonstration says, as figures.
 *
 * @module
 */

import type { Acknowledged } from "./demo_check.ts";
import type { WriterLine } from "./demo_writer.ts";
import { type Column, count, milliseconds, rowOf } from "./table.ts";

/** The columns of {@linkcode DemoFigures.row}. */
export const figureColumns: readonly Column[] = [
  "run",
  "acknowledged",
  "entries/s",
  "fsyncs/s",
  "entries/fsync",
  "commit p50",
  "commit p99",
];

type Stats = Extract<WriterLine, { type: "stats" }>;

/** One run's. */
export class DemoFigures {
  readonly #run: number;
  readonly #sequences: Map<number, number> = new Map();
  readonly #acknowledged: Acknowledged[] = [];
  #before: Stats | null = null;
  #latest: Stats | null = null;
  /** How many entries were acknowledged. */
  count = 0;

  constructor(run: number) {
    this.#run = run;
  }

  /** Every acknowledgement in the order in which it came. */
  get acknowledged(): readonly Acknowledged[] {
    return this.#acknowledged;
  }

  /** The child has said this. */
  take(line: WriterLine): void {
    if (line.type === "stats") {
      this.#before = this.#latest;
      this.#latest = line;
    }
    if (line.type !== "acknowledged") return;
    for (const [stream, sequence, lsn] of line.streams) {
      this.count += sequence - (this.#sequences.get(stream) ?? 0);
      this.#sequences.set(stream, sequence);
      this.#acknowledged.push({ run: this.#run, stream, sequence, lsn });
    }
  }

  /** How it goes now. */
  row(): string {
    return this.#rowSince(this.#before);
  }

  /** How it went, from the start. */
  finalRow(): string {
    return this.#rowSince(null);
  }

  #rowSince(before: Stats | null): string {
    const cells = [String(this.#run), count(this.count)];
    if (this.#latest === null) return rowOf(figureColumns, [...cells, "-", "-", "-", "-", "-"]);
    const { elapsedMs, entries, fsyncs, p50Ms, p99Ms } = this.#latest;
    const seconds = (elapsedMs - (before?.elapsedMs ?? 0)) / 1000;
    const newEntries = entries - (before?.entries ?? 0);
    const newFsyncs = fsyncs - (before?.fsyncs ?? 0);
    return rowOf(figureColumns, [
      ...cells,
      count(newEntries / seconds),
      count(newFsyncs / seconds),
      newFsyncs === 0 ? "-" : count(newEntries / newFsyncs),
      milliseconds(p50Ms),
      milliseconds(p99Ms),
    ]);
  }
}

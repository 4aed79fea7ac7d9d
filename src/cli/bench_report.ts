/**
 * The figures of a bench as tables.
 *
 * @module
 */

import { type DiskFigures, diskKinds } from "./bench_disk.ts";
import type { LogFigures } from "./bench_log.ts";
import type { PresetFigure } from "./bench_presets.ts";
import { duration, wrapped } from "./bench_words.ts";
import { type Column, count, rowOf } from "./table.ts";

function tableOf(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  return [columns, ...rows].map((cells) => `${rowOf(columns, cells)}\n`).join("");
}

/** What the disk does. */
export function diskTable(disk: DiskFigures): string {
  const columns = ["           write", "    p50", "    p99", "  worst", "  count", "    MB/s"];
  const rows = diskKinds.map(([kind, name]) => {
    const { p50Ms, p99Ms, worstMs, count: times, bytesPerSecond } = disk[kind];
    const times3 = [p50Ms, p99Ms, worstMs].map(duration);
    return [name, ...times3, count(times), kind.startsWith("large") ? count(bytesPerSecond / 1e6) : ""];
  });
  return `The disk: a write and its fdatasync\n\n${tableOf(columns, rows)}`;
}

/** What the log does with callers. */
export function logTable(log: LogFigures): string {
  const columns = ["callers", "preset", "commits/s", "     p50", "     p99", "syncs/commit"];
  const rows = [log.someAtSync, log.one, log.thousand].map((figure) => {
    const { callers, preset, commitsPerSecond, p50Ms, p99Ms, syncsPerCommit } = figure;
    const syncs = syncsPerCommit.toPrecision(2);
    return [count(callers), preset, count(commitsPerSecond), duration(p50Ms), duration(p99Ms), syncs];
  });
  return `The log: callers who each await their commit

${tableOf(columns, rows)}
Sync against grouped: sharing syncs makes ${count(log.timesGrouped)} times as many commits.
`;
}

/** The tuning matrix. */
export function presetTable(presets: readonly PresetFigure[]): string {
  const columns = ["   preset", "offered/s", "expected", "     p99", "     p50", "syncs/s", "settled/s", "kept up"];
  const rows = presets.map((figure) => {
    const { preset, offeredPerSecond, expectedP99Ms, p50Ms, p99Ms, hasKeptUp } = figure;
    const times = [expectedP99Ms, p99Ms, p50Ms].map(duration);
    const perSecond = [figure.syncsPerSecond, figure.settledPerSecond].map(count);
    return [preset, count(offeredPerSecond), ...times, ...perSecond, hasKeptUp ? "yes" : "NO"];
  });
  return `The presets: entries that arrive whether those before them are durable or not

${tableOf(columns, rows)}
${wrapped(EXPECTED)}
`;
}

const EXPECTED =
  "expected, as a p99: 2 ms until a timer calls what has arrived, the window or the time in which it fills, one flush " +
  "in flight at the disk's p99, and its own at the p50; with sync one for each that a timer calls, and async waits " +
  "for the timer alone. Entries are of 100 bytes.";

/** What is to be doubted, if anything, and the sentences, each on lines of its own. */
export function adviceText(doubt: string | null, advice: readonly string[]): string {
  return [...(doubt === null ? [] : [`${wrapped(doubt)}\n`]), ...advice.map(wrapped)].join("\n");
}

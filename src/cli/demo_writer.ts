/**
 * The process that the demonstration kills: streams entries into a log, and says what is durable.
 *
 * @module
 */

import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { Wal, type WalWritable } from "../../mod.ts";
import { type Command, CommandError, ExitStatus } from "./command.ts";
import { entryText, STREAM_COUNT } from "./demo_entries.ts";

/** A line that the writer writes to its stdout. */
export type WriterLine =
  /** The log is open. The process may have been started by another that was asked to. */
  | { readonly type: "open"; readonly pid: number; readonly runtime: string }
  /** Of each stream: its number, how many of its entries are durable, and the LSN of the last of them. */
  | { readonly type: "acknowledged"; readonly streams: readonly (readonly [number, number, number])[] }
  /** Since the log was opened. */
  | {
    readonly type: "stats";
    readonly elapsedMs: number;
    readonly entries: number;
    readonly fsyncs: number;
    readonly p50Ms: number;
    readonly p99Ms: number;
  };

const STATS_EVERY_MS = 200;
/** Streams pause after a burst, so that the demonstration shows a busy log and not a full disk. */
const LONGEST_BURST = 16;
const PAUSE_MS = 1;
/** Small files, so that kills meet rotations too, and a small buffer, so that commits on a slow disk do not wait for long. */
const OPTIONS = { segmentBytes: 4 * 1024 * 1024, maxBufferedBytes: 1024 * 1024 } as const;

/** `walstream demo-writer <directory> <run>`. */
export const demoWriter: Command = {
  name: "demo-writer",
  usage: "<directory> <run>",
  summary: "what the demo starts and kills",
  run: async ({ arguments: [directory, run] }) => {
    if (directory === undefined || run === undefined) {
      throw new CommandError(`it is walstream ${demoWriter.name} ${demoWriter.usage}`, ExitStatus.usage);
    }
    endWithParent();
    const wal = await Wal.open(directory, OPTIONS);
    say({ type: "open", pid: process.pid, runtime: runtimeVersion() });
    const streams = Array.from({ length: STREAM_COUNT }, () => wal.writable());
    await Promise.all([
      ...streams.map((stream, nth) => writeStream(stream, Number(run), nth + 1)),
      acknowledge(wal, streams),
      reportStats(wal),
    ]);
    return ExitStatus.good;
  },
};

/** Whoever started this one kills it; if it cannot any more, its end of the pipe closes. Ctrl-C is the parent's business. */
function endWithParent(): void {
  process.on("SIGINT", () => {});
  process.stdin.on("error", () => process.exit(0)).on("close", () => process.exit(0)).resume();
}

function runtimeVersion(): string {
  const { deno, bun, node } = process.versions as Readonly<Record<string, string | undefined>>;
  return deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}

function say(line: WriterLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function writeStream(writable: WalWritable, run: number, stream: number): Promise<never> {
  const writer = writable.getWriter();
  let sequence = 0;
  for (let burst = stream;; burst = burst % LONGEST_BURST + 1) {
    for (let nth = 0; nth < burst; nth++) {
      // Each write rejects when the log has failed, and so does `ready`, which is waited for.
      writer.write(entryText({ run, stream, sequence: ++sequence })).catch(() => {});
    }
    await writer.ready;
    await delay(PAUSE_MS);
  }
}

/** Says how far each stream has come, when that is durable and not before. */
async function acknowledge(wal: Wal, streams: readonly WalWritable[]): Promise<never> {
  const told = streams.map(() => 0);
  for (;;) {
    const reached = streams.map(({ count, lastLsn }, nth) => [nth + 1, count, lastLsn] as const);
    const news = reached.filter(([stream, count]) => count > (told[stream - 1] ?? 0));
    if (news.length === 0) {
      await delay(PAUSE_MS);
      continue;
    }
    await wal.waitFor(Math.max(...news.map(([, , lastLsn]) => lastLsn)));
    say({ type: "acknowledged", streams: news });
    for (const [stream, count] of news) told[stream - 1] = count;
  }
}

async function reportStats(wal: Wal): Promise<never> {
  const startMs = performance.now();
  for (;;) {
    await delay(STATS_EVERY_MS);
    const { entries, fsyncs, commit: { p50Ms, p99Ms } } = wal.stats();
    say({ type: "stats", elapsedMs: performance.now() - startMs, entries, fsyncs, p50Ms, p99Ms });
  }
}

/**
 * `presets`: arrivals at a fixed rate, whatever becomes of those before.
 *
 * Of a preset that syncs, the time from the moment of an arrival until its commit is durable. Of `async`, the time of
 * the call of `append` alone, one after the other within a tick: reading the clock is part of it. "Arrivals alone"
 * shows what the harness itself does at the highest of these rates.
 *
 * @module
 */

import { type Wal, WalBufferFullError } from "../../mod.ts";
import { PRESET_RATES } from "../../src/cli/bench_presets.ts";
import { logContender } from "../contenders/logs.ts";
import { atMost, type Figures } from "../harness/figures.ts";
import type { Contender, Point, Reading, Watch } from "../harness/point.ts";
import type { Scale } from "../harness/scale.ts";
import { Times } from "../harness/statistics.ts";
import { Arrivals } from "../instruments/arrivals.ts";
import { ENTRY_BYTES, ENTRY_MASK, randomEntries } from "../instruments/entries.ts";

interface Row {
  readonly preset: keyof typeof PRESET_RATES;
  /** For the 99th percentile. */
  readonly allowedMs: number;
}

const ROWS: readonly Row[] = [
  { preset: "oltp", allowedMs: 8 },
  { preset: "mixed", allowedMs: 15 },
  { preset: "analytics", allowedMs: 30 },
  { preset: "batch", allowedMs: 75 },
  { preset: "async", allowedMs: 1 },
];

const WARM_UP = 1000;
const SECONDS = 2;
const QUICK_SECONDS = 0.05;

function readings(times: Times, arrivals: Arrivals): Reading[] {
  const of = (what: string, value: number): Reading => ({ what, unit: "ms", better: "lower", value });
  return [
    of("p50", times.percentile(0.5)),
    of("p99", times.percentile(0.99)),
    of("longest", times.percentile(1)),
    of("how late the calls were, p99", arrivals.lateMs.percentile(0.99)),
  ];
}

/**
 * LSNs rise by one a call, so that the LSN to which a commit resolves says which arrival it was: no closure is made for
 * each.
 */
async function committing(wal: Wal, row: Row, count: number, watch: Watch): Promise<Reading[]> {
  const entries = randomEntries();
  const arrivals = new Arrivals(PRESET_RATES[row.preset], count);
  const times = new Times(count);
  const firstLsn = wal.lastLsn + 1;
  const failures: unknown[] = [];
  const durable = (lsn: number): void => times.add(arrivals.sinceMs(lsn - firstLsn));
  const failed = (error: unknown): void => void failures.push(error);
  let last: Promise<void> = Promise.resolve();
  watch.start();
  await arrivals.run((from, to) => {
    for (let nth = from; nth < to; nth++) {
      last = wal.commit(entries[nth & ENTRY_MASK] as Uint8Array).then(durable, failed);
    }
  });
  await last; // commits settle in the order of their LSNs
  watch.stop();
  if (failures.length > 0) throw failures[0];
  if (times.count !== count) {
    throw new Error(`${times.count} of ${count} commits have settled`);
  }
  return readings(times, arrivals);
}

async function appending(wal: Wal, row: Row, count: number, watch: Watch): Promise<Reading[]> {
  const entries = randomEntries();
  const arrivals = new Arrivals(PRESET_RATES[row.preset], count);
  const times = new Times(count);
  let refused = 0;
  watch.start();
  await arrivals.run((from, to) => {
    let before = performance.now();
    for (let nth = from; nth < to; nth++) {
      try {
        wal.append(entries[nth & ENTRY_MASK] as Uint8Array);
      } catch (error) {
        if (!(error instanceof WalBufferFullError)) throw error;
        refused++;
      }
      const now = performance.now();
      times.add(now - before);
      before = now;
    }
  });
  watch.stop();
  await wal.flush();
  return [...readings(times, arrivals), { what: "refused", unit: "entries", better: "lower", value: refused }];
}

/**
 * The same arrivals at something that does nothing: each has a promise of its own, which the next turn of the loop
 * resolves.
 */
function alone(row: Row, scale: Scale): Contender {
  const count = PRESET_RATES[row.preset] * scale.pick(SECONDS, QUICK_SECONDS);
  return {
    name: `arrivals alone, ${PRESET_RATES[row.preset].toLocaleString("en")}/s`,
    round: async (_directory: string, watch: Watch) => {
      const arrivals = new Arrivals(PRESET_RATES[row.preset], count);
      const times = new Times(count);
      let waiting: ((nth: number) => void)[] = [];
      const durable = (nth: number): void => times.add(arrivals.sinceMs(nth));
      let last: Promise<void> = Promise.resolve();
      watch.start();
      await arrivals.run((from, to) => {
        for (let nth = from; nth < to; nth++) {
          last = new Promise<number>((resolve) => waiting.push(resolve)).then(durable);
        }
        const came = waiting;
        waiting = [];
        setTimeout(() => came.forEach((resolve, nth) => resolve(from + nth)), 0);
      });
      await last;
      watch.stop();
      return readings(times, arrivals);
    },
  };
}

function arriving(row: Row, scale: Scale): Contender {
  const count = PRESET_RATES[row.preset] * scale.pick(SECONDS, QUICK_SECONDS);
  return logContender({
    name: nameOf(row),
    options: { preset: row.preset },
    work: async (wal, watch) => {
      await Promise.all(randomEntries(WARM_UP).map((entry) => wal.commit(entry)));
      await wal.flush();
      return await (row.preset === "async" ? appending : committing)(wal, row, count, watch);
    },
  });
}

function nameOf({ preset }: Row): string {
  return `walstream, ${preset} at ${PRESET_RATES[preset].toLocaleString("en")}/s`;
}

/** See the head of this file. */
export const presets: Point = {
  name: "presets",
  entryBytes: ENTRY_BYTES,
  contenders: (scale: Scale) => [
    ...ROWS.map((row) => arriving(row, scale)),
    ...ROWS.filter(({ preset }) => preset === "batch").map((row) => alone(row, scale)),
  ],
  targets: (figures: Figures) => [
    ...ROWS.map((row) => {
      const what = `${row.preset} at ${PRESET_RATES[row.preset].toLocaleString("en")}/s: p99`;
      return atMost(
        row.preset === "async" ? `${what} of the call of append` : what,
        "ms",
        row.allowedMs,
        figures.median(nameOf(row), "p99"),
      );
    }),
    ...ROWS.filter(({ preset }) => preset === "async").map((row) =>
      atMost("async: appends that were refused", "entries", 0, figures.most(nameOf(row), "refused"))
    ),
  ],
};

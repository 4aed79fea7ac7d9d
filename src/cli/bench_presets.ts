/**
 * The tuning matrix by measurement: what each preset does with entries that arrive at a fixed rate.
 *
 * @module
 */

import type { Preset, Wal } from "../../mod.ts";
import { type Achieved, Arrivals } from "./bench_arrivals.ts";
import type { DiskFigures } from "./bench_disk.ts";
import { type BenchWindow, expectedP99Ms, STORED_BYTES, windowOf } from "./bench_expected.ts";
import type { BenchTime } from "./bench_time.ts";

/** A row of the tuning matrix. */
export interface PresetFigure extends BenchWindow, Achieved {
  readonly preset: Preset;
  readonly offeredPerSecond: number;
  /** Infinity: more than the disk takes. */
  readonly expectedP99Ms: number;
  readonly syncsPerSecond: number;
}

/** How many entries arrive in a second; from the shortest window to the longest. */
export const PRESET_RATES: Readonly<Record<Exclude<Preset, "sync">, number>> = {
  oltp: 50_000,
  mixed: 100_000,
  analytics: 250_000,
  batch: 500_000,
  async: 1_000_000,
};
/** However fast the disk is: more shows nothing new. */
const MOST_AT_SYNC = 10_000;
const SHARES = 4;

/** How many shares of the time this asks for. */
export const PRESET_SHARES: number = (1 + Object.keys(PRESET_RATES).length) * SHARES; // and "sync"

/** Measures one preset after the other. */
export async function measurePresets(
  wal: Wal,
  entry: Uint8Array,
  disk: DiskFigures,
  roomBytes: number,
  time: BenchTime,
): Promise<PresetFigure[]> {
  const rows = Object.entries({ sync: syncRate(disk), ...PRESET_RATES }) as [Preset, number][];
  const figures: PresetFigure[] = [];
  for (const [preset, perSecond] of rows) {
    const window = windowOf(preset);
    await wal.configure(window);
    const endMs = time.begin(`preset ${preset}`, SHARES);
    const spanMs = endMs - performance.now();
    const most = Math.max(2, Math.floor(Math.min(perSecond * spanMs / 1000, roomBytes / STORED_BYTES)));
    const expectedMs = expectedP99Ms(disk, window, perSecond);
    const arrivals = new Arrivals(perSecond, most, expectedMs);
    const [before, startMs] = [wal.stats().fsyncs, performance.now()];
    await arrivals.run(wal, entry, window.durability === "none", time);
    const syncsPerSecond = Math.round((wal.stats().fsyncs - before) * 1000 / (performance.now() - startMs));
    const asked = { offeredPerSecond: perSecond, expectedP99Ms: expectedMs };
    figures.push({ preset, ...window, ...asked, syncsPerSecond, ...arrivals.read() });
    await wal.truncateBefore(wal.lastLsn); // gives the room back
  }
  return figures;
}

/** What fits one sync an entry: half of what the disk takes. */
function syncRate({ smallPrepared }: DiskFigures): number {
  return Math.min(Math.ceil(500 / smallPrepared.p50Ms), MOST_AT_SYNC);
}

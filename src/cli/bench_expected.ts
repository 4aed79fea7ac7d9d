/**
 * The tuning matrix by arithmetic: what a preset's window and a disk come to.
 *
 * @module
 */

import type { Durability, Preset } from "../../mod.ts";
import { PRESETS } from "../options.ts";
import type { DiskFigures } from "./bench_disk.ts";

/** A preset; `"none"` is what you get without one. */
export type BenchPreset = Preset | "none";

/** What a preset says of flushes. */
export interface BenchWindow {
  readonly durability: Durability;
  readonly windowMs: number;
  readonly maxEntries: number;
}

/** Of each entry that the bench writes. */
export const ENTRY_BYTES = 100;
/** Its bytes on the disk, when it is one of many. */
export const STORED_BYTES = 106;
/** Timers go off each millisecond, up to one late, and call all that has arrived. */
const TIMER_MS = 2;

/** The window of a preset. */
export function windowOf(preset: BenchPreset): BenchWindow {
  const { durability = "fsync", windowMs = 0, maxEntries = Infinity } = preset === "none" ? {} : PRESETS[preset];
  return { durability, windowMs, maxEntries };
}

/**
 * From the moment of an entry's arrival until it is durable, in 99 of 100 cases: until a timer has gone off; until its window
 * is over or full; one flush that is still in flight, at the disk's 99th percentile; and its own, at the median. A flush
 * takes what a small one takes, and for its bytes what a large one takes more. Infinity: they come faster than the disk
 * takes them. Where nobody waits for the disk the timer alone is left.
 */
export function expectedP99Ms(disk: DiskFigures, window: BenchWindow, perSecond: number): number {
  const { durability, windowMs, maxEntries } = window;
  if (durability !== "fsync") return TIMER_MS;
  const { smallPrepared: small, largePrepared: large } = disk;
  const perMs = perSecond / 1000;
  // Those of one timer have a sync each, one after the other.
  if (maxEntries === 1) return TIMER_MS + Math.ceil(perMs * TIMER_MS) * small.p50Ms + small.p99Ms;
  const fillingMs = Math.min(windowMs, maxEntries / perMs);
  const msPerByte = Math.max(0, large.p50Ms - small.p50Ms) / large.writeBytes;
  const msPerMs = msPerByte * STORED_BYTES * perMs;
  if (msPerMs >= 1) return Infinity;
  // What comes while a flush is in flight is the next one, where that takes longer than the window.
  const flushMs = Math.max(small.p50Ms + msPerMs * fillingMs, small.p50Ms / (1 - msPerMs));
  const slowMs = Math.max(0, small.p99Ms - small.p50Ms);
  return TIMER_MS + fillingMs + flushMs + slowMs + flushMs;
}

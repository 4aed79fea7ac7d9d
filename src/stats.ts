/**
 * What a log counts and times, as plain data.
 *
 * @module
 */

/**
 * How long something took, in milliseconds, to within 3 %: half of the times were at most `p50Ms`, 99 of 100 at most `p99Ms`.
 *
 * @example
 * ```ts
 * import { type LatencyStats, Wal } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await wal.commit("hello");
 * const { count, p99Ms }: LatencyStats = wal.stats().fsync;
 * console.log(`of ${count} syncs, 99 of 100 took at most ${p99Ms} ms`);
 * await wal.close();
 * ```
 */
export interface LatencyStats {
  /** How many times were taken. */
  readonly count: number;
  /** Half of them were at most so long. */
  readonly p50Ms: number;
  /** 9 of 10. */
  readonly p90Ms: number;
  /** 99 of 100. */
  readonly p99Ms: number;
  /** 999 of 1,000. */
  readonly p999Ms: number;
  /** The longest, just so. */
  readonly maxMs: number;
}

/** Of each power of two, so many buckets: the least of one is at most a 32nd below the most. */
const BUCKETS_PER_OCTAVE = 32;
const OCTAVES = 32;

/** Counts times in buckets whose width grows with the time; takes 8 KiB and no allocation a time. */
export class Histogram {
  readonly #counts: Float64Array = new Float64Array(BUCKETS_PER_OCTAVE * OCTAVES);
  #count = 0;
  #maxMs = 0;

  /** Takes note of one. */
  record(elapsedMs: number): void {
    if (Number.isNaN(elapsedMs)) return;
    const bucket = bucketOf(elapsedMs * 1000);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    if (elapsedMs > this.#maxMs) this.#maxMs = elapsedMs;
  }

  /** What came together so far. */
  read(): LatencyStats {
    return {
      count: this.#count,
      p50Ms: this.#percentile(0.5),
      p90Ms: this.#percentile(0.9),
      p99Ms: this.#percentile(0.99),
      p999Ms: this.#percentile(0.999),
      maxMs: this.#maxMs,
    };
  }

  #percentile(share: number): number {
    let left = Math.ceil(share * this.#count);
    if (left === 0) return 0;
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return Math.min(mostOf(bucket) / 1000, this.#maxMs);
  }
}

/** The first buckets hold a microsecond each; then each octave has equally many. */
function bucketOf(elapsedUs: number): number {
  const whole = Math.min(Math.max(0, Math.floor(elapsedUs)), 2 ** 31 - 1);
  if (whole < BUCKETS_PER_OCTAVE) return whole;
  const octave = 31 - Math.clz32(whole) - Math.log2(BUCKETS_PER_OCTAVE);
  return octave * BUCKETS_PER_OCTAVE + (whole >> octave);
}

/** The most microseconds that a bucket holds. */
function mostOf(bucket: number): number {
  const octave = Math.max(0, Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1);
  return (bucket - octave * BUCKETS_PER_OCTAVE + 1) * 2 ** octave;
}

/** What the log has done since it was opened; the log adds to it as it goes. */
export class Counters {
  entries = 0;
  bytes = 0;
  frames = 0;
  flushes = 0;
  fsyncs = 0;
  refused = 0;
  rejected = 0;
  mostPendingBytes = 0;
  readonly commit: Histogram = new Histogram();
  readonly fsync: Histogram = new Histogram();
}

/**
 * What {@linkcode Wal.stats} says: counts since the log was opened, and how it stands now.
 *
 * @example
 * ```ts
 * import { Wal, type WalStats } from "@walstream/wal";
 *
 * const wal = await Wal.open("data/wal");
 * await Promise.all(Array.from({ length: 1000 }, (_, nth) => wal.commit(`entry ${nth}`)));
 * const { entries, flushes, entriesPerFlush }: WalStats = wal.stats();
 * console.log(entries, flushes, entriesPerFlush); // 1000 1 1000
 * await wal.close();
 * ```
 */
export interface WalStats {
  /** Entries written. */
  readonly entries: number;
  /** Bytes written as frames, control frames included. */
  readonly bytes: number;
  /** Frames written, control frames included. */
  readonly frames: number;
  /** Writes of waiting entries. */
  readonly flushes: number;
  /** Syncs of segments, whoever asked for them. */
  readonly fsyncs: number;
  /** `entries / flushes`; 0 before the first. */
  readonly entriesPerFlush: number;
  /** Entries that are accepted and not yet written. */
  readonly pendingEntries: number;
  /** Their bytes. */
  readonly pendingBytes: number;
  /** The most that ever waited. */
  readonly mostPendingBytes: number;
  /** `pendingBytes` as a share of `maxBufferedBytes`, 0 to 1 and a little more. */
  readonly utilisation: number;
  /** How many segments the log has; spares are not counted. */
  readonly segments: number;
  /** Bytes of frames in them. */
  readonly retainedBytes: number;
  /** Appends that threw because the buffer or the disk was full. */
  readonly refused: number;
  /** Entries that were accepted and then rejected because the disk was full. */
  readonly rejected: number;
  /** From the arrival of the first entry of a flush until the flush had ended, its sync included: one time a flush. */
  readonly commit: LatencyStats;
  /** How long each sync of the last segment took, whoever asked for it. */
  readonly fsync: LatencyStats;
  /** What a power cut would take now: what is accepted and not synced. `ageMs` is how long the oldest of it has waited. */
  readonly loss: { readonly entries: number; readonly bytes: number; readonly ageMs: number };
}

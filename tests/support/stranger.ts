/**
 * A reader of logs by a stranger, who knows nothing but the comments of `src/format.ts` and imports nothing of it. What it
 * cannot read, those comments do not say.
 */

/** An entry, as a stranger finds it. */
export interface StrangeEntry {
  readonly lsn: number;
  readonly kind: number;
  readonly time: number;
  readonly data: Uint8Array;
}

/** A frame, as a stranger finds it. */
export interface StrangeFrame {
  readonly segment: number;
  readonly offset: number;
  readonly kind: string;
  readonly firstLsn: number;
  /** The LSN in the payload of a HEAD or a SKIP. */
  readonly payload: number;
}

/** All that a stranger finds. */
export interface StrangeLog {
  readonly entries: StrangeEntry[];
  readonly frames: StrangeFrame[];
  /** What the lock file remembers. */
  readonly lockMark: { readonly segment: number; readonly offset: number; readonly lsn: number } | null;
}

interface Segment {
  readonly id: number;
  readonly baseLsn: number;
  readonly predecessorId: number;
  readonly predecessorEnd: number;
  readonly headLsn: number;
  readonly setId: number;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const FRAME_KINDS: ReadonlyMap<number, string> = new Map([
  [1, "ENTRIES"],
  [2, "BATCH"],
  [16, "HEAD"],
  [17, "SKIP"],
  [18, "MARK"],
  [19, "IDLE"],
  [20, "FOOTER"],
]);

/** Reads a log from the files of its directory, by name. */
export function readAsStranger(files: ReadonlyMap<string, Uint8Array>): StrangeLog {
  const isSegment = ([name]: readonly [string, Uint8Array]): boolean => /^\d{10,}-\d{10,}-\d{16}\.wal$/.test(name);
  const all = [...files].filter(isSegment).map(([name, bytes]) => readHeader(name, bytes));
  const segments = all.filter(({ setId }) => setId === 0 || all.some(({ id }) => id === setId));
  const chain: Segment[] = [];
  for (let next = highest(segments); next !== undefined;) {
    chain.unshift(next);
    const { predecessorId } = next;
    next = segments.find(({ id }) => id === predecessorId);
  }
  const entries: StrangeEntry[] = [];
  const frames: StrangeFrame[] = [];
  for (const [nth, segment] of chain.entries()) {
    const successor = chain[nth + 1];
    const start = frames.length;
    readFrames(segment, successor?.predecessorEnd ?? segment.bytes.length, entries, frames);
    if (successor !== undefined) readFooter(segment, successor, frames.slice(start), frames);
  }
  const heads = frames.filter(({ kind }) => kind === "HEAD").map(({ payload }) => payload);
  const headLsn = Math.max(...heads, chain.at(-1)?.headLsn ?? 1);
  const lockMark = readLockMark(files.get("lock") ?? new Uint8Array());
  return { entries: entries.filter(({ lsn }) => lsn >= headLsn), frames, lockMark };
}

function highest(segments: readonly Segment[]): Segment | undefined {
  return segments.toSorted((a, b) => a.id - b.id).at(-1);
}

function readHeader(name: string, bytes: Uint8Array): Segment {
  const view = viewOf(bytes);
  const magic = new TextDecoder().decode(bytes.subarray(0, 8));
  if (magic !== "\0walstrm") throw new Error(`${name}: ${JSON.stringify(magic)} is not the magic of a segment`);
  if (view.getUint32(8, true) !== 1) throw new Error(`${name} is not of format version 1`);
  if (view.getUint32(12, true) !== 0) throw new Error(`${name} requires features of which version 1 knows none`);
  if (view.getUint32(4092, true) !== crc32(bytes.subarray(8, 4092))) throw new Error(`${name}: its header is damaged`);
  const header = {
    id: number(view, 64),
    baseLsn: number(view, 72),
    predecessorId: number(view, 88),
    predecessorEnd: number(view, 96),
    headLsn: number(view, 112),
    setId: number(view, 120),
  };
  const digits = (value: number, least: number): string => String(value).padStart(least, "0");
  const expected = `${digits(header.id, 10)}-${digits(header.predecessorId, 10)}-${digits(header.baseLsn, 16)}.wal`;
  if (name !== expected) throw new Error(`${name} should be called ${expected}`);
  return { ...header, salt: bytes.subarray(80, 88), bytes, view };
}

/** All valid frames up to `end`, or the first that is not. */
function readFrames(segment: Segment, end: number, entries: StrangeEntry[], frames: StrangeFrame[]): void {
  const { id, bytes, view } = segment;
  let nextLsn = segment.baseLsn;
  for (let offset = 4096; offset + 48 <= end;) {
    const length = view.getUint32(offset + 12, true);
    const kind = FRAME_KINDS.get(bytes[offset + 44] ?? 0);
    const firstLsn = number(view, offset + 16);
    if (kind === undefined || firstLsn !== nextLsn || !isValid(segment, offset, length, end)) return;
    const count = view.getUint32(offset + 40, true);
    const payload = kind === "HEAD" || kind === "SKIP" ? number(view, offset + 48) : 0;
    frames.push({ segment: id, offset, kind, firstLsn, payload });
    readEntries(bytes.subarray(offset + 48, offset + length), firstLsn, count, number(view, offset + 32), entries);
    nextLsn = kind === "SKIP" ? payload + 1 : firstLsn + count;
    offset += length;
  }
}

/** The footer, if there is one, where the successor says that the segment ends. Its index names frames that are there. */
function readFooter(
  segment: Segment,
  successor: Segment,
  found: readonly StrangeFrame[],
  frames: StrangeFrame[],
): void {
  const { bytes, view } = segment;
  const offset = successor.predecessorEnd;
  if (offset + 48 > bytes.length || FRAME_KINDS.get(bytes[offset + 44] ?? 0) !== "FOOTER") return;
  if (!isValid(segment, offset, view.getUint32(offset + 12, true), bytes.length)) return;
  frames.push({ segment: segment.id, offset, kind: "FOOTER", firstLsn: number(view, offset + 16), payload: 0 });
  const count = view.getUint32(offset + 48, true);
  for (let at = offset + 56; at < offset + 56 + 24 * count; at += 24) {
    const [lsn, place] = [number(view, at), number(view, at + 8)];
    if (found.some((frame) => frame.firstLsn === lsn && frame.offset === place)) continue;
    throw new Error(`the index names LSN ${lsn} at offset ${place}, where no such frame is`);
  }
}

function isValid({ id, salt, bytes, view }: Segment, offset: number, length: number, end: number): boolean {
  if (length % 8 !== 0 || length < 48 || offset + length > end) return false;
  const place = new Uint8Array(24);
  place.set(salt);
  new DataView(place.buffer).setBigUint64(8, BigInt(id), true);
  new DataView(place.buffer).setBigUint64(16, BigInt(offset), true);
  const checksum = (from: number, to: number): number =>
    crc32(new Uint8Array([...place, ...bytes.subarray(offset + from, offset + to)]));
  const magic = new TextDecoder().decode(bytes.subarray(offset + 8, offset + 12));
  return magic === "frm1" && view.getUint32(offset, true) === checksum(4, 48) &&
    view.getUint32(offset + 4, true) === checksum(8, length);
}

function readEntries(body: Uint8Array, firstLsn: number, count: number, time: number, entries: StrangeEntry[]): void {
  const view = viewOf(body);
  let at = 0;
  for (let nth = 0; nth < count; nth++) {
    const length = view.getUint32(at, true);
    entries.push({ lsn: firstLsn + nth, kind: view.getUint8(at + 4), time, data: body.slice(at + 5, at + 5 + length) });
    at += 5 + length;
  }
}

function readLockMark(bytes: Uint8Array): StrangeLog["lockMark"] {
  const view = viewOf(bytes);
  if (bytes.length < 512 || new TextDecoder().decode(bytes.subarray(4, 8)) !== "mark") return null;
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4, 32))) return null;
  return { segment: number(view, 8), offset: number(view, 16), lsn: number(view, 24) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function number(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** CRC-32 as IEEE 802.3 has it, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

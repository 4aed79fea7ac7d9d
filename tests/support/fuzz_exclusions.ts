/**
 * What is known not to be kept: specimens of these kinds are held only to a typed answer in bounded time and memory. Each has a
 * test in tests/fuzz_findings.test.ts; when that passes, its line in `EXCLUSIONS` can go.
 */

import { crc32 } from "node:zlib";
import { viewOf } from "../../src/bytes.ts";
import {
  CONTROL_FRAME_BYTES,
  decodeControlPayload,
  decodeFrameHeader,
  decodeHeader,
  decodeLockMark,
  FRAME_ALIGNMENT,
  FrameChecksum,
  FrameKind,
  HEADER_BYTES,
  parseSegmentName,
  type SegmentHeader,
} from "../../src/format.ts";
import type { Specimen } from "./fuzz_specimen.ts";

/** No base has an id or an LSN like this. */
const FAR = 1_000_000;

/** What one file says that is named like a segment. */
interface Told {
  readonly header: SegmentHeader;
  /** What its head frames say, the greatest; 0 where there are none. */
  readonly headLsn: number;
  /** The highest LSN that any frame header in it bears. */
  readonly lastLsn: number;
}

type Exclusion = (specimen: Specimen, told: readonly Told[]) => string | null;

/** A name, a mark, a header or a frame bears a number far beyond all others: an id or LSN that the log can hardly go on from. */
const farNumber: Exclusion = (specimen, told) => {
  const names = [...specimen.files.keys()].map(parseSegmentName).filter((name) => name !== null);
  const mark = decodeLockMark(specimen.bytes("lock"), crc32);
  const numbers = [
    ...names.flatMap(({ id, baseLsn }) => [id, baseLsn]),
    mark?.segmentId ?? 0,
    mark?.lsn ?? 0,
    ...told.flatMap(({ header: { id, setId }, lastLsn }) => [id, setId, lastLsn]),
  ];
  return numbers.some((number) => number > FAR) ? "a number far beyond all others" : null;
};

/** A head lies above every LSN of the last segment, or goes back: only a forger makes one. */
const falseHead: Exclusion = (_, told) => {
  let highest = 0;
  const last = told.at(-1);
  const lastLsn = Math.max(last?.lastLsn ?? 0, (last?.header.baseLsn ?? 1) - 1);
  for (const { header, headLsn } of told) {
    if (header.headLsn < highest) return "a head that goes back";
    highest = Math.max(highest, header.headLsn, headLsn);
  }
  return highest > lastLsn + 1 ? "a head above the end" : null;
};

const EXCLUSIONS: readonly Exclusion[] = [farNumber, falseHead];

/** Why a specimen is excluded, or null. */
export function exclusionOf(specimen: Specimen): string | null {
  const told = specimen.segments().map((name) => tell(specimen.bytes(name))).filter((each) => each !== null);
  for (const exclusion of EXCLUSIONS) {
    const why = exclusion(specimen, told);
    if (why !== null) return why;
  }
  return null;
}

function tell(bytes: Uint8Array): Told | null {
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES), crc32);
  if ("fault" in header) return null;
  const checksum = new FrameChecksum(crc32, header.salt, header.id);
  const view = viewOf(bytes);
  let [headLsn, lastLsn] = [0, 0];
  for (let offset = HEADER_BYTES; offset < bytes.length; offset += FRAME_ALIGNMENT) {
    const frame = decodeFrameHeader(bytes, view, offset, offset, checksum);
    if (frame === null) continue;
    const hasPayload = offset + CONTROL_FRAME_BYTES <= bytes.length;
    const payload = hasPayload ? decodeControlPayload(view, offset) : 0;
    if (frame.kind === FrameKind.HEAD) headLsn = Math.max(headLsn, payload);
    lastLsn = Math.max(lastLsn, frame.firstLsn + frame.count - 1, frame.kind === FrameKind.SKIP ? payload : 0);
  }
  return { header, headLsn, lastLsn };
}

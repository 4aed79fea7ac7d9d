/**
 * A frame's header in which one bit has turned. Where turning it back makes the checksum hold, a frame was there, be it that a crash
 * tore off no more of its header than that bit: worth telling of, and worth keeping.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import { decodeFrameHeader, FRAME_HEADER_BYTES, type FrameChecksum, type FrameHeader, FrameKind } from "./format.ts";
import type { RuntimeFile } from "./runtime/port.ts";

/**
 * The header that stood at `offset` before one bit of it turned; null where that explains nothing. A mark or an idle frame does not
 * count: nothing is lost with it, and where one was written over the other, a crash that splits the header can leave them a bit apart.
 */
export async function readTurnedHeader(
  file: Pick<RuntimeFile, "read">,
  checksum: FrameChecksum,
  offset: number,
): Promise<FrameHeader | null> {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const count = await file.read(bytes, offset);
  if (count < FRAME_HEADER_BYTES || bytes.every((byte) => byte === 0)) return null;
  const view = viewOf(bytes);
  for (let nth = 0; nth < 8 * FRAME_HEADER_BYTES; nth++) {
    const at = nth >>> 3;
    const byte = bytes[at] ?? 0;
    bytes[at] = byte ^ 1 << (nth & 7);
    const header = decodeFrameHeader(bytes, view, 0, offset, checksum);
    if (header !== null) return header.kind === FrameKind.MARK || header.kind === FrameKind.IDLE ? null : header;
    bytes[at] = byte;
  }
  return null;
}

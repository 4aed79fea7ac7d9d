/**
 * Reading the footer of a sealed segment.
 *
 * @module
 */

import { viewOf } from "./bytes.ts";
import {
  decodeFrameHeader,
  decodeIndex,
  footerBytes,
  FRAME_HEADER_BYTES,
  FrameKind,
  type IndexPoint,
  MAX_INDEX_POINTS,
} from "./format.ts";
import type { OpenSegmentFile } from "./segment.ts";

/** The index of the footer that begins at `offset`; null where there is none that is whole, or it cannot be read. */
export async function readFooter(opened: OpenSegmentFile, offset: number): Promise<IndexPoint[] | null> {
  const { file, checksum } = opened;
  const bytes = new Uint8Array(footerBytes(MAX_INDEX_POINTS));
  const count = await file.read(bytes, offset).catch(() => 0);
  if (count < FRAME_HEADER_BYTES) return null;
  const view = viewOf(bytes);
  const header = decodeFrameHeader(bytes, view, 0, offset, checksum);
  const isWhole = header?.kind === FrameKind.FOOTER && header.lengthBytes <= count &&
    checksum.frameHolds(bytes, view, 0, header.lengthBytes, offset);
  return isWhole ? decodeIndex(view, 0) : null;
}

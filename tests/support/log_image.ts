import { join } from "node:path";
import { Wal, type WalOptions } from "../../mod.ts";
import { copyDirectory } from "./directories.ts";

/** Long enough for a log not to become idle while a test looks at it. */
const NEVER_MS = 3_600_000;

/** A frame that holds one entry. */
export interface LoneFrame {
  readonly lsn: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** What a killed process would leave of a log that holds these texts, each in a frame of its own. */
export async function logImage(
  sandbox: string,
  texts: readonly string[],
  options: WalOptions = {},
): Promise<{ directory: string; frames: LoneFrame[] }> {
  const wal = await Wal.open(join(sandbox, "original"), { segmentBytes: 16 * 1024, idleMs: NEVER_MS, ...options });
  for (const text of texts) await wal.commit(text);
  const directory = await copyDirectory(join(sandbox, "original"), join(sandbox, "image"));
  await wal.close();
  return { directory, frames: loneFrames(texts) };
}

/** Where these texts lie in the first segment, as long as they fit into it. */
export function loneFrames(texts: readonly string[]): LoneFrame[] {
  const frames: LoneFrame[] = [];
  let offset = 4096;
  for (const [nth, { length }] of texts.entries()) {
    const lengthBytes = Math.ceil((48 + 5 + length) / 8) * 8;
    frames.push({ lsn: nth + 1, offset, lengthBytes });
    offset += lengthBytes;
  }
  return frames;
}

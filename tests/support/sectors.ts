/**
 * Files told in letters, one a sector: `"AB."` is a sector full of A, one full of B, and one of zeros.
 *
 * @module
 */
import { type MemoryDisk, type MemoryKeep, MemoryRuntime } from "../../src/runtime/memory.ts";
import type { RuntimeFile } from "../../src/runtime/port.ts";

/** What a disk writes at once. */
export const sectorBytes = 512;

/** The bytes that some letters stand for. */
export function letters(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * sectorBytes);
  [...text].forEach((letter, i) => {
    if (letter !== ".") bytes.fill(letter.charCodeAt(0), i * sectorBytes, (i + 1) * sectorBytes);
  });
  return bytes;
}

/** The letters that stand for some bytes; `?` is a sector that is of more than one kind. */
export function told(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += sectorBytes) {
    const sector = bytes.subarray(at, at + sectorBytes);
    const first = sector[0] ?? 0;
    text += sector.some((byte) => byte !== first) ? "?" : first === 0 ? "." : String.fromCharCode(first);
  }
  return text;
}

/** What is told of a file, or `-` if it is not there. */
export function toldOf(disk: MemoryDisk, path: string): string {
  const slash = path.lastIndexOf("/");
  try {
    return disk.names(path.slice(0, slash) || "/").includes(path.slice(slash + 1)) ? told(disk.read(path)) : "-";
  } catch {
    return "-";
  }
}

/** What may be found after a power loss at this moment, each with how often it was found. */
export function survivals(
  disk: MemoryDisk,
  look: (after: MemoryDisk) => string,
  { keep, count = 600 }: { readonly keep?: MemoryKeep; readonly count?: number } = {},
): Map<string, number> {
  const found = new Map<string, number>();
  for (let seed = 0; seed < count; seed++) {
    const text = look(disk.powerLoss(keep === undefined ? seed : { keep, seed }));
    found.set(text, (found.get(text) ?? 0) + 1);
  }
  return found;
}

/** Opens a file of a disk in a new process. */
export function openOn(disk: MemoryDisk, path: string, mode: "write" | "create" = "write"): Promise<RuntimeFile> {
  return new MemoryRuntime({ disk }).open(path, mode);
}

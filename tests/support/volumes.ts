/**
 * Small file systems that can really be full. Each is mounted in a mount namespace of its own, which ends with the process that
 * holds it, however that ends: nothing is left mounted. From outside it is seen through that process's root.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { within } from "./deadline.ts";
import { Program } from "./processes.ts";
import { inSandbox } from "./sandbox.ts";

export type VolumeKind =
  /** In memory: it is full at once and to the byte. */
  | "tmpfs"
  /** On an image behind a loop device: it finds a place for what was written only when that is synced. */
  | "ext4";

/** Whoever is not root is it in a namespace of users, where he may mount a tmpfs. */
const isRoot = process.getuid?.() === 0;
const namespaces: readonly string[] = ["unshare", isRoot ? "-m" : "-Urm", "--propagation", "private"];

const scripts: Readonly<Record<VolumeKind, string>> = {
  tmpfs: `mount -t tmpfs -o size="$2" walstream "$1"`,
  ext4:
    `mkfs.ext4 -q -F -m 0 -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 "$1.image" && mount -o loop "$1.image" "$1"`,
};

/** Why there are no volumes of this kind here, or false where there are. */
export function cannotMount(kind: VolumeKind): string | false {
  const [command = "", ...words] = namespaces;
  const status = (script: string): number | null => spawnSync(command, [...words, "sh", "-c", script]).status;
  if (status("mount -t tmpfs walstream /tmp") !== 0) {
    return "mounting is not permitted, neither as root nor in a namespace of users";
  }
  if (kind === "tmpfs") return false;
  if (!isRoot || !existsSync("/dev/loop-control")) return "loop devices are for root, or not there";
  const hasTools = spawnSync("mkfs.ext4", ["-V"]).status === 0 && spawnSync("losetup", ["-f"]).status === 0;
  return hasTools ? false : "mkfs.ext4 or losetup is not installed, or no loop device is free";
}

/** A mounted file system. */
export interface Volume {
  /** Its root, as it is seen from here. */
  readonly path: string;
}

/** Runs a test on a new file system of about this size, which is gone afterwards. */
export async function inVolume<T>(
  kind: VolumeKind,
  sizeBytes: number,
  body: (volume: Volume) => Promise<T>,
): Promise<T> {
  return await inSandbox(async (sandbox) => {
    const mountPoint = join(sandbox, "volume");
    await mkdir(mountPoint);
    if (kind === "ext4") await writeFile(`${mountPoint}.image`, new Uint8Array(sizeBytes));
    const [command = "", ...words] = namespaces;
    const script = `${scripts[kind]} && echo mounted && exec cat`;
    const holder = new Program(command, [...words, "sh", "-c", script, "sh", mountPoint, String(sizeBytes)], {});
    try {
      await within(20, "the file system", holder.nextLine());
      return await body({ path: `/proc/${holder.pid}/root${mountPoint}` });
    } finally {
      await holder.kill();
    }
  });
}

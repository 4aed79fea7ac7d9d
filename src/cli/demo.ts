/**
 * `npm start`: a small honest example. It writes, kills the writer, and looks at what is left.
 *
 * @module
 */

import { fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Wal } from "../../mod.ts";

const RUN_MS = 2000;
const CALLERS = 100;

/** The child: so many callers commit as fast as they can; each acknowledged LSN is told to the parent. */
async function write(directory: string): Promise<void> {
  const wal = await Wal.open(directory);
  const caller = async (): Promise<never> => {
    for (;;) {
      const lsn = await wal.commit(`entry ${wal.lastLsn + 1}`);
      process.send?.(lsn);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** The parent: kills the child in mid-flight, opens its log, and checks that every acknowledged entry is there. */
async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "walstream-"));
  try {
    console.log(
      `A child commits to a log in ${directory}, ${CALLERS} callers at once, each waiting for its own entry.`,
    );
    const acknowledged = await writeAndKill(directory);
    const wal = await Wal.open(directory);
    const { end, torn, lastLsn, durationMs } = wal.recovery;
    console.log(`It was killed by SIGKILL after ${acknowledged} acknowledged commits.`);
    console.log(`Recovery took ${durationMs.toFixed(1)} ms and found ${lastLsn} entries; the end is ${end}.`);
    if (torn !== null) {
      console.log(`${torn.bytes} torn bytes behind offset ${torn.offset} are kept for you to look at.`);
    }
    let next = wal.firstLsn;
    for await (const entry of wal.readable()) if (entry.lsn === next) next++;
    await wal.close();
    const isWhole = next === lastLsn + 1 && lastLsn >= acknowledged;
    console.log(
      isWhole
        ? "Every acknowledged entry is there, in order, and nothing is missing in between."
        : `ENTRIES ARE MISSING: read up to ${next - 1}, acknowledged ${acknowledged}.`,
    );
    console.log(
      "A kill proves that nothing waits in the process; that the disk keeps it, only a power cut would prove.",
    );
    if (!isWhole) process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Resolves to the highest LSN that the child was told is durable. */
function writeAndKill(directory: string): Promise<number> {
  const child = fork(fileURLToPath(import.meta.url), [directory]);
  let acknowledged = 0;
  child.on("message", (lsn) => acknowledged = Math.max(acknowledged, Number(lsn)));
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      if (code === null) resolve(acknowledged);
      else reject(new Error(`the child ended by itself with status ${code}`));
    });
  });
}

const [directory] = process.argv.slice(2);
await (directory === undefined ? main() : write(directory));

// Uses logs in every way that costs system calls, and notes in the file `steps` what it is about to do, so that whoever
// traces it knows which calls belong to what.

import { openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Wal, type WalOptions } from "../../mod.ts";
import { copyDirectory, lastSegment } from "./directories.ts";

const NEVER_MS = 3_600_000;
const [sandbox = ""] = process.argv.slice(2);
const steps = openSync(join(sandbox, "steps"), "w");

/** Says what comes next, and in which directory. */
function step(directory: string, name: string): void {
  writeSync(steps, `${directory}: ${name}`);
}

function open(directory: string, options: WalOptions): Promise<Wal> {
  return Wal.open(join(sandbox, directory), { segmentBytes: 64 * 1024, idleMs: NEVER_MS, ...options });
}

/** What this does to the disk is not the log's doing. */
async function copyLog(from: string, to: string): Promise<void> {
  step("outside", "copy");
  await copyDirectory(join(sandbox, from), join(sandbox, to));
}

function thousand(wal: Wal): Promise<number[]> {
  return Promise.all(Array.from({ length: 1000 }, (_, nth) => wal.commit(String(nth))));
}

async function life(directory: string, options: WalOptions): Promise<void> {
  step(directory, "open");
  const wal = await open(directory, options);
  step(directory, "first commit");
  await wal.commit("first");
  step(directory, "three commits");
  for (let nth = 0; nth < 3; nth++) await wal.commit("one after the other");
  step(directory, "thousand commits");
  await thousand(wal);
  step(directory, "batch");
  await wal.commitBatch(["all", "or", "nothing"]);
  step(directory, "rotation");
  await wal.commit(new Uint8Array(50_000));
  if (directory === "pool") await copyLog("pool", "freed");
  step(directory, "flush");
  await wal.flush();
  step(directory, "close");
  await wal.close();
}

async function laterLives(directory: string, options: WalOptions): Promise<void> {
  step(directory, "open again");
  const wal = await open(directory, options);
  step(directory, "first commit behind a mark");
  await wal.commit("again");
  await copyLog(directory, "crashed");
  step(directory, "close again");
  await wal.close();
  step(directory, "look");
  const looked = await open(directory, options);
  await looked.close();

  step("crashed", "open");
  const crashed = await open("crashed", options);
  step("crashed", "first commit");
  await crashed.commit("after the crash");
  step("crashed", "close");
  await crashed.close();
}

/** A segment of which all is torn: nothing of it is on the chain once there is another. */
async function freeing(): Promise<void> {
  step("outside", "tear");
  const path = join(sandbox, "freed", await lastSegment(join(sandbox, "freed")));
  const bytes = readFileSync(path);
  bytes[4096 + 100] = 1;
  writeFileSync(path, bytes);
  step("freed", "open");
  const torn = await open("freed", {});
  step("freed", "first commit");
  await torn.commit("after the crash");
  step("freed", "close");
  await torn.close();
  step("freed", "open and close again");
  const freed = await open("freed", {});
  await freed.close();
}

async function windows(): Promise<void> {
  step("window", "open");
  const wal = await open("window", { windowMs: 60_000, maxEntries: 1000 });
  await Promise.all([wal.commit("first"), wal.flush()]);
  step("window", "thousand commits");
  await thousand(wal);
  step("window", "close");
  await wal.close();
}

async function weaker(): Promise<void> {
  step("none", "open");
  const wal = await open("none", { durability: "none", lossMs: NEVER_MS });
  await wal.waitFor(wal.append("first"), { durability: "write" });
  step("none", "three commits");
  for (let nth = 0; nth < 3; nth++) await wal.waitFor(await wal.commit("accepted"), { durability: "write" });
  step("none", "stronger");
  await wal.waitFor(wal.lastLsn, { durability: "fsync" });
  step("none", "close");
  await wal.close();
}

async function idle(): Promise<void> {
  step("idle", "open");
  const wal = await open("idle", { idleMs: 1 });
  step("idle", "one commit");
  await wal.commit("first");
  const path = join(sandbox, "idle", await lastSegment(join(sandbox, "idle")));
  // An entry of five bytes takes a frame of 64. Behind it the magic number of the next one will be seen.
  const startMs = performance.now();
  while (readFileSync(path)[4096 + 64 + 8] === 0 && performance.now() - startMs < 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  step("idle", "close");
  await wal.close();
}

await life("pool", { io: "pool" });
await laterLives("pool", { io: "pool" });
await freeing();
await life("blocking", { io: "blocking" });
await life("write", { io: "pool", durability: "write" });
await windows();
await weaker();
await idle();
console.log(JSON.stringify({ pid: process.pid }));

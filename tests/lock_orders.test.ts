// Openers that race, in every order in which they can interrupt each other: none of them may give two owners.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { test } from "node:test";
import { WalLockedError } from "../src/errors.ts";
import { DirectoryLock } from "../src/lock.ts";
import { encodeLockOwner } from "../src/lock_owner.ts";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { Random } from "../src/runtime/random.ts";
import { everyOrder, interleave, SteppedRuntime } from "./support/interleaving.ts";
import type { Choose, Turn } from "./support/interleaving.ts";

/** What a process does: takes the lock, gives it back, is killed. It ends at the first refusal. */
type Step = "take" | "give" | "die";

interface Story {
  readonly processes: readonly { readonly steps: readonly Step[]; readonly kernelLock?: boolean }[];
  /** Whether a killed process has the lock by number 5 at the start. */
  readonly afterDeadOwner?: boolean;
}

const DEAD_PID = 999;

/** Runs a story in one order; resolves to who took each step. */
async function run(story: Story, choose: Choose): Promise<number[]> {
  const disk = new MemoryDisk({ files: { "/log/other": new Uint8Array(1) } });
  if (story.afterDeadOwner) disk.write("/log/lock.5", deadRecord());
  const living = new Set<number>();
  const owners = new Set<number>();
  let taken = 0;
  const trace = await interleave(
    story.processes.map(({ steps, kernelLock = false }, index) => async (turn: Turn) => {
      const memory = new MemoryRuntime({ disk, kernelLock });
      const pid = index + 1;
      living.add(pid);
      const runtime = new SteppedRuntime(memory, turn, pid, living);
      let lock: DirectoryLock | null = null;
      for (const step of steps) {
        if (step === "take") {
          lock = await takeOrNull(runtime);
          if (lock === null) return;
          taken++;
          owners.add(pid);
          assertEquals(owners.size, 1, `the owners are ${[...owners]}`);
        } else {
          owners.delete(pid);
          if (step === "give") await lock?.release();
          else {
            living.delete(pid);
            memory.stop();
          }
        }
      }
    }),
    choose,
  );
  // Two kinds that meet may both be refused; of one kind, the first to link or to lock is the owner.
  const kinds = new Set(story.processes.map((process) => process.kernelLock ?? false));
  if (kinds.size === 1) assertGreater(taken, 0, "nobody was given the lock");
  if (owners.size === 0) {
    const free = (): Promise<void> => Promise.resolve();
    const next = new SteppedRuntime(
      new MemoryRuntime({ disk, kernelLock: false }),
      free,
      100,
      new Set([...living, 100]),
    );
    await (await DirectoryLock.acquire(next, "/log")).release();
  }
  return trace;
}

async function takeOrNull(runtime: SteppedRuntime): Promise<DirectoryLock | null> {
  try {
    return await DirectoryLock.acquire(runtime, "/log");
  } catch (error) {
    if (error instanceof WalLockedError) return null;
    throw error;
  }
}

function deadRecord(): Uint8Array {
  return encodeLockOwner({
    pid: DEAD_PID,
    runtime: "memory",
    since: 0,
    startTicks: DEAD_PID,
    bootId: "boot",
    pidNamespace: "all",
    token: "dead",
    isReleased: false,
  });
}

async function inEveryOrder(story: Story, interruptions: number, fewestOrders: number): Promise<void> {
  const orders = await everyOrder(
    story.processes.length,
    interruptions,
    (choose, name) =>
      run(story, choose).catch((error) => {
        throw new Error(`in the order ${name}: ${error.message}`, { cause: error });
      }),
  );
  assertGreater(orders, fewestOrders);
}

test("two who find a dead owner's number: at most one becomes the owner, in every order of two interruptions", () =>
  inEveryOrder({ processes: [{ steps: ["take"] }, { steps: ["take"] }], afterDeadOwner: true }, 2, 200));

test("one that is slow while others come and go: no number is taken a second time", () =>
  inEveryOrder(
    { processes: [{ steps: ["take"] }, { steps: ["take", "give", "take", "give", "take"] }], afterDeadOwner: true },
    2,
    500,
  ));

test("two that are slow while an owner is killed: at most one follows it", () =>
  inEveryOrder({ processes: [{ steps: ["take", "die"] }, { steps: ["take"] }, { steps: ["take"] }] }, 1, 50));

test("one with a kernel's lock and one without: at most one becomes the owner", () =>
  inEveryOrder(
    { processes: [{ steps: ["take"], kernelLock: true }, { steps: ["take"] }], afterDeadOwner: true },
    2,
    200,
  ));

test("kernel's locks and numbers given back and killed: at most one is the owner", () =>
  inEveryOrder(
    { processes: [{ steps: ["take", "die"], kernelLock: true }, { steps: ["take", "give", "take"] }] },
    2,
    200,
  ));

test("four openers in orders drawn by chance: at most one is the owner at any time", async () => {
  const story: Story = {
    processes: [
      { steps: ["take", "give", "take", "die"] },
      { steps: ["take", "give", "take", "give", "take"] },
      { steps: ["take", "give"] },
      { steps: ["take"] },
    ],
    afterDeadOwner: true,
  };
  for (let seed = 0; seed < 400; seed++) {
    const random = new Random(seed);
    // Long runs of one process between the others' steps find more than even turns do.
    let current = 0;
    const choose: Choose = (waiting) => {
      if (random.chance(0.15)) current = random.integer(0, 3);
      return waiting.includes(current) ? waiting.indexOf(current) : random.integer(0, waiting.length - 1);
    };
    const trace = await run(story, choose).catch((error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
    assert(trace.length > 0);
  }
});

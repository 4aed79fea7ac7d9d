// One opener at a time, also where two are threads of one process, which the system takes for one.

import { assertEquals } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { acquireLock, done, type LockAnswer, type LockKind, lockKinds } from "./support/lock_commands.ts";
import { inSandbox } from "./support/sandbox.ts";
import { Thread, type ThreadKind, threadKinds } from "./support/threads.ts";

/** A thread that takes and gives back locks. */
class LockThread {
  readonly #thread: Thread;
  readonly #directory: string;

  constructor(kind: ThreadKind, directory: string) {
    this.#thread = new Thread(kind, "lock_worker");
    this.#directory = directory;
  }

  tell(command: "acquire" | "release", kind: LockKind): Promise<LockAnswer> {
    return this.#thread.ask({ command, directory: this.#directory, kind });
  }

  /** Whoever has the lock is named, by the number of the process that is ours as well. */
  async checkRefused(kind: LockKind): Promise<void> {
    const { isDone, refusal } = await this.tell("acquire", kind);
    assertEquals([isDone, refusal?.owner?.pid], [false, process.pid]);
  }

  async end(): Promise<void> {
    await this.#thread.end();
  }
}

for (const threadKind of threadKinds) {
  for (const lockKind of lockKinds) {
    test(`a thread (${threadKind}) has the lock (${lockKind}): all others of its process are refused until it gives it back`, () =>
      inSandbox(async (sandbox) => {
        const holder = new LockThread(threadKind, sandbox);
        const others = threadKinds.map((kind) => new LockThread(kind, sandbox));
        try {
          for (let round = 0; round < 2; round++) {
            assertEquals(await holder.tell("acquire", lockKind), done);
            for (const kind of lockKinds) {
              const here = await acquireLock(kind, sandbox).then(() => "taken", (error) => error.owner?.pid);
              assertEquals(here, process.pid);
              for (const other of others) await other.checkRefused(kind);
            }
            assertEquals(await holder.tell("release", lockKind), done);
            const lock = await acquireLock(lockKind, sandbox);
            for (const kind of lockKinds) await holder.checkRefused(kind);
            await lock.release();
            for (const other of others) {
              assertEquals(await other.tell("acquire", lockKind), done);
              assertEquals(await other.tell("release", lockKind), done);
            }
          }
        } finally {
          await Promise.all([holder, ...others].map((thread) => thread.end()));
        }
      }));
  }
}

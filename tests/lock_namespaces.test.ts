// Openers in pid namespaces of their own, as containers have that share a directory. The kernel's lock knows no namespaces. Where
// there is none, nobody can tell from here whether an owner elsewhere still runs: it never counts as gone.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { WalLockedError } from "../src/errors.ts";
import { covered } from "./support/covered.ts";
import { acquireLock, done, type LockAnswer, type LockKind, lockKinds } from "./support/lock_commands.ts";
import {
  cannotUnshare,
  killInNamespace,
  type ProcKind,
  procKinds,
  startInNamespace,
} from "./support/pid_namespaces.ts";
import { currentRuntime, type Program, runtimeNames, startProgram } from "./support/processes.ts";
import { inSandbox } from "./support/sandbox.ts";

/** What is tried is told at the end. */
const total = { refusals: 0, kills: 0 };
const cannotTell = "cannot be told from here whether that one still runs";

async function tell(program: Program, command: string): Promise<LockAnswer> {
  return JSON.parse(await program.ask(command)) as LockAnswer;
}

async function refusalHere(kind: LockKind, directory: string): Promise<WalLockedError> {
  total.refusals++;
  const refusal = await acquireLock(kind, directory).then((lock) => lock.release().then(() => null), (error) => error);
  assert(refusal instanceof WalLockedError, `the ${kind} lock was given a second time`);
  return refusal;
}

/** Every program that the body starts is gone afterwards. */
async function withPrograms(body: (start: (program: Program) => Program) => Promise<void>): Promise<void> {
  const programs: Program[] = [];
  try {
    await body((program) => {
      programs.push(program);
      return program;
    });
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
  }
}

/** The one number that was taken. */
function numberIn(directory: string): string {
  return join(directory, readdirSync(directory).find((name) => /^lock\.\d+$/.test(name)) ?? "");
}

async function checkFree(directory: string): Promise<void> {
  for (const kind of lockKinds) await (await acquireLock(kind, directory)).release();
}

for (const holderName of runtimeNames) {
  // A /proc that means others is misread by all in the same way, or by none.
  for (const proc of holderName === currentRuntime ? procKinds : procKinds.slice(0, 1)) {
    const inNamespace = (directory: string, kind: LockKind, name = holderName): Program =>
      startInNamespace(name, "lock_program", { arguments: [directory, kind], proc });

    test(`${holderName} in a namespace with ${proc} has the kernel's lock: all are refused until it is killed`, {
      skip: cannotUnshare,
    }, () =>
      inSandbox((sandbox) =>
        withPrograms(async (start) => {
          const holder = start(inNamespace(sandbox, "kernel"));
          assertEquals(await tell(holder, "acquire"), done);
          for (const kind of lockKinds) {
            const { owner } = await refusalHere(kind, sandbox);
            assertEquals([owner?.pid, owner?.runtime], [1, holderName]);
          }
          const elsewhere = start(inNamespace(sandbox, "kernel", currentRuntime));
          assertEquals((await tell(elsewhere, "acquire")).isDone, false);
          await killInNamespace(holder);
          total.kills++;
          assertEquals(await tell(elsewhere, "acquire"), done);
          assertEquals(await tell(elsewhere, "release"), done);
          await checkFree(sandbox);
        })
      ));

    test(`${holderName} in a namespace with ${proc} has a number and is killed: it never counts as gone`, {
      skip: cannotUnshare,
    }, () =>
      inSandbox((sandbox) =>
        withPrograms(async (start) => {
          const holder = start(inNamespace(sandbox, "numbered"));
          assertEquals(await tell(holder, "acquire"), done);
          const elsewhere = start(inNamespace(sandbox, "numbered", currentRuntime));
          const checkRefused = async (): Promise<void> => {
            for (const kind of lockKinds) {
              const { owner, message } = await refusalHere(kind, sandbox);
              assertEquals([owner?.pid, owner?.runtime], [1, holderName]);
              assertStringIncludes(message, cannotTell);
            }
            // There, too, the one who tries is number 1.
            assertStringIncludes((await tell(elsewhere, "acquire")).refusal?.message ?? "", cannotTell);
          };
          await checkRefused();
          await killInNamespace(holder);
          total.kills++;
          await checkRefused();
          rmSync(numberIn(sandbox)); // by hand, as the error says
          assertEquals(await tell(elsewhere, "acquire"), done);
          assertEquals(await tell(elsewhere, "release"), done);
          await checkFree(sandbox);
        })
      ));

    test(`who has the lock here keeps ${holderName} out in a namespace with ${proc}, by the kernel and by a number`, {
      skip: cannotUnshare,
    }, () =>
      inSandbox((sandbox) =>
        withPrograms(async (start) => {
          const others = lockKinds.map((kind) => start(inNamespace(sandbox, kind)));
          for (const kind of lockKinds) {
            const lock = await acquireLock(kind, sandbox);
            for (const other of others) {
              total.refusals++;
              const { isDone, refusal } = await tell(other, "acquire");
              assertEquals([isDone, refusal?.owner?.pid], [false, process.pid]);
            }
            await lock.release();
            for (const other of others) {
              assertEquals(await tell(other, "acquire"), done);
              assertEquals(await tell(other, "release"), done);
            }
          }
        })
      ));
  }
}

test(
  "a number of one who was killed here keeps out who is in a namespace, and nobody here",
  { skip: cannotUnshare },
  () =>
    inSandbox((sandbox) =>
      withPrograms(async (start) => {
        const holder = start(startProgram(currentRuntime, "lock_program", { arguments: [sandbox, "numbered"] }));
        assertEquals(await tell(holder, "acquire"), done);
        await holder.kill();
        const proc: ProcKind = "its own /proc";
        const other = start(
          startInNamespace(currentRuntime, "lock_program", { arguments: [sandbox, "numbered"], proc }),
        );
        assertStringIncludes((await tell(other, "acquire")).refusal?.message ?? "", cannotTell);
        await checkFree(sandbox);
        assertEquals(await tell(other, "acquire"), done);
      })
    ),
);

test("what was tried across namespaces", { skip: cannotUnshare }, () => {
  assert(total.refusals > 0 && total.kills > 0);
  covered({ refusalsAcrossNamespaces: total.refusals, ownersKilledThere: total.kills });
});

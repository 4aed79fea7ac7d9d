// A process on a disk in memory: when its calls take effect, how they fail, where it stops, what it must not do.

import { assert, assertEquals, assertInstanceOf, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import {
  type MemoryCall,
  type MemoryCallName,
  MemoryDisk,
  MemoryRuntime,
  type MemoryRuntimeOptions,
  ProcessStopped,
} from "../src/runtime/memory.ts";
import type { RuntimeFile } from "../src/runtime/port.ts";
import { faults } from "./support/faults.ts";
import { letters, sectorBytes, toldOf } from "./support/sectors.ts";
import { assertRejectsWithCode, assertThrowsWithCode } from "./support/system_code.ts";

/** A disk with three files. */
function someDisk(): MemoryDisk {
  return new MemoryDisk({ files: { "/f": letters("...."), "/g": letters("g"), "/u": letters("u") } });
}

/** A process that has `/f` open. */
async function started(
  options: MemoryRuntimeOptions = {},
): Promise<{ disk: MemoryDisk; runtime: MemoryRuntime; file: RuntimeFile }> {
  const runtime = new MemoryRuntime({ disk: someDisk(), ...options });
  return { disk: runtime.disk, runtime, file: await runtime.open("/f", "write") };
}

/** One call of each kind that goes well on {@linkcode someDisk}, each whatever others have been made. */
const everyCall: Record<MemoryCallName, (runtime: MemoryRuntime, file: RuntimeFile) => Promise<unknown>> = {
  open: (runtime) => runtime.open("/new", "create"),
  read: (_runtime, file) => file.read(new Uint8Array(8), 0),
  write: (_runtime, file) => file.write(letters("A"), 0),
  syncData: (_runtime, file) => file.syncData(),
  truncate: (_runtime, file) => file.truncate(sectorBytes),
  size: (_runtime, file) => file.size(),
  tryLock: (_runtime, file) => file.tryLock(),
  makeDirectory: (runtime) => runtime.makeDirectory("/made"),
  list: (runtime) => runtime.list("/"),
  rename: (runtime) => runtime.rename("/g", "/h"),
  link: (runtime) => runtime.link("/f", "/l"),
  unlink: (runtime) => runtime.unlink("/u"),
  syncDirectory: (runtime) => runtime.syncDirectory("/"),
  freeBytes: (runtime) => runtime.freeBytes("/"),
  close: (_runtime, file) => file.close(),
};
const everyName = Object.keys(everyCall) as MemoryCallName[];

const f = (disk: MemoryDisk): string => toldOf(disk, "/f");

/** All that is on a disk, in words. */
function stateOf(disk: MemoryDisk): string {
  return disk.names("/").map((name) => `${name}=${toldOf(disk, `/${name}`)}`).join(" ");
}

/** A turn of the event loop: all that can settle has settled. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turn();
  return settled;
}

// -- when calls take effect

test("a pool call has no effect while it is being made, and all of it when it has returned", async () => {
  const { disk, file } = await started();
  const write = file.write(letters("A"), 0);
  assertEquals(f(disk), "....");
  await write;
  assertEquals(f(disk), "A...");
  file.writeSync(letters("B"), 0);
  assertEquals(f(disk), "B...");
});

test("of two pool calls in flight either may take effect first, and either may return first", async () => {
  const effects = new Set<string>();
  const returns = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const { disk, runtime } = await started({ seed });
    const order: string[] = [];
    await Promise.all([
      runtime.unlink("/g").then(() => order.push("unlinked"), () => order.push("nothing to unlink")),
      runtime.rename("/g", "/h").then(() => order.push("renamed"), () => order.push("nothing to rename")),
      runtime.list("/").then(() => order.push("listed")),
    ]);
    effects.add(disk.names("/").join());
    returns.add(order.join());
  }
  assertEquals([...effects].sort(), ["f,h,u", "f,u"]);
  assert(returns.size > 4, [...returns].join(" "));
});

test("a caller that changes the bytes before a write returns may have other bytes written", async () => {
  const { disk, file } = await started();
  const bytes = letters("A");
  const write = file.write(bytes, 0);
  bytes.fill(0x42);
  await write;
  assertEquals(f(disk), "B...");
});

test("a call in flight may have had its effect, a part of it, or none, when everything ends", async () => {
  const { disk, runtime, file } = await started();
  const calls = [file.write(letters("ABCD"), 0), runtime.rename("/f", "/z")];
  const look = (after: MemoryDisk): string => toldOf(after, "/f") + toldOf(after, "/z");
  const killed = new Set<string>();
  const lost = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    killed.add(look(disk.kill(seed)).replace("?", "."));
    lost.add(look(disk.powerLoss({ keep: "any", seed })).replace("?", "."));
    assertEquals(look(disk.powerLoss({ keep: "none", seed })), "....-");
    assertEquals(look(disk.powerLoss({ keep: "all", seed })), "-ABCD");
  }
  for (const expected of ["....-", "-....", "ABCD-", "-ABCD", "AB..-", "-A..."]) {
    assert(killed.has(expected), `${expected} was not found after a kill`);
    assert(lost.has(expected), `${expected} was not found after a power loss`);
  }
  assert(lost.has("..CD-") && !killed.has("..CD-"));
  assertEquals(look(disk), "....-");
  await Promise.all(calls);
  assertEquals(look(disk), "-ABCD");
});

test("a sync in flight when the power goes may have been done, and what it covers is there whole then", async () => {
  const [before, after] = [".".repeat(64), "A".repeat(64)];
  const { disk, file } = await started({ disk: new MemoryDisk({ files: { "/f": letters(before) } }) });
  await file.write(letters(after), 0);
  const wholeOf = (): number => {
    let whole = 0;
    for (let seed = 0; seed < 200; seed++) {
      assertEquals(f(disk.powerLoss({ keep: "none", seed })), before);
      if (f(disk.powerLoss({ keep: "any", seed })) === after) whole++;
    }
    return whole;
  };
  const without = wholeOf();
  const sync = file.syncData();
  const within = wholeOf();
  assert(without < 20 && within > 40 && within < 160, `${without} ${within}`);
  await sync;
});

test("a snapshot is taken without doing what calls in flight are about to do", async () => {
  const { disk, runtime, file } = await started();
  const target = new Uint8Array(8).fill(1);
  const calls = [file.read(target, 0), file.tryLock(), runtime.open("/g", "read"), runtime.open("/new", "create")];
  const snapshots = Array.from({ length: 20 }, (_, seed) => [disk.kill(seed), disk.powerLoss({ keep: "all", seed })]);
  assertEquals([target[0], runtime.openFiles, disk.names("/")], [1, ["/f"], ["f", "g", "u"]]);
  runtime.stop();
  for (const snapshot of snapshots.flat()) {
    assertEquals(await (await started({ disk: snapshot })).file.tryLock(), true);
  }
  assertEquals(await isSettled(Promise.race(calls)), false);
});

// -- the hooks

test("every call to the disk goes through the hook, numbered, with what it is about", async () => {
  const plan = faults();
  const { runtime, file } = await started({ onCall: plan.onCall });
  file.writeSync(letters("AB"), sectorBytes);
  file.syncDataSync();
  for (const name of everyName) await everyCall[name](runtime, file);
  const shown = ({ name, path, to, position, length, blocking }: MemoryCall): string =>
    `${name} ${path}${to === null ? "" : ` ${to}`} ${position}+${length}${blocking ? " blocking" : ""}`;
  assertEquals(plan.calls.map((call) => call.number), plan.calls.map((_, i) => i + 1));
  assertEquals(runtime.calls, plan.calls.length);
  assertEquals(plan.calls.map(shown), [
    "open /f 0+0",
    "write /f 512+1024 blocking",
    "syncData /f 0+0 blocking",
    "open /new 0+0",
    "read /f 0+8",
    "write /f 0+512",
    "syncData /f 0+0",
    "truncate /f 512+0",
    "size /f 0+0",
    "tryLock /f 0+0",
    "makeDirectory /made 0+0",
    "list / 0+0",
    "rename /g /h 0+0",
    "link /f /l 0+0",
    "unlink /u 0+0",
    "syncDirectory / 0+0",
    "freeBytes / 0+0",
    "close /f 0+0",
  ]);
});

test("one hook is called when a call is made, the other when it returns, before the caller knows", async () => {
  const seen: string[] = [];
  const disk = someDisk();
  const runtime = new MemoryRuntime({
    disk,
    onCall: (call) => void seen.push(`${call.name} made at ${f(disk)}`),
    onReturn: (call, error) => void seen.push(`${call.name} returns at ${f(disk)}${error === null ? "" : ", failed"}`),
  });
  const file = await runtime.open("/f", "write");
  const write = file.write(letters("A"), 0);
  seen.push("the caller waits");
  await write;
  seen.push("the caller knows");
  file.writeSync(letters("B"), 0);
  assertThrows(() => file.writeSync(new Uint8Array(1), 2 ** 50));
  assertEquals(seen.slice(2), [
    "write made at ....",
    "the caller waits",
    "write returns at A...",
    "the caller knows",
    "write made at A...",
    "write returns at B...",
    "write made at B...",
    "write returns at B..., failed",
  ]);
});

test("what a hook throws comes out where the call was made", async () => {
  for (const hook of ["onCall", "onReturn"]) {
    let isArmed = false;
    const throws = (): undefined => {
      if (isArmed) throw new RangeError("of the test");
    };
    const { file } = await started({ [hook]: throws });
    isArmed = true;
    await assertRejects(() => file.size(), RangeError);
    assertThrows(() => file.syncDataSync(), RangeError);
  }
});

// -- faults

test("any call can fail with any code, and then it has done nothing", async () => {
  for (const name of everyName) {
    for (const code of ["EIO", "ENOSPC", "EACCES"]) {
      const plan = faults();
      const { disk, runtime, file } = await started({ onCall: plan.onCall });
      const before = stateOf(disk);
      plan.fail(name, { code });
      await assertRejectsWithCode(() => everyCall[name](runtime, file), code);
      assertEquals(stateOf(disk), before, name);
      assertEquals(stateOf(disk.powerLoss({ keep: "all" })), before, name);
      await everyCall[name](runtime, file);
    }
  }
});

test("a blocking call fails like its twin in the pool", async () => {
  const plan = faults().fail("write", { blocking: true }).fail("syncData", { blocking: true, code: "ENOSPC" });
  const { disk, file } = await started({ onCall: plan.onCall });
  await file.write(letters("A"), 0);
  await assertThrowsWithCode(() => file.writeSync(letters("B"), 0), "EIO");
  await assertThrowsWithCode(() => file.syncDataSync(), "ENOSPC");
  assertEquals(f(disk), "A...");
});

test("a write can end after a part of its bytes", async () => {
  for (const blocking of [false, true]) {
    const plan = faults().shortWrite(2, sectorBytes + 7, "EIO");
    const { disk, file } = await started({ onCall: plan.onCall });
    const write = async (text: string): Promise<void> =>
      blocking ? file.writeSync(letters(text), 0) : await file.write(letters(text), 0);
    await write("AAAA");
    await assertRejectsWithCode(() => write("BBBB"), "EIO");
    assertEquals(f(disk), "B?AA");
    assertEquals(disk.read("/f").indexOf(0x41), sectorBytes + 7);
  }
});

test("a read can return turned bits, and what is on the disk is right", async () => {
  const plan = faults().misread("/f", 100, 3);
  const { disk, file } = await started({ onCall: plan.onCall });
  const target = new Uint8Array(8);
  await file.read(target, 96);
  assertEquals([...target], [0, 0, 0, 0, 8, 0, 0, 0]);
  await file.read(target, 0);
  assertEquals([...target], [0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(disk.read("/f")[100], 0);
});

test("a slow call takes virtual time, and a blocking one takes it from everybody", async () => {
  const plan = faults().slow("syncData", 10);
  const { runtime, file } = await started({ onCall: plan.onCall, manualTime: true });
  let calls = 0;
  runtime.setTimer(() => calls++, 25, true);
  const sync = file.syncData();
  await runtime.clock.advance(9);
  assertEquals(await isSettled(sync), false);
  await runtime.clock.advance(1);
  assertEquals(await isSettled(sync), true);
  file.syncDataSync();
  file.syncDataSync();
  assertEquals([runtime.monotonicMs(), calls], [30, 0]);
  await runtime.clock.advance(0);
  assertEquals(calls, 1);
});

// -- the end of a process

test("a process can stop before and after every call: nothing of it, or all of it, is there", async () => {
  for (const name of everyName) {
    for (const stop of ["before", "after"] as const) {
      const plan = faults();
      const { disk, runtime, file } = await started({ onCall: plan.onCall });
      const before = stateOf(disk);
      plan.stop(name, stop);
      assertEquals(await isSettled(everyCall[name](runtime, file)), false, `${name} ${stop}`);
      await runtime.stopped;
      const twin = await started();
      if (stop === "after") await everyCall[name](twin.runtime, twin.file);
      assertEquals(stateOf(disk), stop === "before" ? before : stateOf(twin.disk), `${name} ${stop}`);
    }
  }
});

test("a process can stop in the middle of a write, in the pool and in a blocking one", async () => {
  const { disk, runtime, file } = await started({ onCall: faults().stopInWrite(2 * sectorBytes).onCall });
  assertEquals(await isSettled(file.write(letters("ABCD"), 0)), false);
  assertEquals(f(disk), "AB..");
  await runtime.stopped;

  const blocking = await started({ onCall: faults().stopInWrite(sectorBytes).onCall });
  assertInstanceOf(assertThrows(() => blocking.file.writeSync(letters("ABCD"), 0)), ProcessStopped);
  assertEquals(f(blocking.disk), "A...");
});

test("of a process that has stopped no call settles or takes effect, no timer is called, and no hook", async () => {
  const plan = faults();
  const { disk, runtime, file } = await started({ onCall: plan.onCall });
  let timerCalls = 0;
  runtime.setTimer(() => timerCalls++, 1, true);
  const opened = runtime.open("/g", "read");
  runtime.stop();
  runtime.setTimer(() => timerCalls++, 1, true);
  const { length } = plan.calls;
  const before = stateOf(disk);
  const calls = everyName.map((name) => everyCall[name](runtime, file));
  assertEquals(await isSettled(Promise.race([opened, ...calls])), false);
  for (const blocking of [() => file.writeSync(letters("A"), 0), () => file.syncDataSync()]) {
    assertInstanceOf(assertThrows(blocking), ProcessStopped);
  }
  await turn();
  assertEquals([timerCalls, plan.calls.length, stateOf(disk)], [0, length, before]);
});

test("a process that stops leaves its calls in flight to chance, and none of them comes later", async () => {
  const found = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const { disk, runtime, file } = await started({ seed });
    const write = file.write(letters("ABCD"), 0);
    runtime.stop();
    const state = f(disk);
    found.add(state.replace("?", "."));
    assertEquals(await isSettled(write), false);
    assertEquals(f(disk), state);
  }
  for (const expected of ["....", "A...", "AB..", "ABC.", "ABCD"]) assert(found.has(expected), `${expected} not found`);
});

test("a hook can stop the process of its own call, and of another", async () => {
  const disk = someDisk();
  const victim = await started({ disk });
  const killer: MemoryRuntime = new MemoryRuntime({
    disk,
    onCall: (call) => {
      if (call.name === "list") victim.runtime.stop();
      if (call.name === "unlink") killer.stop();
      return undefined;
    },
  });
  await killer.list("/");
  await victim.runtime.stopped;
  assertEquals(await isSettled(killer.unlink("/g")), false);
  assertEquals(disk.names("/"), ["f", "g", "u"]);
});

// -- processes side by side

test("a lock is held against other processes until its file is closed or its process stops", async () => {
  const disk = someDisk();
  const [first, second] = [await started({ disk }), await started({ disk })];
  assertEquals(await first.file.tryLock(), true);
  assertEquals(await first.file.tryLock(), true);
  assertEquals(await second.file.tryLock(), false);
  assertEquals(await (await started({ disk: disk.kill() })).file.tryLock(), true);
  assertEquals(await (await started({ disk: disk.powerLoss() })).file.tryLock(), true);
  assertEquals(await second.file.tryLock(), false);
  first.runtime.stop();
  assertEquals(await second.file.tryLock(), true);
  await second.file.close();
  assertEquals(await (await started({ disk })).file.tryLock(), true);
});

test("a machine without locks says so", async () => {
  const { runtime, file } = await started({ kernelLock: false });
  assertEquals(await file.tryLock(), null);
  assertEquals(runtime.missing.map((each) => each.name), ["kernel-lock"]);
  assertEquals((await started()).runtime.missing, []);
});

test("a process is told from every other one of its disk, and is alive until it stops, is killed, or the power goes", async () => {
  const disk = someDisk();
  const [first, second] = [new MemoryRuntime({ disk }), new MemoryRuntime({ disk })];
  const owner = await first.identity();
  assertNotEquals(owner.pid, (await second.identity()).pid);
  assertEquals(owner.bootId, (await second.identity()).bootId);
  assertEquals(await second.isAlive(owner), true);
  const killed = new MemoryRuntime({ disk: disk.kill() });
  assertEquals(await killed.isAlive(owner), false);
  assertEquals((await killed.identity()).bootId, owner.bootId);
  assert(![owner.pid, (await second.identity()).pid].includes((await killed.identity()).pid));
  const rebooted = new MemoryRuntime({ disk: disk.powerLoss() });
  assertEquals(await rebooted.isAlive(owner), false);
  assertEquals((await rebooted.identity()).pid, owner.pid); // as it happens
  assertNotEquals((await rebooted.identity()).bootId, owner.bootId);
  first.stop();
  assertEquals(await second.isAlive(owner), false);
});

test("two processes of one disk draw other random bytes, and a seed the same ones again", () => {
  const draw = (options: MemoryRuntimeOptions): string => {
    const bytes = new Uint8Array(16);
    new MemoryRuntime(options).randomize(bytes);
    return bytes.join();
  };
  const disk = new MemoryDisk();
  const drawn = [draw({ disk }), draw({ disk }), draw({ disk: disk.kill() }), draw({ disk: disk.powerLoss() })];
  assertEquals(new Set(drawn).size, 4);
  assertEquals(draw({ seed: 5 }), draw({ disk, seed: 5 }));
  assertEquals(draw({}), draw({}));
});

test("a process shows the files that it has open", async () => {
  const { runtime, file } = await started();
  const other = await runtime.open("/g", "read");
  assertEquals(runtime.openFiles, ["/f", "/g"]);
  await file.close();
  assertEquals(runtime.openFiles, ["/g"]);
  await assertRejectsWithCode(() => runtime.open("/g", "create"), "EEXIST");
  assertEquals(runtime.openFiles, ["/g"]);
  await other.close();
  assertEquals(runtime.openFiles, []);
});

// -- what a log must not do

test("overlapping writes in flight are written down, and writes side by side are not", async () => {
  const { disk, file } = await started();
  await Promise.all([file.write(letters("A"), 0), file.write(letters("B"), sectorBytes), file.read(letters("A"), 0)]);
  await file.write(letters("C"), 0);
  assertEquals(disk.violations, []);
  await Promise.all([file.write(letters("AB"), 0), file.write(letters("B"), sectorBytes)]);
  assertEquals(disk.violations.length, 1);
  const write = file.write(letters("A"), 0);
  file.writeSync(letters("B"), 0);
  await write;
  assertEquals(disk.violations.length, 2);
  assertEquals(
    disk.violations[0],
    "call 7 of process 1000, write /f: a write at 0, which overlaps it, is in flight",
  );
});

test("two syncs of one file in flight are written down, of two files they are not", async () => {
  const { disk, runtime, file } = await started();
  const other = await runtime.open("/g", "write");
  await Promise.all([file.syncData(), other.syncData(), file.write(letters("A"), 0)]);
  await file.syncData();
  assertEquals(disk.violations, []);
  await Promise.all([file.syncData(), file.syncData()]);
  assertEquals(disk.violations.length, 1);
});

test("a file that met EIO and is touched again is written down, one that met ENOSPC is not", async () => {
  for (const name of ["write", "syncData"] as const) {
    const plan = faults();
    const { disk, runtime, file } = await started({ onCall: plan.onCall });
    plan.fail(name, { code: "ENOSPC" });
    await assertRejectsWithCode(() => everyCall[name](runtime, file), "ENOSPC");
    await file.truncate(0);
    await file.syncData();
    plan.fail(name);
    await assertRejectsWithCode(() => everyCall[name](runtime, file), "EIO");
    await file.read(new Uint8Array(8), 0);
    await file.size();
    assertEquals(disk.violations, []);
    const again = await runtime.open("/f", "write"); // another descriptor makes it no better
    for (const touch of [() => again.write(letters("A"), 0), () => file.syncData(), () => file.truncate(0)]) {
      const { length } = disk.violations;
      await touch();
      assertEquals(disk.violations.length, length + 1);
    }
    const { length } = disk.violations;
    await (await started({ disk })).file.syncData(); // another process does not know
    assertEquals(disk.violations.length, length);
  }
});

test("a file is closed when its calls in flight have had their effect, and takes no more", async () => {
  const plan = faults().slow("write", 5);
  const { disk, runtime, file } = await started({ onCall: plan.onCall, manualTime: true });
  await runtime.unlink("/f");
  const write = file.write(letters("A"), 0);
  const closed = file.close();
  assertEquals(await isSettled(closed), false);
  assertEquals(runtime.openFiles, ["/f"]);
  await assertRejectsWithCode(() => file.read(new Uint8Array(1), 0), "EBADF");
  await runtime.clock.advance(5);
  await Promise.all([write, closed]);
  assertEquals([runtime.openFiles, disk.violations.length], [[], 0]);
});

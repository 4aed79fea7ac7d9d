// The disk in memory: what survives a power loss, a kill, a failed sync, a full disk.

import { assert, assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { test } from "node:test";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import { faults } from "./support/faults.ts";
import { letters, openOn, sectorBytes, survivals, told, toldOf } from "./support/sectors.ts";
import { assertRejectsWithCode, assertThrowsWithCode } from "./support/system_code.ts";

const f = (disk: MemoryDisk): string => toldOf(disk, "/f");

function keysOf(found: Map<string, number>): string[] {
  return [...found.keys()].sort();
}

// -- bytes

test("what a sync covers survives every power loss, whatever came after it", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("........") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("AAAA"), 0);
  await file.syncData();
  await file.write(letters("BB"), 6 * sectorBytes);
  for (const text of survivals(disk, f).keys()) assertEquals(text.slice(0, 6), "AAAA..");
});

test("zeros are not taken for nothing where something was, nor something for zeros", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("") } });
  const file = await openOn(disk, "/f");
  const most = 1100;
  for (let at = 0; at < most; at++) {
    const bytes = new Uint8Array(most);
    bytes[at] = 1;
    await file.write(bytes.subarray(at % 7), at % 7);
    assertEquals(disk.read("/f").indexOf(1), at);
    await file.syncData();
    await file.write(new Uint8Array(most), 0);
    assertEquals(disk.read("/f").indexOf(1), -1);
    assertEquals(disk.powerLoss({ keep: "none" }).read("/f").indexOf(1), at);
    await file.truncate(at % 2 === 0 ? 0 : most);
  }
});

test("of the sectors of an unsynced write any may survive: none, all, the first ones, the last one, all but one", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("........") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("ABCDEFGH"), 0);
  const found = survivals(disk, f, { count: 3000 });
  for (const text of found.keys()) {
    [...text].forEach((letter, i) => assert([".", "?", "ABCDEFGH"[i]].includes(letter), text));
  }
  for (const expected of ["........", "ABCDEFGH", "ABCD....", "AB......", ".......H", "ABC.EFGH"]) {
    assert(found.has(expected), `${expected} was never found`);
  }
  assertGreater(found.size, 100);
});

test("of a long write a single sector may be all that survives, or all that does not", async () => {
  const sectors = 40;
  const disk = new MemoryDisk({ files: { "/f": letters(".".repeat(sectors)) } });
  const file = await openOn(disk, "/f");
  await file.write(letters("A".repeat(sectors)), 0);
  const counts = new Set([...survivals(disk, f).keys()].map((text) => text.replaceAll(/[^A]/g, "").length));
  for (const expected of [0, 1, sectors / 2, sectors - 1, sectors]) assert(counts.has(expected), `${expected}: never`);
});

test("a sector now and then survives in part: its front or its back", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("aaaa") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("ABCD"), 0);
  let torn = 0;
  const sides = new Set<string>();
  for (let seed = 0; seed < 400; seed++) {
    const after = disk.powerLoss({ keep: "any", seed }).read("/f");
    for (let i = 0; i < 4; i++) {
      const sector = after.subarray(i * sectorBytes, (i + 1) * sectorBytes);
      if (told(sector) !== "?") continue;
      torn++;
      const isNew = [...sector].map((byte) => byte !== 0x61);
      const changes = isNew.filter((each, at) => at > 0 && each !== isNew[at - 1]).length;
      assertEquals(changes, 1);
      sides.add(isNew[0] ? "front" : "back");
    }
  }
  assertEquals([...sides].sort(), ["back", "front"]);
  assertLess(torn, 1600 / 8);
});

test("each write of a sector survives or not by itself, and a later one that does overrides", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("a") } });
  const file = await openOn(disk, "/f");
  for (const letter of "BCD") await file.write(letters(letter), 0);
  const found = survivals(disk, f);
  found.delete("?");
  assertEquals(keysOf(found), ["B", "C", "D", "a"]);
});

test("a part of a sector that is written takes the rest of the page cache along, never half of two writes", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("a") } });
  const file = await openOn(disk, "/f");
  await file.write(new Uint8Array(100).fill(0x42), 0);
  await file.write(new Uint8Array(100).fill(0x43), 100);
  const heads = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const bytes = disk.powerLoss({ keep: "first", seed }).read("/f");
    heads.add(String.fromCharCode(bytes[0] ?? 0, bytes[100] ?? 0, bytes[200] ?? 0));
  }
  assertEquals([...heads].sort(), ["BCa", "Baa", "aaa"]);
});

test("a grown size may survive without its bytes, in part, or not at all, and bytes without their size are gone", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("a") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("BCD"), sectorBytes);
  const found = survivals(disk, f);
  for (const expected of ["a", "a...", "aB", "a.C", "aBCD", "a.."]) {
    assert(found.has(expected), `${expected} never found`);
  }
  const sizes = new Set<number>();
  for (let seed = 0; seed < 300; seed++) {
    const after = disk.powerLoss(seed);
    sizes.add(after.read("/f").length);
    const grown = await openOn(after, "/f");
    await grown.truncate(4 * sectorBytes);
    const rest = after.read("/f").subarray(disk.powerLoss(seed).read("/f").length);
    assert(rest.every((byte) => byte === 0), "bytes from behind the end came back");
  }
  assert([...sizes].some((size) => size % sectorBytes !== 0));
});

test("a file that is cut is cut for good only after a sync, and what lay behind never comes back then", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("abcd") } });
  const file = await openOn(disk, "/f");
  await file.truncate(sectorBytes + 100);
  await file.truncate(3 * sectorBytes);
  assertEquals(f(disk), "a?.");
  const found = survivals(disk, f);
  assertEquals(keysOf(found), ["a?.", "ab", "abc", "abcd"]);
  await file.syncData();
  assertEquals(keysOf(survivals(disk, f)), ["a?."]);
  await file.truncate(4 * sectorBytes);
  await file.syncData();
  assertEquals(f(disk.powerLoss({ keep: "none" })), "a?..");
});

test("what is written behind a cut may survive where the cut does not", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("abcd") } });
  const file = await openOn(disk, "/f");
  await file.truncate(0);
  await file.write(letters("E"), 2 * sectorBytes);
  assertEquals(f(disk), "..E");
  const found = survivals(disk, f);
  for (const expected of ["abcd", "abEd", "", "..E"]) assert(found.has(expected), `${expected} was never found`);
  await file.syncData();
  assertEquals(keysOf(survivals(disk, f)), ["..E"]);
});

// -- names

test("a new file survives by the sync of its directory, its bytes by its own, neither by the other's", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/f", "create");
  await file.write(letters("A"), 0);
  await file.syncData();
  assertEquals(keysOf(survivals(disk, f)), ["-", "A"]);
  await file.write(letters("B"), sectorBytes);
  await runtime.syncDirectory("/");
  const found = survivals(disk, f);
  assert(found.has("A") && found.has("AB") && !found.has("-"));
});

test("of unsynced renames, links and removals any survive: a rename without the create before it, an unlink undone", async () => {
  const disk = new MemoryDisk({ files: { "/old": letters("O"), "/gone": letters("G") } });
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/new", "create");
  await file.write(letters("N"), 0);
  await file.syncData();
  await runtime.rename("/new", "/old");
  await runtime.unlink("/gone");
  await runtime.link("/old", "/second");
  assertEquals(disk.names("/"), ["old", "second"]);
  const look = (after: MemoryDisk): string =>
    ["/new", "/old", "/gone", "/second"].map((path) => toldOf(after, path)).join("");
  const found = survivals(disk, look);
  assertEquals(found.has("-N-N"), true); // all of it
  assertEquals(found.has("-OG-"), true); // none of it
  assertEquals(found.has("NOG-"), true); // the create alone
  assertEquals(found.has("-NG-"), true); // the rename without the create
  assertEquals(found.has("-O--"), true); // the removal alone
  assertEquals(found.has("-OGN"), true); // the link alone
  for (const text of found.keys()) assert(text[1] === "O" || text[1] === "N", `the replaced name vanished: ${text}`);
  await runtime.syncDirectory("/");
  assertEquals(keysOf(survivals(disk, look)), ["-N-N"]);
});

test("a removal that survives alone takes the file that it was for, and not an older one of that name", async () => {
  const disk = new MemoryDisk({ files: { "/x": letters("O"), "/y": letters("Y") } });
  const runtime = new MemoryRuntime({ disk });
  await runtime.rename("/y", "/x");
  await runtime.unlink("/x");
  const found = survivals(disk, (after) => toldOf(after, "/x") + toldOf(after, "/y"));
  assertEquals(keysOf(found), ["--", "OY", "Y-"]);
});

test("a directory and all in it are lost until what holds it has been synced", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  await runtime.makeDirectory("/a/b");
  const file = await runtime.open("/a/b/f", "create");
  await file.write(letters("A"), 0);
  await file.syncData();
  await runtime.syncDirectory("/a/b");
  const look = (after: MemoryDisk): string => toldOf(after, "/a/b/f");
  assertEquals(keysOf(survivals(disk, look)), ["-", "A"]);
  await runtime.syncDirectory("/");
  assertEquals(look(disk.powerLoss({ keep: "none" })), "-");
  await runtime.syncDirectory("/a");
  assertEquals(keysOf(survivals(disk, look)), ["A"]);
});

test("a directory sync that fails leaves its names to chance, and the next one is true", async () => {
  const disk = new MemoryDisk();
  const plan = faults().fail("syncDirectory");
  const runtime = new MemoryRuntime({ disk, onCall: plan.onCall });
  await runtime.open("/f", "create");
  await assertRejectsWithCode(() => runtime.syncDirectory("/"), "EIO");
  assertEquals(keysOf(survivals(disk, f)), ["", "-"]);
  await runtime.syncDirectory("/");
  assertEquals(keysOf(survivals(disk, f)), [""]);
});

// -- which ones survive

test("keep: none is what was synced, all is what processes saw, first is some moment on the way", async () => {
  const disk = new MemoryDisk({ files: { "/a": letters("a"), "/b": letters("b") } });
  const runtime = new MemoryRuntime({ disk });
  const [a, b] = [await runtime.open("/a", "write"), await runtime.open("/b", "write")];
  await a.write(letters("1"), 0);
  await b.write(letters("2"), 0);
  await runtime.rename("/a", "/c");
  await b.write(letters("3"), 0);
  const look = (after: MemoryDisk): string => ["/a", "/b", "/c"].map((path) => toldOf(after, path)).join("");
  assertEquals(keysOf(survivals(disk, look, { keep: "none" })), ["ab-"]);
  assertEquals(keysOf(survivals(disk, look, { keep: "all" })), ["-31"]);
  assertEquals(keysOf(survivals(disk, look, { keep: "first" })), ["-21", "-31", "12-", "1b-", "ab-"]);
  assertGreater(survivals(disk, look, { keep: "any" }).size, 8);
});

test("keep: first tears the write that it ends in", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("....") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("ABCD"), 0);
  const found = survivals(disk, f, { keep: "first" });
  assertEquals(keysOf(found), ["....", "A...", "AB..", "ABC.", "ABCD"]);
});

test("a kill takes nothing that was written, and a power loss after it takes what no sync covers", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/f", "create");
  await runtime.syncDirectory("/");
  await file.write(letters("AB"), 0);
  const killed = disk.kill();
  assertEquals(f(killed), "AB");
  assertEquals(f(killed.powerLoss({ keep: "none" })), "");
});

// -- failed syncs

/** A disk whose file was `before`, was written over with `after`, and then met a failing sync. */
async function failedSync(
  before: string,
  after: string,
  seed: number,
): Promise<{ disk: MemoryDisk; runtime: MemoryRuntime }> {
  const disk = new MemoryDisk({ seed, files: { "/f": letters(before) } });
  const runtime = new MemoryRuntime({ disk, onCall: faults().fail("syncData").onCall });
  const file = await runtime.open("/f", "write");
  await file.write(letters(after), 0);
  await assertRejectsWithCode(() => file.syncData(), "EIO");
  return { disk, runtime };
}

test("after a failed sync readers see what was written, the next sync succeeds, and the disk may have none of it", async () => {
  const afterwards = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const { disk, runtime } = await failedSync("ab", "AB", seed);
    assertEquals(f(disk), "AB");
    const file = await runtime.open("/f", "write");
    await file.syncData();
    afterwards.add(f(disk.powerLoss({ keep: "none" })));
  }
  assertEquals([...afterwards].sort(), ["AB", "Ab", "aB", "ab"]);
});

/** What is on the disk for good after one more sector was written and synced. */
async function writeBeside(disk: MemoryDisk, letter: string, sector: number): Promise<string> {
  const after = disk.kill();
  const file = await openOn(after, "/f");
  await file.write(letters(letter), sector * sectorBytes);
  await file.syncData();
  return f(after.powerLoss({ keep: "none" }));
}

test("what a failed sync left unwritten may reach the disk later, by chance or with its neighbour, or never", async () => {
  const counts = { limbo: 0, lost: 0, limboCarried: 0, lostCarried: 0, neither: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const { disk } = await failedSync("abcdefghi", "A", seed);
    if (f(disk.powerLoss({ keep: "none" }))[0] === "A") continue;
    const kind = f(disk.powerLoss({ keep: "all" }))[0] === "A" ? "limbo" : "lost";
    counts[kind]++;
    const beside = await writeBeside(disk, "H", 7); // in the same page of 4 KiB
    assertEquals(beside.slice(1), "bcdefgHi");
    if (beside[0] === "A") counts[`${kind}Carried`]++;
    else counts.neither++;
    assertEquals(await writeBeside(disk, "I", 8), "abcdefghI"); // in the next page
  }
  for (const count of Object.values(counts)) assertGreater(count, 20, JSON.stringify(counts));
});

test("the page cache forgets, at some later call, what a failed sync left unwritten", async () => {
  let forgotten = 0;
  for (let seed = 0; seed < 100; seed++) {
    const { disk, runtime } = await failedSync("a", "A", seed);
    if (f(disk.powerLoss({ keep: "none" })) === "A") continue;
    const file = await runtime.open("/f", "read");
    for (let call = 0; call < 100; call++) await file.size();
    if (f(disk) === "a") forgotten++;
    assertEquals(f(disk.powerLoss({ keep: "all" })), f(disk));
  }
  assertGreater(forgotten, 50);
});

test("what is written again after a failed sync, and synced, is there for good", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const { disk } = await failedSync("ab", "AB", seed);
    const file = await openOn(disk, "/f");
    await file.write(letters("AB"), 0);
    await file.syncData();
    assertEquals(f(disk.powerLoss({ keep: "none" })), "AB");
  }
});

test("a page cache that lies goes on lying after a kill, and not after a power loss", async () => {
  let lied = 0;
  let forgotten = 0;
  for (let seed = 0; seed < 60; seed++) {
    const killed = (await failedSync("a", "A", seed)).disk.kill();
    assertEquals(f(killed), "A");
    if (f(killed.powerLoss({ keep: "none" })) === "a") lied++;
    const file = await openOn(killed.kill(), "/f");
    const target = letters(" ");
    for (let call = 0; call < 50; call++) await file.read(target, 0);
    if (told(target) === "a") forgotten++;
    const after = killed.powerLoss(seed);
    assertEquals(f(after), f(after.powerLoss({ keep: "none" })));
  }
  assertGreater(lied, 20);
  assertGreater(forgotten, 20);
});

test("a cut that a failed sync met is kept by the next sync at the latest", async () => {
  const found = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const disk = new MemoryDisk({ seed, files: { "/f": letters("abc") } });
    const runtime = new MemoryRuntime({ disk, onCall: faults().fail("syncData").onCall });
    const file = await runtime.open("/f", "write");
    await file.truncate(sectorBytes);
    await assertRejectsWithCode(() => file.syncData(), "EIO");
    found.add(f(disk.powerLoss({ keep: "none" })));
    await file.truncate(2 * sectorBytes);
    assertEquals(f(disk), "a.");
    await file.syncData();
    assertEquals(f(disk.powerLoss({ keep: "none" })), "a.");
  }
  assertEquals([...found].sort(), ["a", "abc"]);
});

// -- a full disk

test("a full disk takes what there is room for and says ENOSPC, and prepared room is always there", async () => {
  const disk = new MemoryDisk({ sizeBytes: 3 * sectorBytes + 100 });
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/f", "create");
  assertEquals(await runtime.freeBytes("/"), 3 * sectorBytes + 100);
  await file.write(letters(".."), 0);
  await assertRejectsWithCode(() => file.write(letters("ABCD"), sectorBytes), "ENOSPC");
  assertEquals(f(disk), ".AB");
  assertEquals(disk.usedBytes, 3 * sectorBytes);
  await file.write(letters("CDE"), 0);
  const second = await runtime.open("/g", "create");
  await assertThrowsWithCode(() => second.writeSync(new Uint8Array(1), 0), "ENOSPC");
  await second.truncate(sectorBytes); // a size takes no room, the bytes in it do
  await assertRejectsWithCode(() => second.write(new Uint8Array(1), 0), "ENOSPC");
  assertEquals([f(disk), toldOf(disk, "/g")], ["CDE", "."]);
});

test("room comes back by cutting, by removing what nobody has open, and by a larger disk", async () => {
  const disk = new MemoryDisk({ sizeBytes: 2 * sectorBytes, files: { "/a": letters("a"), "/b": letters("b") } });
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/f", "create");
  const isFull = (): Promise<boolean> => file.write(letters("F"), 0).then(() => false, () => true);
  assertEquals(await isFull(), true);
  const a = await runtime.open("/a", "write");
  await runtime.unlink("/a");
  assertEquals(await isFull(), true);
  await a.close();
  assertEquals(await isFull(), false);
  await file.truncate(0);
  assertEquals(disk.usedBytes, sectorBytes);
  await (await runtime.open("/b", "write")).truncate(100);
  assertEquals(disk.usedBytes, sectorBytes);
  await file.write(letters("F"), 0);
  disk.sizeBytes = 8 * sectorBytes;
  await file.write(letters("GHIJ"), sectorBytes);
  assertEquals(f(disk), "FGHIJ");
});

// -- the disk in a test's hand

test("a disk is read, written and damaged from outside as if it had always been so", async () => {
  const disk = new MemoryDisk({ files: { "/log/f": letters("ab") } });
  const file = await openOn(disk, "/log/f");
  await file.write(letters("B"), sectorBytes);
  disk.flipBit("/log/f", sectorBytes + 3, 5);
  for (const each of [disk, disk.powerLoss({ keep: "all" })]) {
    assertEquals(each.read("/log/f")[sectorBytes + 3], 0x42 ^ 0x20);
  }
  assertEquals(disk.powerLoss({ keep: "none" }).read("/log/f")[sectorBytes + 3], 0x62 ^ 0x20);
  disk.flipBit("/log/f", sectorBytes + 3, 5);
  disk.write("/log/deep/g", letters("g"));
  disk.write("/log/f", letters("xyz"));
  assertEquals([disk.names("/log"), disk.names("/log/deep")], [["deep", "f"], ["g"]]);
  const after = disk.powerLoss({ keep: "none" });
  assertEquals([toldOf(after, "/log/f"), toldOf(after, "/log/deep/g")], ["xyz", "g"]);
  const target = new Uint8Array(3 * sectorBytes);
  await file.read(target, 0);
  assertEquals(told(target), "xyz");
  disk.remove("/log/f");
  assertEquals([disk.names("/log"), disk.powerLoss({ keep: "none" }).names("/log")], [["deep"], ["deep"]]);
  assertThrows(() => disk.read("/log/f"), Error, "ENOENT");
});

test("a snapshot and its disk do not see what becomes of each other", async () => {
  const disk = new MemoryDisk({ files: { "/f": letters("abc") } });
  const file = await openOn(disk, "/f");
  await file.write(letters("D"), 0);
  const killed = disk.kill();
  const other = await openOn(killed, "/f");
  await file.write(letters("E"), sectorBytes);
  await other.write(letters("X"), 2 * sectorBytes);
  const again = killed.kill();
  await other.syncData();
  disk.flipBit("/f", 0, 0);
  await other.truncate(100);
  assertEquals([f(disk), f(killed), f(again)], ["?Ec", "D", "DbX"]);
  assertEquals(f(disk.powerLoss({ keep: "none" })).slice(1), "bc");
  assertEquals(f(killed.powerLoss({ keep: "none" })), "DbX");
  assertEquals(f(again.powerLoss({ keep: "none" })), "abc");
});

test("snapshots of a disk of 64 MiB cost next to nothing", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  for (let i = 0; i < 64; i++) await (await runtime.open(`/${i}`, "create")).write(new Uint8Array(1 << 20), 0);
  const file = await runtime.open("/0", "write");
  const startMs = performance.now();
  for (let i = 0; i < 1000; i++) {
    disk.kill(i);
    disk.powerLoss(i);
    file.writeSync(letters("A"), 0);
  }
  // Copying it would take at least 10 s.
  assertLess(performance.now() - startMs, 5000);
});

test("the same seeds and the same calls give the same disk, and other seeds another", async () => {
  const live = async (seed: number): Promise<string> => {
    const disk = new MemoryDisk({ seed });
    const runtime = new MemoryRuntime({ disk, onCall: faults().fail("syncData", { nth: 2 }).onCall });
    const file = await runtime.open("/f", "create");
    await Promise.all([file.write(letters("ABCDEFGH"), 0), runtime.syncDirectory("/")]);
    await file.syncData();
    await Promise.allSettled([file.write(letters("12345678"), 0), file.syncData(), runtime.rename("/f", "/g")]);
    const after = disk.powerLoss(seed);
    return after.names("/").map((name) => name + told(after.read(`/${name}`))).join();
  };
  const lives = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const text = await live(seed);
    assertEquals(await live(seed), text);
    lives.add(text);
  }
  assertGreater(lives.size, 10);
});

test("a disk with much unsynced writes the oldest of it by itself, and only that", async () => {
  const disk = new MemoryDisk();
  const runtime = new MemoryRuntime({ disk });
  const file = await runtime.open("/f", "create");
  await runtime.syncDirectory("/");
  const bytes = new Uint8Array(1 << 20);
  const count = 40;
  for (let i = 0; i < count; i++) file.writeSync(bytes.fill(i + 1), i << 20);
  const after = disk.powerLoss({ keep: "none" }).read("/f");
  assert(after.length > 1 << 20 && after.length < count << 20, `${after.length}`);
  assertEquals(after.length % bytes.length, 0);
  for (let i = 0; i < after.length >> 20; i++) assertEquals(after[i << 20], i + 1);
  await file.syncData();
  assertEquals(disk.powerLoss({ keep: "none" }).read("/f").length, count << 20);
});

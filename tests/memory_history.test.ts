// Random histories of one file, each held against a model too simple to be wrong: an array of bytes, and all that it has
// been since the last sync.

import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { MemoryDisk, MemoryRuntime } from "../src/runtime/memory.ts";
import type { RuntimeFile } from "../src/runtime/port.ts";
import { Random } from "../src/runtime/random.ts";

const mostBytes = 5000;

class Model {
  content: Uint8Array = new Uint8Array(0);
  /** What the file has been, from the last sync on. */
  versions: Uint8Array[] = [this.content];

  become(content: Uint8Array): void {
    this.content = content;
    this.versions.push(content);
  }

  write(bytes: Uint8Array, position: number): void {
    const content = new Uint8Array(Math.max(this.content.length, position + bytes.length));
    content.set(this.content);
    content.set(bytes, position);
    this.become(content);
  }

  truncate(sizeBytes: number): void {
    const content = new Uint8Array(sizeBytes);
    content.set(this.content.subarray(0, sizeBytes));
    this.become(content);
  }
}

function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  let at = 0;
  while (at < actual.length && actual[at] === expected[at]) at++;
  assert(at === expected.length, `${what}: ${actual.length} of ${expected.length} bytes, other ones from ${at} on`);
}

/** Every byte must have been there since the last sync, or be a zero of a size that outlived its bytes. */
function assertExplained(found: Uint8Array, { content, versions }: Model, what: string): void {
  const sizes = versions.map((version) => version.length);
  assert(
    found.length <= Math.max(...sizes) && found.length >= Math.min(...sizes),
    `${what}: a size of ${found.length}`,
  );
  for (let at = 0; at < found.length; at++) {
    const byte = found[at];
    if (byte === 0 || byte === content[at]) continue;
    assert(versions.some((version) => version[at] === byte), `${what}: byte ${at} is ${byte}`);
  }
}

async function checkCrashes(disk: MemoryDisk, model: Model, random: Random, what: string): Promise<void> {
  assertSame(disk.read("/f"), model.content, `${what}, seen by processes`);
  assertSame(disk.powerLoss({ keep: "all" }).read("/f"), model.content, `${what}, all kept`);
  const [synced] = model.versions;
  assertSame(disk.powerLoss({ keep: "none" }).read("/f"), synced ?? new Uint8Array(1), `${what}, none kept`);
  for (let i = 0; i < 3; i++) {
    const after = disk.powerLoss(random.bits());
    const found = after.read("/f");
    assertExplained(found, model, what);
    const file = await new MemoryRuntime({ disk: after }).open("/f", "write");
    await file.syncData();
    assertSame(after.powerLoss({ keep: "none" }).read("/f"), found, `${what}, lost twice`);
  }
}

async function step(file: RuntimeFile, model: Model, random: Random): Promise<string> {
  const position = random.integer(0, mostBytes);
  if (random.chance(0.2)) {
    await file.syncData();
    model.versions = [model.content];
    return "sync";
  }
  if (random.chance(0.25)) {
    await file.truncate(position);
    model.truncate(position);
    return `truncate ${position}`;
  }
  const bytes = new Uint8Array(random.integer(1, random.pick([40, 600, 3000])));
  if (random.chance(0.7)) random.fill(bytes);
  if (random.chance(0.5)) await file.write(bytes, position);
  else file.writeSync(bytes, position);
  model.write(bytes, position);
  return `write ${position}+${bytes.length}`;
}

test("whatever is done to a file, it reads as an array of bytes, and a crash leaves nothing that was never there", async () => {
  for (let seed = 0; seed < 25; seed++) {
    const random = new Random(seed);
    const model = new Model();
    let disk = new MemoryDisk({ seed, files: { "/f": model.content } });
    let file = await new MemoryRuntime({ disk }).open("/f", "write");
    const history: string[] = [];
    for (let i = 0; i < 25; i++) {
      history.push(await step(file, model, random));
      await checkCrashes(disk, model, random, `seed ${seed}: ${history.join(", ")}`);
      const position = random.integer(0, mostBytes);
      const target = new Uint8Array(random.integer(0, 3000)).fill(1);
      const count = await file.read(target, position);
      assertSame(target.subarray(0, count), model.content.subarray(position, position + target.length), "read");
      assert(target.subarray(count).every((byte) => byte === 1), "a read went beyond what it said");
      if (!random.chance(0.1)) continue;
      history.push("kill");
      disk = disk.kill();
      file = await new MemoryRuntime({ disk }).open("/f", "write");
    }
    assertEquals(disk.violations, []);
  }
});

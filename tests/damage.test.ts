// The damage table over files: whatever happens to a log, wherever, however it had ended. Each is looked at in every way there is,
// and held against what a model says that knows what was written where, and asks no checksum.

import { assert, assertEquals, assertGreater } from "@std/assert";
import process from "node:process";
import { test } from "node:test";
import { RECOVERY_MODES } from "../src/options.ts";
import { Random } from "../src/runtime/random.ts";
import { covered } from "./support/covered.ts";
import { flip } from "./support/damage.ts";
import { damagesToFiles } from "./support/damage_files.ts";
import { DiskGround, type Ground, MemoryGround } from "./support/damage_ground.ts";
import { cut, damagesInside, zeroedParts } from "./support/damage_inside.ts";
import { type Damage, damaged, edit } from "./support/damage_kind.ts";
import { DAMAGE_ENDINGS, type DamageEnding, type Original, originalLog } from "./support/damage_log.ts";
import { expectationOf } from "./support/damage_model.ts";
import { isExplained } from "./support/damage_outcome.ts";
import { counts, Trial } from "./support/damage_trial.ts";
import { inSandbox } from "./support/sandbox.ts";

/** All modes for all damages, instead of each damage in one mode with one ending, and in another with another. */
const isThorough = process.env["WALSTREAM_DAMAGE"] === "thorough";

const { length: modeCount } = RECOVERY_MODES;
let damageCount = 0;
const originals: Map<string, Promise<Original>> = new Map();

function originalOf(ending: DamageEnding, voice = "entry"): Promise<Original> {
  const key = `${ending} ${voice}`;
  const known = originals.get(key) ?? originalLog(ending, voice);
  originals.set(key, known);
  return known;
}

async function damagesOf(original: Original): Promise<Damage[]> {
  return [...damagesInside(original), ...damagesToFiles(original, await originalOf(original.ending, "another"))];
}

/** A failure says of which damage it tells. */
async function telling(
  { ending }: Original,
  { name, place }: Pick<Damage, "name" | "place">,
  what: string,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}; ${place}; log ${ending}; ${what}: ${message}`, { cause: error });
  }
}

/** Looks at one damage in every way there is; where time is short, in some of the modes. */
async function tryAll(ground: Ground, original: Original, damage: Damage, nth: number): Promise<void> {
  damageCount++;
  const trial = new Trial(ground, original, damaged(original, damage));
  const tell = (what: string, body: () => Promise<void>): Promise<void> => telling(original, damage, what, body);
  assertEquals(
    isExplained(trial.expected),
    damage.explainedByACrash,
    `${damage.name}; ${damage.place}; log ${original.ending}: a crash explains it`,
  );
  await tell("verify", () => trial.verify());
  for (const [at, mode] of RECOVERY_MODES.entries()) {
    const isTurn = isThorough || (nth + at) % modeCount === 0;
    if (isTurn || mode === "tolerate-tail") await tell(mode, () => trial.open(mode, { isBrief: !isTurn }));
    if (isThorough || (nth + at) % (3 * modeCount) === 0) await tell(`repair by ${mode}`, () => trial.repair(mode));
  }
  if (isThorough || nth % 5 === 0) await tell("a reader elsewhere", () => trial.readElsewhere());
}

// -- each damage, in each place, with each ending

for (const [turn, ending] of DAMAGE_ENDINGS.entries()) {
  test(`${ending}: whatever happens to it is explained or refused, told, and mended as each mode says`, async () => {
    const original = await originalOf(ending);
    const ground = new MemoryGround();
    for (const [nth, damage] of (await damagesOf(original)).entries()) {
      await tryAll(ground, original, damage, nth + turn);
    }
  });
}

test("the same on a real disk", () =>
  inSandbox(async (sandbox) => {
    const ground = await DiskGround.in(sandbox);
    for (const [turn, ending] of DAMAGE_ENDINGS.entries()) {
      const original = await originalOf(ending);
      const damages = await damagesOf(original);
      for (let nth = turn; nth < damages.length; nth += 9) {
        const damage = damages[nth];
        if (damage !== undefined) await tryAll(ground, original, damage, Math.floor(nth / 9));
      }
    }
  }));

test("what was damaged outlives its file, when that is cut away", async () => {
  const ground = new MemoryGround();
  for (const ending of ["killed", "killed, torn tail"] as const) {
    const original = await originalOf(ending);
    const damages = (await damagesOf(original)).filter(({ place }) => /^(header|footer|middle frame) of/.test(place));
    for (const [nth, damage] of damages.entries()) {
      damageCount++;
      const trial = new Trial(ground, original, damaged(original, damage));
      const mode = nth % 2 === 0 ? "salvage" : "point-in-time";
      await telling(original, damage, mode, () => trial.cutAway(mode));
    }
  }
});

// -- every bit, every byte, every sector

/** A change that is tried at every bit, byte or sector is looked at from the two sides that find it in two different ways. */
async function tryBriefly(ground: Ground, original: Original, damage: Pick<Damage, "name" | "apply">): Promise<void> {
  damageCount++;
  const trial = new Trial(ground, original, damaged(original, { ...damage, place: "", explainedByACrash: false }));
  const told = { name: damage.name, place: "a sweep" };
  const isInEarlier = trial.expected.atOpening === null && !isExplained(trial.expected);
  if (!isInEarlier) await telling(original, told, "open", () => trial.open("tolerate-tail", { isBrief: true }));
  if (isInEarlier || damageCount % 8 === 0) await telling(original, told, "verify", () => trial.verify());
}

function flipBit(name: string, at: number, bit: number): Pick<Damage, "name" | "apply"> {
  return { name: `bit ${bit} of byte ${at} of ${name}`, apply: edit(name, (bytes) => flip(bytes, at, bit)) };
}

function bytesOf(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, nth) => from + nth);
}

test("every bit of a header that means something, and some of those that do not", async () => {
  const original = await originalOf("closed");
  const ground = new MemoryGround();
  const places = [...bytesOf(0, 144), ...bytesOf(4092, 4096), 144, 500, 1000, 4091];
  const { name = "" } = original.segments.at(-1) ?? {};
  for (const at of places) {
    for (let bit = 0; bit < 8; bit++) await tryBriefly(ground, original, flipBit(name, at, bit));
  }
});

test("every bit of the header of a frame, in three places, and some of its body", async () => {
  const random = new Random(1);
  const original = await originalOf("killed");
  const ground = new MemoryGround();
  const [first, last] = [original.segments[0], original.segments.at(-1)];
  const places = [[first, first?.frames[1]], [last, last?.frames[0]], [last, last?.frames.at(-1)]] as const;
  for (const [segment, frame] of places) {
    assert(segment !== undefined && frame !== undefined);
    const { offset, lengthBytes } = frame;
    const inBody = Array.from({ length: 12 }, () => random.integer(offset + 48, offset + lengthBytes - 1));
    for (const at of bytesOf(offset, offset + 48)) {
      for (let bit = 0; bit < 8; bit++) await tryBriefly(ground, original, flipBit(segment.name, at, bit));
    }
    for (const at of inBody) await tryBriefly(ground, original, flipBit(segment.name, at, random.integer(0, 7)));
  }
});

test("cut at every byte of the last two frames, and of the mark", async () => {
  for (const ending of ["closed", "killed"] as const) {
    const original = await originalOf(ending);
    const ground = new MemoryGround();
    const { name = "", frames = [] } = original.segments.at(-1) ?? {};
    const first = frames.at(ending === "closed" ? -3 : -2);
    const last = frames.at(-1);
    assert(first !== undefined && last !== undefined);
    for (const offset of bytesOf(first.offset, last.offset + last.lengthBytes + 1)) {
      const isZeroed = offset % 3 === 0;
      await tryBriefly(ground, original, { name: `cut at byte ${offset}`, apply: cut(name, offset, isZeroed) });
    }
  }
});

test("each sector and each page of each segment zeroed", async () => {
  for (const ending of ["closed", "killed, torn tail"] as const) {
    const original = await originalOf(ending);
    const ground = new MemoryGround();
    for (const segment of original.segments) {
      const sizeBytes = original.files.get(segment.name)?.length ?? 0;
      for (const zeroed of zeroedParts(segment, sizeBytes)) await tryBriefly(ground, original, zeroed);
    }
  }
});

// -- and all together

/** Whether every segment is still there and can be looked into. */
function leavesHeaders(original: Original, damage: Damage): boolean {
  const left = damaged(original, damage);
  return [...original.files.keys()].every((name) => left.files.has(name)) &&
    expectationOf(original, left).flaws.every(({ finding }) => finding === "bad frame" || finding === "shrunk");
}

test("two accidents at once", async () => {
  const random = new Random(2);
  const ground = new MemoryGround();
  const all = await Promise.all(DAMAGE_ENDINGS.map(async (ending) => {
    const original = await originalOf(ending);
    const isPlain = ({ strangers, lockMark }: Damage): boolean => strangers === undefined && lockMark === undefined;
    const damages = (await damagesOf(original)).filter(isPlain);
    return { original, damages, smaller: damages.filter((damage) => leavesHeaders(original, damage)) };
  }));
  for (let nth = 0; nth < (isThorough ? 3000 : 150); nth++) {
    const { original, damages, smaller } = random.pick(all);
    const [one, other] = [random.pick(smaller), random.pick(damages)];
    const told = { name: `${one.name}, and ${other.name}`, place: `${one.place}, and ${other.place}` };
    const apply: Damage["apply"] = (files) => {
      one.apply(files);
      other.apply(files);
    };
    const trial = new Trial(ground, original, damaged(original, { ...told, apply, explainedByACrash: false }));
    damageCount++;
    const mode = random.pick(RECOVERY_MODES);
    await telling(original, told, "verify", () => trial.verify());
    await telling(original, told, mode, () => trial.open(mode));
  }
});

test("what was covered", () => {
  assertGreater(damageCount, 3000);
  assertGreater(counts.opens, damageCount);
  covered({ damages: damageCount, opens: counts.opens });
});

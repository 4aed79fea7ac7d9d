/**
 * What may befall the files of a log: bytes that are others, files that are not where they were, and files that never belonged
 * there. No checksum is made right: nothing of it may ever be taken for an entry.
 */

import { CONTROL_FRAME_BYTES, HEADER_BYTES, parseSegmentName, segmentName } from "../../src/format.ts";
import type { Random } from "../../src/runtime/random.ts";
import type { Base } from "./fuzz_bases.ts";
import type { Specimen } from "./fuzz_specimen.ts";

/** Where an accident has happened, and what else was at hand. */
export interface Scene {
  readonly random: Random;
  readonly specimen: Specimen;
  /** Other logs, pieces of which may be put in. */
  readonly others: readonly Base[];
}

/** Numbers in which programs go wrong. */
export const EXTREMES: readonly number[] = [
  0,
  1,
  2,
  7,
  8,
  47,
  48,
  55,
  4095,
  4096,
  4104,
  65_535,
  2 ** 31,
  2 ** 32 - 8,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 2,
  2 ** 53 - 1,
];

/** A file of the log, most often a segment. */
function anyFile({ random, specimen }: Scene): string | null {
  const segments = specimen.segments();
  const names = segments.length > 0 && random.chance(0.8) ? segments : [...specimen.files.keys()];
  return names.length === 0 ? null : random.pick(names);
}

/** A place in a file, most often one where something begins or ends. */
function anyOffset({ random, specimen }: Scene, name: string): number {
  const { length } = specimen.bytes(name);
  const frames = specimen.base.frames.filter(({ segment }) => segment === name);
  const end = Math.max(0, length - 1);
  if (frames.length === 0 || random.chance(0.15)) return random.integer(0, end);
  if (random.chance(0.15)) return random.integer(0, Math.min(end, 144)); // the fields of the header
  const { offset, header } = random.pick(frames);
  const places = [0, 0, random.integer(0, 47), random.integer(48, header.lengthBytes), header.lengthBytes, -1, 48];
  return Math.min(end, Math.max(0, offset + random.pick(places)));
}

/** A copy of a file, so that others' bytes stay as they are. */
function copyOf(specimen: Specimen, name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(specimen.bytes(name));
}

type Mutation = (scene: Scene) => void;

function flipBits(scene: Scene): void {
  const { random, specimen } = scene;
  const name = anyFile(scene);
  if (name === null || specimen.bytes(name).length === 0) return;
  const bytes = copyOf(specimen, name);
  const at = anyOffset(scene, name);
  const spread = random.pick([1, 1, 8, 600]);
  for (let left = random.pick([1, 1, 2, 8]); left > 0; left--) {
    const place = Math.min(bytes.length - 1, at + random.integer(0, spread - 1));
    bytes[place] = (bytes[place] ?? 0) ^ (1 << random.integer(0, 7));
  }
  specimen.put(name, bytes, `bits flipped at ${at} and up to ${spread} bytes behind`);
}

function overwrite(scene: Scene): void {
  const { random, specimen } = scene;
  const name = anyFile(scene);
  if (name === null) return;
  const bytes = copyOf(specimen, name);
  const from = random.chance(0.1) ? 0 : anyOffset(scene, name);
  const to = Math.min(bytes.length, from + random.pick([1, 4, 8, 48, 512, 4096, 100_000]));
  const filler = random.pick(["zeros", "ones", "noise"]);
  if (filler === "noise") random.fill(bytes.subarray(from, to));
  else bytes.fill(filler === "zeros" ? 0 : 0xff, from, to);
  specimen.put(name, bytes, `${filler} from ${from} to ${to}`);
}

function resize(scene: Scene): void {
  const { random, specimen } = scene;
  const name = anyFile(scene);
  if (name === null) return;
  const bytes = specimen.bytes(name);
  const shorter = [0, 1, 31, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, anyOffset(scene, name)];
  const longer = [bytes.length + 1, bytes.length + random.integer(1, 5000)];
  const length = random.pick(random.chance(0.8) ? shorter : longer);
  const resized = new Uint8Array(length);
  if (random.chance(0.3)) random.fill(resized);
  resized.set(bytes.subarray(0, length));
  specimen.put(name, resized, `is ${length} bytes long`);
}

/** Moves bytes about in one file: a copy over others, two that change places, one put in, one taken out. */
function rearrange(scene: Scene): void {
  const { random, specimen } = scene;
  const name = anyFile(scene);
  if (name === null) return;
  const bytes = copyOf(specimen, name);
  const [from, to] = [anyOffset(scene, name), anyOffset(scene, name)];
  const length = Math.min(random.pick([8, 48, CONTROL_FRAME_BYTES, 512, 960, 4096]), bytes.length - Math.max(from, to));
  const how = random.pick(["copied over", "exchanged with", "put in at", "taken out, and not put to"]);
  const piece = bytes.slice(from, from + length);
  let result = bytes;
  if (how === "exchanged with") bytes.copyWithin(from, to, to + length);
  if (how === "copied over" || how === "exchanged with") bytes.set(piece, to);
  else if (how === "put in at") {
    result = new Uint8Array([...bytes.subarray(0, to), ...piece, ...bytes.subarray(to)]);
  } else result = new Uint8Array([...bytes.subarray(0, from), ...bytes.subarray(from + length)]);
  specimen.put(name, result, `${length} bytes at ${from} ${how} ${to}`);
}

/** Pieces, or all, of another file, of this log or another. */
function splice(scene: Scene): void {
  const { random, specimen, others } = scene;
  const name = anyFile(scene);
  if (name === null) return;
  const other = random.chance(0.5) ? random.pick(others) : specimen.base;
  const donors = [...other.files.keys()];
  if (donors.length === 0) return;
  if (other !== specimen.base) specimen.donors.add(other.name);
  const donor = random.pick(donors);
  const source = other.files.get(donor) ?? new Uint8Array();
  const bytes = copyOf(specimen, name);
  const at = random.pick([0, HEADER_BYTES, anyOffset(scene, name)]);
  const from = random.chance(0.7) ? at : random.integer(0, source.length);
  const piece = source.subarray(from, from + random.pick([48, 512, HEADER_BYTES, source.length]));
  const spliced = new Uint8Array(Math.max(bytes.length, at + piece.length));
  spliced.set(bytes);
  spliced.set(piece, at);
  specimen.put(name, spliced, `${piece.length} bytes of ${other.name}'s ${donor} from ${from} put over ${at}`);
}

/** A number near one that is there, or one in which programs go wrong. */
function anyNumber({ random, specimen }: Scene): number {
  const names = specimen.segments().map(parseSegmentName).filter((each) => each !== null);
  const known = names.flatMap(({ id, predecessorId, baseLsn }) => [id, predecessorId, baseLsn]);
  if (known.length === 0 || random.chance(0.3)) return random.pick(EXTREMES);
  return Math.max(0, random.pick(known) + random.pick([-1, 0, 0, 1, 1, 2]));
}

/** A name that a file of a log may have, or nearly. */
function anyName(scene: Scene): string {
  const { random } = scene;
  const number = (): number => anyNumber(scene);
  const pad = (value: number): string => String(value).padStart(10, "0");
  return random.pick([
    () => segmentName(number(), number(), number()),
    () => segmentName(number(), 0, 1),
    () => `spare-${pad(number())}.wal`,
    () => `torn-${pad(number())}-${number()}.bin`,
    () => `aside-${segmentName(number(), number(), number())}`,
    () => `lock.${number()}`,
    () => `lock.new-${number().toString(16)}`,
    () => random.pick(["lock", "notes.txt", "0000000001-0000000000-1.wal", "spare-1.wal", "aside-x.wal"]),
  ])();
}

function rename(scene: Scene): void {
  const { random, specimen } = scene;
  const name = anyFile(scene);
  if (name === null) return;
  const parsed = parseSegmentName(name);
  const near = parsed === null ? anyName(scene) : random.pick([
    () => segmentName(anyNumber(scene), parsed.predecessorId, parsed.baseLsn),
    () => segmentName(parsed.id, anyNumber(scene), parsed.baseLsn),
    () => segmentName(parsed.id, parsed.predecessorId, anyNumber(scene)),
    () => anyName(scene),
  ])();
  const isSwap = specimen.files.has(near) && random.chance(0.5);
  const displaced = specimen.bytes(near);
  specimen.rename(name, near);
  if (isSwap) specimen.put(name, displaced, `has what ${near} had`);
}

function plant(scene: Scene): void {
  const { random, specimen, others } = scene;
  const name = anyName(scene);
  const contents = random.pick(["noise", "zeros", "nothing", "a byte", "own", "foreign", "foreign by its own name"]);
  const length = random.pick([13, 512, HEADER_BYTES, 16_384]);
  const noise = new Uint8Array(length);
  random.fill(noise);
  if (contents.startsWith("foreign")) {
    const other = random.pick(others);
    const [donor, bytes = new Uint8Array()] = random.pick([...other.files, ["none", new Uint8Array()] as const]);
    specimen.donors.add(other.name);
    return specimen.put(contents === "foreign" ? name : donor, bytes, `is ${other.name}'s ${donor}`);
  }
  const own = anyFile(scene);
  const planted = {
    noise,
    zeros: new Uint8Array(length),
    nothing: new Uint8Array(),
    "a byte": noise.slice(0, 1),
    own: own === null ? noise : specimen.bytes(own),
  }[contents] ?? noise;
  specimen.put(name, planted, `was put there: ${contents === "own" ? `a copy of ${own}` : contents}`);
}

function remove(scene: Scene): void {
  const name = anyFile(scene);
  if (name !== null) scene.specimen.remove(name);
}

function makeDirectory(scene: Scene): void {
  const { random, specimen } = scene;
  const name = random.chance(0.7) ? anyFile(scene) : anyName(scene);
  if (name !== null) specimen.makeDirectory(name);
}

const RECORDS: readonly string[] = [
  '{"pid":1,"runtime":"x","since":8640000000000001,"startTicks":1,"bootId":"b","pidNamespace":"p","token":"t","released":0}\n',
  '{"pid":-1,"runtime":"x","since":1,"startTicks":1,"bootId":"b","pidNamespace":"p","token":"t","released":0}\n',
  '{"pid":4294967296,"runtime":"x","since":-8640000000000000,"startTicks":null,"bootId":null,"pidNamespace":null,"token":"","released":1}\n',
  '{"pid":1,"runtime":{"toString":1},"since":1e999,"startTicks":"","bootId":3,"token":null,"released":2}\n',
  `${"[".repeat(500)}\n`,
  "null\n",
];

function spoilLock({ random, specimen }: Scene): void {
  const bytes = new Uint8Array(random.pick([0, 1, 31, 32, 511, 512, 1024, 5000]));
  if (random.chance(0.5)) random.fill(bytes);
  const record = new TextEncoder().encode(random.pick(RECORDS)).subarray(0, Math.max(0, bytes.length - 512));
  if (random.chance(0.5)) bytes.set(record, Math.min(512, bytes.length));
  specimen.put("lock", bytes, `is ${bytes.length} bytes of something else`);
}

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  flipBits,
  overwrite,
  overwrite,
  resize,
  rearrange,
  splice,
  rename,
  plant,
  remove,
  makeDirectory,
  spoilLock,
];

/** One accident. */
export function mutate(scene: Scene): void {
  scene.random.pick(MUTATIONS)(scene);
}

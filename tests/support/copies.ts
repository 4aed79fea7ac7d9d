/**
 * Counts the bytes that a workload copies, and the buffers that it makes.
 *
 * It sees what moves many bytes in one call: not what is moved byte by byte, or by the runtime inside of itself.
 */

/** What was counted. */
export interface CopyCounts {
  /** Calls that copied, and the bytes. */
  readonly copies: number;
  readonly copiedBytes: number;
  /** Buffers that were made, and their bytes; a view makes none. */
  readonly buffers: number;
  readonly bufferBytes: number;
}

type Count = { -readonly [Name in keyof CopyCounts]: number };

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** A method that copies: how many bytes is told from the object, what it was given, and what it returned. */
interface CopyingMethod {
  readonly owner: object;
  readonly name: string;
  readonly bytesOf: (self: unknown, given: readonly unknown[], result: unknown) => number;
  readonly makesBuffer: boolean;
}

const typedArray: object = Object.getPrototypeOf(Uint8Array.prototype);

const METHODS: readonly CopyingMethod[] = [
  { owner: typedArray, name: "set", bytesOf: (_, [source]) => bytesIn(source), makesBuffer: false },
  { owner: typedArray, name: "slice", bytesOf: (_self, _given, made) => bytesIn(made), makesBuffer: true },
  { owner: typedArray, name: "copyWithin", bytesOf: (self, given) => movedBytes(self, given), makesBuffer: false },
  { owner: ArrayBuffer.prototype, name: "slice", bytesOf: (_self, _given, made) => bytesIn(made), makesBuffer: true },
  { owner: TextEncoder.prototype, name: "encode", bytesOf: (_self, _given, made) => bytesIn(made), makesBuffer: true },
  {
    owner: TextEncoder.prototype,
    name: "encodeInto",
    bytesOf: (_self, _given, made) => written(made),
    makesBuffer: false,
  },
];

/** Classes whose making may make a buffer, and may fill it. */
const CLASSES = ["Uint8Array", "ArrayBuffer"] as const;

/** What a workload copies. Nothing else may go on meanwhile. */
export async function copiesOf(workload: () => Promise<unknown>): Promise<CopyCounts> {
  const count: Count = { copies: 0, copiedBytes: 0, buffers: 0, bufferBytes: 0 };
  const restores = [
    ...METHODS.map((method) => watchMethod(method, count)),
    ...CLASSES.map((name) => watchClass(name, count)),
  ];
  try {
    await workload();
  } finally {
    for (const restore of restores) restore();
  }
  return count;
}

function watchMethod({ owner, name, bytesOf, makesBuffer }: CopyingMethod, count: Count): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  if (own === undefined) throw new Error(`there is no method ${name} to watch`);
  const method = own.value as Method;
  const value: Method = function (...given) {
    const result = method.apply(this, given);
    noteCopy(count, bytesOf(this, given, result), makesBuffer);
    return result;
  };
  Object.defineProperty(owner, name, { ...own, value });
  return () => Object.defineProperty(owner, name, own);
}

function watchClass(name: typeof CLASSES[number], count: Count): () => void {
  const original = globalThis[name];
  const watched = new Proxy<typeof original>(original, {
    construct(target, given: unknown[], newTarget): object {
      const [source = 0] = given;
      if (typeof source === "number") noteBuffer(count, source);
      else if (!(source instanceof ArrayBuffer)) noteCopy(count, bytesIn(source), true);
      return Reflect.construct(target, given, newTarget === watched ? target : newTarget);
    },
  });
  Object.assign(globalThis, { [name]: watched });
  return () => Object.assign(globalThis, { [name]: original });
}

function noteCopy(count: Count, copiedBytes: number, makesBuffer: boolean): void {
  count.copies++;
  count.copiedBytes += copiedBytes;
  if (makesBuffer) noteBuffer(count, copiedBytes);
}

function noteBuffer(count: Count, bufferBytes: number): void {
  count.buffers++;
  count.bufferBytes += bufferBytes;
}

/** Of a view, a buffer, or an array of numbers that become bytes. */
function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  return Array.isArray(value) ? value.length : 0;
}

function written(result: unknown): number {
  return (result as TextEncoderEncodeIntoResult).written;
}

/** What `copyWithin` moves, where it is told whole numbers that are not negative, as the log does. */
function movedBytes(self: unknown, given: readonly unknown[]): number {
  const { length } = self as Uint8Array;
  const [target = 0, start = 0, end = length] = given as readonly number[];
  return Math.min(end - start, length - target);
}

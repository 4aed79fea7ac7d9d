// The build puts this beside the declarations, for programs that are compiled with neither the DOM's types nor Node's.
//
// The declarations name five classes of the web platform. A program that has them keeps its own: each interface below
// then merges with its namesake and adds nothing. A program that has none gets the part that is needed to use the log.

/// <reference lib="es2018.asynciterable" />
/// <reference lib="esnext.disposable" />

export {};

declare global {
  interface ReadableStream<R> extends Missing<"ReadableStream", Readable<R>> {}
  interface WritableStream<W> extends Missing<"WritableStream", Writable<W>> {}
  interface TransformStream<I, O> extends Missing<"TransformStream", Transform<I, O>> {}
  interface AbortSignal extends Missing<"AbortSignal", Signal> {}
  interface URL extends Missing<"URL", Address> {}
}

/** Nothing where the program knows a global value of this name, else `Shape`. */
type Missing<Name extends string, Shape> = typeof globalThis extends { [N in Name]: unknown } ? Record<never, never>
  : Shape;

interface Readable<R> {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(): Reader<R>;
  pipeThrough<T>(transform: { writable: WritableStream<R>; readable: ReadableStream<T> }): ReadableStream<T>;
  pipeTo(destination: WritableStream<R>): Promise<void>;
  tee(): [ReadableStream<R>, ReadableStream<R>];
  [Symbol.asyncIterator](): AsyncIterableIterator<R>;
}

interface Reader<R> {
  readonly closed: Promise<void>;
  cancel(reason?: unknown): Promise<void>;
  read(): Promise<{ done: false; value: R } | { done: true; value?: R }>;
  releaseLock(): void;
}

interface Writable<W> {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): Writer<W>;
}

interface Writer<W> {
  readonly closed: Promise<void>;
  readonly desiredSize: number | null;
  readonly ready: Promise<void>;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
  write(chunk: W): Promise<void>;
}

interface Transform<I, O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
}

interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
  throwIfAborted(): void;
}

interface Address {
  readonly href: string;
  toString(): string;
}

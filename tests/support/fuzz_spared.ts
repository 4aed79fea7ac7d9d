type Spared =
  | "detachedBytes"
  | "lyingLengths"
  | "falseBytes"
  | "oddConstructors"
  | "oddPresets"
  | "oddJsonChunks"
  | "rejectingProgress"
  | "scribblingReaders";

/**
 * What callers may hand over, or do, that is known to break a promise: the fuzzer of calls spares the log that, until it is mended.
 * Each has a test in tests/fuzz_findings.test.ts; with a line set to false the fuzzer finds it again.
 */
export const SPARED: Readonly<Record<Spared, boolean>> = {
  /** A buffer that was transferred away or has shrunk: a TypeError. */
  detachedBytes: false,
  /** A Uint8Array that lies about its length: a damaged frame. */
  lyingLengths: true,
  /** A proxy of a Uint8Array, or what only inherits from it: a TypeError. */
  falseBytes: true,
  /** An object whose constructor's name is no text: a TypeError instead of the refusal. */
  oddConstructors: false,
  /** A preset that is an object: a TypeError, or taken. */
  oddPresets: false,
  /** A chunk of decodeJson that is no entry: a TypeError. */
  oddJsonChunks: false,
  /** onProgress that rejects: a rejection that nobody handles. */
  rejectingProgress: false,
  /** Readers that write into what they were given: others read that, or call it damage. */
  scribblingReaders: false,
};

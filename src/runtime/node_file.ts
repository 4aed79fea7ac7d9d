/**
 * An open file on `node:fs`, as Node and Bun use it and Deno builds upon.
 *
 * @module
 */

import * as fs from "node:fs";
import type { RuntimeFile } from "./port.ts";
import { SystemError, withSystemCode } from "./system_error.ts";

/** Called once by a call that ran in the pool. */
export type Done<T> = (error: unknown, value: T) => void;

/** How a runtime takes the kernel's lock on a descriptor. */
export type LockDescriptor = (descriptor: number) => Promise<boolean | null>;

// The runtimes refuse lengths of 2^31 and more, and Linux moves no more than that at once anyway.
const MOST_BYTES_A_CALL = 2 ** 30;

/** A descriptor, positional calls that loop over short counts, and a count of the calls in flight. */
export class NodeFile implements RuntimeFile {
  readonly #descriptor: number;
  readonly #lock: LockDescriptor;
  #inFlight = 0;
  #closing: Promise<void> | null = null;
  #whenIdle: (() => void) | null = null;

  /**
   * Owns the descriptor from now on.
   *
   * @param descriptor An open file.
   * @param lock How it is locked here.
   */
  constructor(descriptor: number, lock: LockDescriptor) {
    this.#descriptor = descriptor;
    this.#lock = lock;
  }

  /** See the port. */
  read(target: Uint8Array, position: number): Promise<number> {
    return this.pooled((done: Done<number>) => {
      let count = 0;
      const next = (): void => {
        const length = Math.min(target.length - count, MOST_BYTES_A_CALL);
        fs.read(this.#descriptor, target, count, length, position + count, (error, readNow) => {
          if (error) return done(error, count);
          count += readNow;
          // Only a count of 0 says that the file ends here: a signal or a lock may cut a read short as well.
          if (readNow === 0 || count === target.length) done(null, count);
          else next();
        });
      };
      next();
    });
  }

  /** See the port. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.pooled((done: Done<void>) => {
      let count = 0;
      const next = (): void => {
        const length = Math.min(bytes.length - count, MOST_BYTES_A_CALL);
        fs.write(this.#descriptor, bytes, count, length, position + count, (error, wroteNow) => {
          if (error) return done(error);
          count += wroteNow;
          if (count === bytes.length) done(null);
          else if (wroteNow === 0) done(nothingWritten(bytes.length - count, position + count));
          else next();
        });
      };
      next();
    });
  }

  /** See the port. */
  writeSync(bytes: Uint8Array, position: number): void {
    this.direct(() => {
      let count = 0;
      while (count < bytes.length) {
        const length = Math.min(bytes.length - count, MOST_BYTES_A_CALL);
        const wroteNow = fs.writeSync(this.#descriptor, bytes, count, length, position + count);
        if (wroteNow === 0) throw nothingWritten(bytes.length - count, position + count);
        count += wroteNow;
      }
    });
  }

  /** See the port. */
  syncData(): Promise<void> {
    return this.pooled((done: Done<void>) => fs.fdatasync(this.#descriptor, done));
  }

  /** See the port. */
  syncDataSync(): void {
    this.direct(() => fs.fdatasyncSync(this.#descriptor));
  }

  /** See the port. */
  truncate(sizeBytes: number): Promise<void> {
    return this.pooled((done: Done<void>) => fs.ftruncate(this.#descriptor, sizeBytes, done));
  }

  /** See the port. */
  size(): Promise<number> {
    return this.pooled((done: Done<number>) => fs.fstat(this.#descriptor, (error, stats) => done(error, stats?.size)));
  }

  /** See the port. */
  tryLock(): Promise<boolean | null> {
    return this.pooled((done: Done<boolean | null>) => {
      this.#lock(this.#descriptor).then((isOurs) => done(null, isOurs), (error) => done(error, null));
    });
  }

  /**
   * Waits for the calls in flight first: the system gives the number of a closed descriptor to the next file, and a call
   * that still waits in the pool would then write into that one.
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeWhenIdle();
    return this.#closing;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    await this.giveBack();
  }

  /** Closes what the file holds, once nothing is in flight. */
  protected giveBack(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.close(this.#descriptor, (error) => error ? reject(withSystemCode(error)) : resolve());
    });
  }

  /** Runs a call that tells `done` when it is over, and holds {@linkcode close} until then. */
  protected pooled<T>(start: (done: Done<T>) => void): Promise<T> {
    if (this.#closing !== null) return Promise.reject(alreadyClosed());
    this.#inFlight++;
    return new Promise<T>((resolve, reject) => {
      const done = (error: unknown, value: T): void => {
        this.#inFlight--;
        if (this.#inFlight === 0) this.#whenIdle?.();
        if (error) reject(withSystemCode(error));
        else resolve(value);
      };
      try {
        start(done);
      } catch (error) {
        done(error, undefined as T);
      }
    });
  }

  /** Runs a call on the calling thread. */
  protected direct<T>(call: () => T): T {
    if (this.#closing !== null) throw alreadyClosed();
    try {
      return call();
    } catch (error) {
      throw withSystemCode(error);
    }
  }
}

/** The error of a write that took no byte and reported no failure: to try it again could go on for ever. */
export function nothingWritten(lengthBytes: number, position: number): SystemError {
  return new SystemError("EIO", `the system wrote none of ${lengthBytes} bytes at ${position} and reported no error`);
}

function alreadyClosed(): SystemError {
  return new SystemError("EBADF", "the file is closed");
}

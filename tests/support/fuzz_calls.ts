/**
 * Random programs over the whole interface of a log: wrong arguments, calls in the middle of calls, calls that nobody waits for,
 * full disks and failures. Every call must be answered, and the log must hold what it accepted.
 */

import { crc32 } from "node:zlib";
import { Wal, type WalOptions } from "../../mod.ts";
import { type MemoryCall, MemoryDisk, type MemoryFault, MemoryRuntime } from "../../src/runtime/memory.ts";
import { Random } from "../../src/runtime/random.ts";
import { Session } from "./fuzz_session.ts";
import { CALLS, inCallBack, OPEN_OPTIONS } from "./fuzz_steps.ts";
import { STREAMS } from "./fuzz_streams.ts";
import { RejectionWatch } from "./fuzz_trial.ts";
import { anyOptions, untyped } from "./fuzz_values.ts";
import { readAll } from "./log_contents.ts";
import { DIRECTORY } from "./log_fixture.ts";
import { Violation } from "./oracle.ts";
import { toTheEnd } from "./to_the_end.ts";

/** No program calls the disk so often. */
const MOST_CALLS = 5000;

/** What was done. */
export interface FuzzedCalls {
  programs: number;
  /** Calls to the log. */
  steps: number;
  /** Calls to the disk. */
  calls: number;
}

/** What may go wrong with the disk of a program. */
type Trouble = "none" | "EIO" | "full";

/** One program. */
class CallRun {
  readonly #seed: number;
  readonly #random: Random;
  readonly #disk: MemoryDisk;
  readonly #trouble: Trouble;
  readonly #fuzzed: FuzzedCalls;
  readonly #say: (line: string) => void;
  #faultAt = Infinity;
  #calls = 0;

  constructor(seed: number, fuzzed: FuzzedCalls, say: (line: string) => void) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#disk = new MemoryDisk({ seed });
    this.#trouble = this.#random.pick(["none", "none", "none", "none", "EIO", "full"]);
    this.#fuzzed = fuzzed;
    this.#say = say;
    if (this.#trouble === "EIO") this.#faultAt = this.#random.integer(10, 80);
  }

  readonly #onCall = ({ name, path }: MemoryCall): MemoryFault | undefined => {
    if (++this.#calls > MOST_CALLS) return { stop: "before" };
    const isDue = this.#calls >= this.#faultAt && (name === "write" || name === "syncData") &&
      path.startsWith(DIRECTORY);
    if (!isDue) return undefined;
    this.#faultAt = this.#random.chance(0.3) ? this.#calls + this.#random.integer(5, 60) : Infinity;
    return { code: "EIO" };
  };

  async run(): Promise<void> {
    const runtime = new MemoryRuntime({ disk: this.#disk, seed: this.#seed, crc32, onCall: this.#onCall });
    const session = await toTheEnd(this.#live(runtime), runtime);
    this.#fuzzed.calls += runtime.calls;
    if (session === undefined) {
      throw new Violation(`it does not come to an end within ${this.#calls} calls to the disk`);
    }
    if (session === null) return;
    const { openFiles } = runtime;
    if (openFiles.length > 0) throw new Violation(`it leaves open ${openFiles.join(", ")}`);
    await this.#checkWhatIsThere(session);
  }

  /** Null where it could not be opened. */
  async #live(runtime: MemoryRuntime): Promise<Session | null> {
    const wal = await this.#open(runtime);
    if (wal === null) return null;
    const session = new Session(wal, runtime, this.#random, this.#seed, this.#say);
    this.#onEvent = () => session.callBack();
    session.onCallBack = () => inCallBack(session);
    session.model.mayLose = this.#trouble !== "none";
    for (let left = this.#random.integer(3, 25); left > 0; left--) {
      if (this.#trouble === "full" && this.#random.chance(0.2)) this.#fill();
      const step = this.#random.pick(this.#random.chance(0.6) ? CALLS : STREAMS);
      this.#fuzzed.steps++;
      if (this.#random.chance(0.6)) await step(session);
      else session.later(step(session));
    }
    await this.#end(session);
    return session;
  }

  #onEvent: () => void = () => {};

  #fill(): void {
    const isFull = this.#disk.sizeBytes !== Infinity;
    this.#disk.sizeBytes = isFull ? Infinity : this.#disk.usedBytes + this.#random.pick([0, 4096, 20_000]);
  }

  /** First perhaps with options that are wrong, then with good ones; null where the disk does not let it. */
  async #open(runtime: MemoryRuntime): Promise<Wal | null> {
    const session = new Session(untyped(null), runtime, this.#random, this.#seed, this.#say);
    const good = Object.fromEntries(
      Object.entries(OPEN_OPTIONS).filter(() => this.#random.chance(0.3)).map(([name, values]) => [
        name,
        this.#random.pick<unknown>(values),
      ]),
    );
    const tries = [...(this.#random.chance(0.3) ? [anyOptions(session, OPEN_OPTIONS)] : []), good, {}];
    for (const options of tries) {
      const given: WalOptions = { ...options, runtime, onEvent: () => this.#onEvent() };
      const what = `Wal.open ${Object.keys(options).join()}`;
      const outcome = await session.take(what, () => Wal.open(DIRECTORY, given), { isAsync: true });
      if ("value" in outcome) return untyped(outcome.value);
      if (outcome.code === "WAL_OPTIONS") continue;
      if (this.#trouble !== "none") return null;
      throw outcome.error;
    }
    return null;
  }

  /** Everything that is under way comes to an end when the log does. */
  async #end(session: Session): Promise<void> {
    const { wal, readers, writers, random } = session;
    this.#onEvent = () => {};
    session.onCallBack = () => {};
    this.#disk.sizeBytes = Infinity;
    if (this.#trouble === "none" && random.chance(0.7)) await this.#endWriters(session);
    const closed = await session.take("close", () => wal.close(), { isAsync: true });
    if ("error" in closed && this.#trouble === "none") throw closed.error;
    for (const reader of readers) {
      await session.take("reader.read at the end", () => reader.read());
      await session.take("reader.cancel at the end", () => reader.cancel());
    }
    for (const { writer, hasEnded } of writers) {
      await session.take("writer.write at the end", () => writer.write("late"), { isPlatform: hasEnded });
    }
    await session.settle();
    if (wal.state !== "closed") throw new Violation(`it was closed, and is ${wal.state}`);
  }

  async #endWriters(session: Session): Promise<void> {
    for (const open of session.writers) {
      const isPlatform = open.hasEnded;
      open.hasEnded = true;
      await session.take("writer.close", () => open.writer.close(), { isPlatform });
    }
  }

  async #checkWhatIsThere({ model, wal }: Session): Promise<void> {
    const disk = model.mayLose ? this.#disk.kill() : this.#disk.powerLoss({ keep: "none" });
    const runtime = new MemoryRuntime({ disk, crc32 });
    const task = async (): Promise<void> => {
      const found = await Wal.open(DIRECTORY, { runtime, recovery: "tolerate-tail" });
      model.check(await readAll(found), found.firstLsn, found.lastLsn);
      if (!model.mayLose && found.lastLsn !== wal.lastLsn) {
        throw new Violation(`it ended with LSN ${wal.lastLsn}, and ends with ${found.lastLsn}`);
      }
      await found.close();
    };
    await toTheEnd(task(), runtime);
  }
}

/** Runs programs from one seed on, so many. Rejects at the first call that is not answered as it must be. */
export async function fuzzCalls(
  firstSeed: number,
  count: number,
  { say = () => {} }: { say?: (line: string) => void } = {},
): Promise<FuzzedCalls> {
  const fuzzed: FuzzedCalls = { programs: 0, steps: 0, calls: 0 };
  const rejections = new RejectionWatch().start();
  try {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      try {
        await new CallRun(seed, fuzzed, say).run();
        await rejections.check();
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        throw new Error(`WALSTREAM_FUZZ_SEED=calls-${seed}: ${what}`, { cause: error });
      }
      fuzzed.programs++;
    }
  } finally {
    rejections.stop();
  }
  return fuzzed;
}

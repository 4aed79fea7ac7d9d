/**
 * Spoiled logs on the disk of the machine: directories where files should be, names that a real file system has to bear, reads that
 * fail as the system says.
 */

import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Wal } from "../../mod.ts";
import { RECOVERY_MODES } from "../../src/options.ts";
import { nextHostTask } from "../../src/runtime/host_task.ts";
import type { OpenMode, RuntimeFile } from "../../src/runtime/port.ts";
import { Random } from "../../src/runtime/random.ts";
import { DelegatingFile, DelegatingRuntime } from "./delegating_runtime.ts";
import { specimenOf } from "./fuzz_files.ts";
import { readShown } from "./fuzz_shown.ts";
import type { Specimen } from "./fuzz_specimen.ts";
import { RejectionWatch, typed } from "./fuzz_trial.ts";
import { Violation } from "./oracle.ts";
import { quickRuntime } from "./quick_runtime.ts";
import { inSandbox } from "./sandbox.ts";
import { within } from "./deadline.ts";

/** No file of a specimen is so large. */
const MOST_BUFFER_BYTES = 2 * 1024 * 1024;
const MOST_SECONDS = 30;
/** So many turns of the event loop may a file stay open behind a call. */
const MOST_TURNS = 2000;

/** Counts the files that are open. */
class CountingRuntime extends DelegatingRuntime {
  openFiles = 0;

  override async open(path: string, mode: OpenMode): Promise<RuntimeFile> {
    const file = new CountedFile(await super.open(path, mode), () => this.openFiles--);
    this.openFiles++;
    return file;
  }
}

class CountedFile extends DelegatingFile {
  readonly #closed: () => void;
  #isClosed = false;

  constructor(inner: RuntimeFile, closed: () => void) {
    super(inner);
    this.#closed = closed;
  }

  override async read(target: Uint8Array, position: number): Promise<number> {
    if (target.length > MOST_BUFFER_BYTES) throw new Violation(`a buffer of ${target.length} bytes`);
    return await super.read(target, position);
  }

  override async close(): Promise<void> {
    if (!this.#isClosed) this.#closed();
    this.#isClosed = true;
    await super.close();
  }
}

/** Looks at, repairs and opens the specimens of so many seeds. Resolves to how many there were. */
export async function fuzzRealFiles(firstSeed: number, count: number): Promise<number> {
  const rejections = new RejectionWatch().start();
  try {
    await inSandbox(async (sandbox) => {
      for (let seed = firstSeed; seed < firstSeed + count; seed++) {
        const specimen = await specimenOf(seed);
        try {
          const directory = await mkdtemp(join(sandbox, "log-"));
          await lay(specimen, directory);
          await within(MOST_SECONDS, "a specimen", fuzzOne(specimen, directory, new Random(seed)));
          await rejections.check();
        } catch (error) {
          const what = error instanceof Error ? error.message : String(error);
          throw new Error(`on the real disk, seed files-${seed}: ${what}\n  ${specimen.describe()}`, { cause: error });
        }
      }
    });
  } finally {
    rejections.stop();
  }
  return count;
}

async function lay({ files, directories }: Specimen, directory: string): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(directory, name), bytes);
  for (const name of directories) await mkdir(join(directory, name));
}

async function fuzzOne(specimen: Specimen, directory: string, random: Random): Promise<void> {
  const runtime = new CountingRuntime(await quickRuntime());
  const before = await listing(directory);
  await answer("verify", runtime, () => Wal.verify(directory, { runtime }));
  await answer("Wal.read", runtime, () => readShown("Wal.read", Wal.read(directory, { runtime })));
  const mode = random.pick(RECOVERY_MODES);
  await answer("repair dry", runtime, () => Wal.repair(directory, { mode, dryRun: true, runtime }));
  if (await listing(directory) !== before) throw new Violation("what only looks has changed something");
  await answer(`repair ${mode}`, runtime, () => Wal.repair(directory, { mode, runtime }));
  await answer("open, read, append, close", runtime, async () => {
    const wal = await Wal.open(directory, { runtime, segmentBytes: 16 * 1024, recovery: random.pick(RECOVERY_MODES) });
    try {
      await readShown("open, read", wal.readable());
      await wal.commit(specimen.describe());
    } finally {
      await wal.close();
    }
  });
}

/** Waits for an answer or a typed error, and for all files to be closed. */
async function answer(what: string, runtime: CountingRuntime, call: () => Promise<unknown>): Promise<void> {
  await call().catch((error: unknown) => typed(what, error));
  for (let turn = 0; turn < MOST_TURNS && runtime.openFiles > 0; turn++) await nextHostTask();
  if (runtime.openFiles > 0) throw new Violation(`${what}: ${runtime.openFiles} files are left open`);
}

/** Names, and the bytes of what is a file, in a text. */
async function listing(directory: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    const isFile = (await stat(path)).isFile();
    lines.push(`${name} ${isFile ? (await readFile(path)).toString("base64") : "directory"}`);
  }
  return lines.join("\n");
}

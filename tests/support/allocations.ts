/**
 * How much heap entries cost, in bytes that their engine counts.
 *
 * A program of its own measures that, in an engine that is told to collect nothing unless it is asked to, and to
 * compile nothing: machine code leaves out some of what the code asks for, and when it comes hangs on how busy the
 * machine is.
 */

import { currentRuntime, type ProgramOptions, runProgram, type RuntimeName } from "./processes.ts";

const NEW_SPACE_MIB = 128;
const V8_FLAGS: readonly string[] = [
  "--expose-gc",
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
  `--min-semi-space-size=${NEW_SPACE_MIB}`,
  `--max-semi-space-size=${NEW_SPACE_MIB}`,
];

const OPTIONS: Readonly<Record<RuntimeName, ProgramOptions>> = {
  // The flags belong between the program and its script.
  node: { under: ["sh", "-c", `exec "$0" ${V8_FLAGS.join(" ")} "$@"`] },
  deno: { denoFlags: ["--allow-all", "--no-prompt", `--v8-flags=${V8_FLAGS.join(",")}`] },
  bun: { environment: { BUN_JSC_useJIT: "0", BUN_JSC_largeHeapSize: "1000000000", BUN_GC_TIMER_DISABLE: "1" } },
};

let measured: Promise<Readonly<Record<string, number>>> | null = null;

/** Bytes an entry, by the names that the program has for what it does. It is run once. */
export function allocatedBytes(): Promise<Readonly<Record<string, number>>> {
  measured ??= runProgram<Record<string, number>>(currentRuntime, "allocation_program", OPTIONS[currentRuntime]);
  return measured;
}

// One point on one runtime, in a process of its own.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endGroup, root, runBenchProgram } from "./programs.mjs";

/** @typedef {import("../harness/point_line.ts").PointLine} PointLine */
/** @typedef {{ line: PointLine } | { error: string }} Result */

/**
 * Resolves to the point's line, or to why there is none.
 *
 * @param {{
 *   point: string, runtime: import("./runtimes.mjs").Runtime, options: import("./options.mjs").Options,
 *   compiled: string | null, directory: string, live: import("./live_line.mjs").LiveLine,
 *   interruption: import("./interruption.mjs").Interruption
 * }} what
 * @returns {Promise<Result>}
 */
export async function measure({ point, runtime, options, compiled, directory, live, interruption }) {
  /** @type {import("../harness/order.ts").Order} */
  const order = {
    point,
    rounds: options.rounds,
    isQuick: options.isQuick,
    directory,
    runtime: runtime.name,
    packageVersion: JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version,
  };
  /** @type {PointLine | null} */
  let line = null;
  let forget = () => {};
  const { code, errors, stdout } = await runBenchProgram(runtime, "run", [JSON.stringify(order)], compiled, {
    onStart: (pid) => forget = interruption.atEnd(() => endGroup(pid)),
    onLine: (text) => {
      const said = parse(text);
      if (said !== null && "point" in said) line = said;
      else if (said !== null && "who" in said) live.show(said);
    },
  });
  forget();
  if (code === 0 && line !== null) return { line };
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return { error: `it ended with ${code ?? "a signal"}, behind ${last}\n${errors}`.trimEnd() };
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a peer may write something of its own
  }
}

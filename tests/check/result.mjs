// What a step comes to. `output` is shown when something failed, `told` when nothing did, `covered` in the
// end: how much was gone through, by name.

/**
 * @typedef {{ name: string, reason: string, isExact: boolean }} Skip
 * @typedef {{
 *   passed: number, failed: number, skipped?: Skip[], covered?: ReadonlyMap<string, number>, output: string,
 *   told?: string
 * }} Result
 * @typedef {{ what: string, code: number | null, output: string }} Outcome
 */

/** @param {string} output @returns {Result} */
export function failure(output) {
  return { passed: 0, failed: 1, output };
}

/** A program that is one check: it ends well or not. @param {Omit<Outcome, "what">} outcome @returns {Result} */
export function resultOf({ code, output }) {
  return code === 0 ? { passed: 1, failed: 0, output } : failure(output);
}

/** Several programs, each a check of its own. @param {Outcome[]} outcomes @returns {Result} */
export function sumOf(outcomes) {
  const failed = outcomes.filter(({ code }) => code !== 0);
  return {
    passed: outcomes.length - failed.length,
    failed: failed.length,
    output: failed.map(({ what, output }) => `${what}:\n${output}`).join("\n"),
  };
}

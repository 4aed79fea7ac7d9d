/**
 * What a mutant is: a copy of the log with one rule left out, and the test that must see it.
 */

/** A place in a file of the log, and what stands there instead. The text must occur in the file just once. */
export interface Edit {
  /** From the root of the checkout. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A deliberate fault. */
export interface Mutant extends Edit {
  /** The section of the design, and the rule in its words. */
  readonly rule: string;
  /** What the faulty log does. */
  readonly name: string;
  /** What else must change for that. */
  readonly also?: readonly Edit[];
  readonly caughtBy: Catcher;
  /** Its catcher does not end when it meets this mutant. Any other one that does not end has caught nothing. */
  readonly hangs?: true;
}

/** A part of the tests that is to fail. */
export type Catcher =
  /** A workload of `workloads.ts`, crashed at every call; in a directory where files of an earlier log lie about. */
  | { readonly by: "crashes"; readonly workload: string; readonly isPlanted?: true }
  /** A workload in which every call fails with a code. */
  | { readonly by: "failures"; readonly code: string; readonly workload: string; readonly isPlanted?: true }
  /** Random histories, from the seed 1 on. */
  | { readonly by: "histories"; readonly count: number }
  /** The tests of `<file>.test.ts` whose name contains this. */
  | { readonly by: "tests"; readonly file: string; readonly name: string };

/** A crash at every call of a workload. */
export function crashes(workload: string): Catcher {
  return { by: "crashes", workload };
}

/** The same in a directory where segments of an earlier log lie about under the names of spares. */
export function crashesInUsedFiles(workload: string): Catcher {
  return { by: "crashes", workload, isPlanted: true };
}

/** An error of the disk at every call of a workload. */
export function failures(code: "EIO" | "ENOSPC" | "EACCES", workload: string): Catcher {
  return { by: "failures", code, workload };
}

/** The same in a directory where segments of an earlier log lie about under the names of spares. */
export function failuresInUsedFiles(code: "EIO" | "ENOSPC" | "EACCES", workload: string): Catcher {
  return { by: "failures", code, workload, isPlanted: true };
}

/** So many random histories. A mutant should be met in the first tenth of them: seeds get new meanings now and then. */
export function histories(count: number): Catcher {
  return { by: "histories", count };
}

/** The tests of a file whose name contains this. */
export function tests(file: string, name: string): Catcher {
  return { by: "tests", file, name };
}

/** A catcher in a few words. */
export function nameOf(catcher: Catcher): string {
  const used = "isPlanted" in catcher ? ", in used files" : "";
  switch (catcher.by) {
    case "crashes":
      return `crashes: ${catcher.workload}${used}`;
    case "failures":
      return `${catcher.code}: ${catcher.workload}${used}`;
    case "histories":
      return `${catcher.count} histories`;
    case "tests":
      return `${catcher.file}: ${catcher.name}`;
  }
}

/** What a catcher comes to. */
export interface Answer {
  /**
   * `"passed"`: it has seen nothing wrong. `"failed"`: a promise was broken. `"broken"`: the program is wrong as a program,
   * which proves nothing. `"stuck"`: it has not come to an end. `"nothing"`: there is no such test.
   */
  readonly outcome: "passed" | "failed" | "broken" | "stuck" | "nothing";
  /** In one line. */
  readonly says: string;
}

/**
 * What the suite of the port is run over.
 */

import type { Runtime } from "../../src/runtime/port.ts";

/** A runtime under test and an empty directory that is its own. */
export interface Subject {
  readonly runtime: Runtime;
  readonly directory: string;
}

/** Runs a case on a fresh subject, and clears up after it. */
export type WithSubject = (body: (subject: Subject) => Promise<void>) => Promise<void>;

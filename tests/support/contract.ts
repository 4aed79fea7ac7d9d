/**
 * What every adapter of the port must do: one suite, run over each of them.
 *
 * @module
 */

import type { Runtime } from "../../src/runtime/port.ts";
import { fileContract } from "./contract_files.ts";
import { machineContract } from "./contract_machine.ts";
import { nameContract } from "./contract_names.ts";

/** A runtime under test and an empty directory that is its own. */
export interface Subject {
  readonly runtime: Runtime;
  readonly directory: string;
}

/** Runs a case on a fresh subject, and clears up after it. */
export type WithSubject = (body: (subject: Subject) => Promise<void>) => Promise<void>;

/** Registers the suite; the name of each test begins with `name`. */
export function runtimeContract(name: string, withSubject: WithSubject): void {
  fileContract(name, withSubject);
  nameContract(name, withSubject);
  machineContract(name, withSubject);
}

/**
 * What every adapter of the port must do: one suite, run over each of them.
 *
 * @module
 */

import { fileContract } from "./contract_files.ts";
import { machineContract } from "./contract_machine.ts";
import { nameContract } from "./contract_names.ts";
import type { WithSubject } from "./contract_subject.ts";

/** Registers the suite; the name of each test begins with `name`. */
export function runtimeContract(name: string, withSubject: WithSubject): void {
  fileContract(name, withSubject);
  nameContract(name, withSubject);
  machineContract(name, withSubject);
}

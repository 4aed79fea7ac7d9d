/**
 * The log under test as a contender: opened in the round's directory, used, and closed.
 *
 * @module
 */

import { Wal, type WalOptions } from "../../mod.ts";
import type { Contender, Reading, Watch } from "../harness/point.ts";

/** What the log does in a round. */
export interface LogWork {
  readonly name?: string;
  readonly part?: string;
  readonly options?: WalOptions;
  /** Uses the log, and times what counts. */
  readonly work: (wal: Wal, watch: Watch, directory: string) => Promise<readonly Reading[]>;
}

/** The log as a contender. */
export function logContender({ name = "walstream", part, options, work }: LogWork): Contender {
  return {
    name,
    ...(part === undefined ? {} : { part }),
    round: async (directory: string, watch: Watch) => {
      const wal = await Wal.open(directory, options);
      try {
        return await work(wal, watch, directory);
      } finally {
        await wal.close();
      }
    },
  };
}

/**
 * How much an exploration has looked at.
 */

/** See the head of this file. */
export interface Explored {
  crashPoints: number;
  injectedFaults: number;
  survivals: number;
  recoveries: number;
  crashesInRecovery: number;
}

/** Where counting begins. */
export function nothingExplored(): Explored {
  return { crashPoints: 0, injectedFaults: 0, survivals: 0, recoveries: 0, crashesInRecovery: 0 };
}

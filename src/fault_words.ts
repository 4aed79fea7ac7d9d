/**
 * What is wrong with a log, in words for a person: whoever finds the same says the same.
 *
 * @module
 */

/** Of a file with a segment's name and no header. */
export const NO_SEGMENT = "it is no segment of a log, though it is named like one";

/** Of a header that was one once. */
export const DAMAGED_HEADER = "its header is damaged";

/** Of a segment that says so itself. */
export const OF_ANOTHER_LOG = "it belongs to another log";

/** Of a segment that its successor does not go on from. */
export function isOfAnotherLine(successor: string): string {
  return `it is of another line of history than ${successor}`;
}

/** Of a lowest segment whose name cannot be true: only a first one has nothing before it, and the head of the log in it. */
export function hasNothingBefore(headLsn: number): string {
  return `its name says that nothing is before it, and LSN ${headLsn} is in the log`;
}

/** Of a predecessor. */
export function isMissing(id: number, successor: string): string {
  return `segment number ${id}, which ${successor} names, is missing`;
}

/** Of a segment behind the last one. */
export function hasVanished(id: number): string {
  return `segment number ${id} has vanished`;
}

/** Of a frame that checks, and was never written by a log. */
export function isNotFilled(offset: number): string {
  return `the entries do not fill the frame at offset ${offset}`;
}

/** Of a place in a segment. */
export function hasNoGoodFrame(offset: number, nextLsn: number): string {
  return `no good frame begins at offset ${offset}, where LSN ${nextLsn} must be`;
}

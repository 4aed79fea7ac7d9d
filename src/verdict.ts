/**
 * What open makes of what it finds, as a table: torn, which a crash explains, or corrupt, which none does. What cannot be
 * read stands here for completeness: the error of the disk is thrown as it is, before anyone asks.
 *
 * @module
 */

import { WalCorruptionError, type WalEvidence, WalFormatError, WalVersionError } from "./errors.ts";

/** Which segment something was found about. */
export type Where =
  /** The one with the highest id of a complete set. */
  | "last"
  /** One that a successor names. */
  | "earlier";

/** What was found there. */
export type Finding =
  /** Every frame is good up to the place in question, and nothing of this life follows. */
  | "whole"
  /** A frame is bad. */
  | "bad-frame"
  /** It was a header once. */
  | "damaged-header"
  /** It never was a segment of this log. */
  | "foreign"
  /** It needs a later version. */
  | "future"
  /** The file is not there. */
  | "missing"
  /** The file is shorter than its successor states. */
  | "shrunk"
  /** Reading or syncing it failed. */
  | "unreadable";

/** What vouches for bytes at or behind the place in question. */
export type Voucher = WalEvidence | "nothing";

/** What open does. */
export type Outcome =
  /** The log ends here. */
  | "end"
  /** It refuses with a WalCorruptionError. */
  | "corrupt"
  /** It refuses with a WalFormatError. */
  | "refuse-foreign"
  /** It refuses with a WalVersionError. */
  | "refuse-future"
  /** It refuses with the error of the disk, and touches nothing. */
  | "refuse-unreadable";

/** A line of the table: it holds for each combination of what it lists. */
export interface Case {
  readonly where: readonly Where[];
  readonly finding: readonly Finding[];
  readonly voucher: readonly Voucher[];
  readonly outcome: Outcome;
  readonly why: string;
}

/** Where there can be something. */
export const WHERE: readonly Where[] = ["last", "earlier"];
/** What there can be. */
export const FINDINGS: readonly Finding[] = [
  "whole",
  "bad-frame",
  "damaged-header",
  "foreign",
  "future",
  "missing",
  "shrunk",
  "unreadable",
];
/** What can vouch. */
export const VOUCHERS: readonly Voucher[] = [
  "nothing",
  "frame",
  "mark",
  "lock-mark",
  "checkpoint",
  "archive",
  "successor",
  "name",
];

const PROOFS: readonly Voucher[] = VOUCHERS.filter((voucher) => voucher !== "nothing");

/** The decisions of the recovery mode `"tolerate-tail"`. */
export const CASES: readonly Case[] = [
  {
    where: ["last"],
    finding: ["whole", "bad-frame"],
    voucher: ["nothing"],
    outcome: "end",
    why: "nothing proves that there was more: a crash explains it",
  },
  {
    where: ["last"],
    finding: ["whole", "bad-frame"],
    voucher: PROOFS,
    outcome: "corrupt",
    why: "what was written later proves that it had been synced",
  },
  {
    where: ["earlier"],
    finding: ["whole"],
    voucher: VOUCHERS,
    outcome: "end",
    why: "it reaches the end that its successor states; what follows is not part of the log",
  },
  {
    where: ["earlier"],
    finding: ["bad-frame", "shrunk"],
    voucher: VOUCHERS,
    outcome: "corrupt",
    why: "its successor was born after all before the stated end had been synced",
  },
  {
    where: WHERE,
    finding: ["damaged-header"],
    voucher: VOUCHERS,
    outcome: "corrupt",
    why: "a header is synced before its file bears a segment's name",
  },
  {
    where: WHERE,
    finding: ["missing"],
    voucher: VOUCHERS,
    outcome: "corrupt",
    why: "its name was synced before anything could name it",
  },
  {
    where: ["last"],
    finding: ["shrunk"],
    voucher: VOUCHERS,
    outcome: "corrupt",
    why: "a segment's header block was synced before its name",
  },
  { where: WHERE, finding: ["foreign"], voucher: VOUCHERS, outcome: "refuse-foreign", why: "it is not ours to read" },
  { where: WHERE, finding: ["future"], voucher: VOUCHERS, outcome: "refuse-future", why: "it is not ours to judge" },
  {
    where: WHERE,
    finding: ["unreadable"],
    voucher: VOUCHERS,
    outcome: "refuse-unreadable",
    why: "what cannot be read may be whole",
  },
];

/** The one line that holds for this combination. */
export function decide(where: Where, finding: Finding, voucher: Voucher): Case {
  const found = CASES.find((each) =>
    each.where.includes(where) && each.finding.includes(finding) && each.voucher.includes(voucher)
  );
  if (found === undefined) throw new Error(`the decision table has no line for ${where}, ${finding}, ${voucher}`);
  return found;
}

/** What is wrong, and in words for a person. */
export interface Fault {
  readonly finding: Finding;
  readonly what: string;
}

/** Where it is wrong, and what proves that it was not always so. */
export interface Damage {
  readonly segment: string;
  readonly offset: number;
  readonly lsn: number;
  readonly evidence: WalEvidence;
}

/** Throws what the table says of something that it refuses. */
export function refuse(where: Where, { finding, what }: Fault, damage: Damage, path: string): never {
  const { outcome, why } = decide(where, finding, damage.evidence);
  if (outcome === "corrupt") throw new WalCorruptionError(damage, `${path}: ${what}; ${why}`);
  if (outcome === "refuse-foreign") throw new WalFormatError(path, what);
  if (outcome === "refuse-future") throw new WalVersionError(path, what);
  throw new Error(`the decision table does not refuse ${finding} in the ${where} segment`);
}

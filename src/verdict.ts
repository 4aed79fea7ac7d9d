/**
 * What open makes of what it finds, as a table: torn, which a crash explains, or corrupt, which none does; and what each
 * recovery mode does about it. What cannot be read stands here for completeness: the error of the disk is thrown as it is,
 * before anyone asks.
 *
 * @module
 */

import { WalCorruptionError, type WalError, type WalEvidence, WalFormatError, WalVersionError } from "./errors.ts";
import type { SegmentHeader } from "./format.ts";
import { RECOVERY_MODES, type RecoveryMode } from "./options.ts";

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
  /** Nothing says that it ever was a segment, but for its name. */
  | "no-segment"
  /** It is a segment, and none of this log. */
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
export type Voucher = WalEvidence;

/** How the log ended. */
export type Ending =
  /** Its last whole frame is a mark. */
  | "clean"
  /** It is not. */
  | "unclean";

/** What open does. */
export type Outcome =
  /** It reads on in the successor. */
  | "goes-on"
  /** The log ends here, as it was closed. */
  | "clean"
  /** The log ends here; it was not closed. */
  | "unclean"
  /** The log ends here; what a crash tore follows. */
  | "torn"
  /** The log ends here, whatever was behind that. */
  | "cut"
  /** What cannot be read is left out, and what can be is taken. */
  | "gap"
  /** It refuses with a WalCorruptionError. */
  | "corrupt"
  /** It refuses with a WalFormatError. */
  | "refuse-format"
  /** It refuses with a WalVersionError. */
  | "refuse-future"
  /** It refuses with the error of the disk, and touches nothing. */
  | "refuse-unreadable";

/** A line of the table: it holds for each combination of what it lists. */
export interface Case {
  readonly where: readonly Where[];
  readonly finding: readonly Finding[];
  readonly voucher: readonly Voucher[];
  readonly ending: readonly Ending[];
  readonly mode: readonly RecoveryMode[];
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
  "no-segment",
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

/** How it can have ended. */
export const ENDINGS: readonly Ending[] = ["clean", "unclean"];

const PROOFS: readonly Voucher[] = VOUCHERS.filter((voucher) => voucher !== "nothing");

/** What is wrong, and why that is what it is taken for. */
type Trouble = Pick<Case, "where" | "finding" | "voucher" | "why">;

/** Damage in one of these places is corruption, whatever vouches: something was synced before anything could name it. */
const DAMAGE: readonly Trouble[] = [
  {
    where: ["last"],
    finding: ["whole", "bad-frame"],
    voucher: PROOFS,
    why: "what was written later proves that it had been synced",
  },
  {
    where: ["earlier"],
    finding: ["bad-frame", "shrunk"],
    voucher: VOUCHERS,
    why: "its successor was born after all before the stated end had been synced",
  },
  {
    where: WHERE,
    finding: ["damaged-header"],
    voucher: VOUCHERS,
    why: "a header is synced before its file bears a segment's name",
  },
  {
    where: WHERE,
    finding: ["missing"],
    voucher: VOUCHERS,
    why: "its name was synced before anything could name it",
  },
  {
    where: ["last"],
    finding: ["shrunk"],
    voucher: VOUCHERS,
    why: "a segment's header block was synced before its name",
  },
];

/** Files that are none of the log's, in the places of such that were. */
const STRANGERS: readonly Trouble[] = [
  {
    where: WHERE,
    finding: ["no-segment"],
    voucher: VOUCHERS,
    why: "it took the place of one that is missing, or was one that cannot be read any more",
  },
  { where: ["earlier"], finding: ["foreign"], voucher: VOUCHERS, why: "it took the place of one that is missing" },
];

/** What the modes do about it: open refuses unless it is told otherwise. */
function remediesFor({ where, finding, voucher, why }: Trouble, refusal: Outcome): Case[] {
  const trouble = { where, finding, voucher, ending: ENDINGS } as const;
  return [
    { ...trouble, mode: ["strict", "tolerate-tail"], outcome: refusal, why },
    { ...trouble, mode: ["point-in-time"], outcome: "cut", why: `${why}; all before it is whole` },
    { ...trouble, mode: ["salvage"], outcome: "gap", why: `${why}; what checks behind it is worth having` },
  ];
}

/** The decisions. */
export const CASES: readonly Case[] = [
  {
    where: ["last"],
    finding: ["whole"],
    voucher: ["nothing"],
    ending: ["clean"],
    mode: RECOVERY_MODES,
    outcome: "clean",
    why: "its last frame says that it was closed",
  },
  {
    where: ["last"],
    finding: ["whole"],
    voucher: ["nothing"],
    ending: ["unclean"],
    mode: RECOVERY_MODES,
    outcome: "unclean",
    why: "nothing proves that there was more",
  },
  {
    where: ["last"],
    finding: ["bad-frame"],
    voucher: ["nothing"],
    ending: ENDINGS,
    mode: ["tolerate-tail", "point-in-time"],
    outcome: "torn",
    why: "nothing proves that it was synced: a crash explains it",
  },
  {
    where: ["last"],
    finding: ["bad-frame"],
    voucher: ["nothing"],
    ending: ENDINGS,
    mode: ["strict"],
    outcome: "corrupt",
    why: "a crash would explain it, and recovery strict takes no explanation",
  },
  {
    where: ["last"],
    finding: ["bad-frame"],
    voucher: ["nothing"],
    ending: ENDINGS,
    mode: ["salvage"],
    outcome: "gap",
    why: "a crash would explain it, and frames behind it may be whole all the same",
  },
  {
    where: ["earlier"],
    finding: ["whole"],
    voucher: VOUCHERS,
    ending: ENDINGS,
    mode: RECOVERY_MODES,
    outcome: "goes-on",
    why: "it reaches the end that its successor states; what follows is not part of the log",
  },
  ...DAMAGE.flatMap((damage) => remediesFor(damage, "corrupt")),
  ...STRANGERS.flatMap((stranger) => remediesFor(stranger, "refuse-format")),
  {
    where: ["last"],
    finding: ["foreign"],
    voucher: VOUCHERS,
    ending: ENDINGS,
    mode: RECOVERY_MODES,
    outcome: "refuse-format",
    why: "it is not ours to read, and nothing else says which log this is",
  },
  {
    where: WHERE,
    finding: ["future"],
    voucher: VOUCHERS,
    ending: ENDINGS,
    mode: RECOVERY_MODES,
    outcome: "refuse-future",
    why: "it is not ours to judge",
  },
  {
    where: WHERE,
    finding: ["unreadable"],
    voucher: VOUCHERS,
    ending: ENDINGS,
    mode: RECOVERY_MODES,
    outcome: "refuse-unreadable",
    why: "what cannot be read may be whole",
  },
];

/** What was found, where, and under which circumstances. */
export interface Circumstances {
  readonly where: Where;
  readonly finding: Finding;
  readonly voucher: Voucher;
  readonly ending: Ending;
  readonly mode: RecoveryMode;
}

/** Whether a line holds for this. */
export function holds(line: Case, { where, finding, voucher, ending, mode }: Circumstances): boolean {
  return line.where.includes(where) && line.finding.includes(finding) && line.voucher.includes(voucher) &&
    line.ending.includes(ending) && line.mode.includes(mode);
}

/** The one line that holds for this. */
export function decide(circumstances: Circumstances): Case {
  const found = CASES.find((line) => holds(line, circumstances));
  if (found === undefined) {
    throw new Error(`the decision table has no line for ${Object.values(circumstances).join(", ")}`);
  }
  return found;
}

/** What is wrong, and in words for a person. */
export interface Fault {
  readonly finding: Finding;
  readonly what: string;
  /** What it says of itself, where that is whole and only its name says something else. */
  readonly header?: SegmentHeader;
}

/** Where it is wrong, and what proves that it was not always so. */
export interface Damage {
  readonly segment: string;
  readonly offset: number;
  readonly lsn: number;
  readonly evidence: WalEvidence;
}

/** What is thrown where the table refuses; null where it does not. */
export function refusalOf(
  circumstances: Omit<Circumstances, "voucher">,
  what: string,
  damage: Damage,
  path: string,
): WalError | null {
  const { outcome, why } = decide({ ...circumstances, voucher: damage.evidence });
  if (outcome === "corrupt") return new WalCorruptionError(damage, `${path}: ${what}; ${why}`);
  if (outcome === "refuse-format") return new WalFormatError(path, what);
  if (outcome === "refuse-future") return new WalVersionError(path, what);
  return null;
}

/** Throws what the table says of something that open refuses unless it is told otherwise. */
export function refuse(where: Where, { finding, what }: Fault, damage: Damage, path: string): never {
  const circumstances = { where, finding, ending: "unclean", mode: "tolerate-tail" } as const;
  throw refusalOf(circumstances, what, damage, path) ??
    new Error(`the decision table does not refuse ${finding} in the ${where} segment`);
}

/**
 * What the system may refuse, what the log does then, call by call, and what becomes of those who wait.
 */

import type { WalOptions } from "../../mod.ts";
import type { Injection } from "./injection.ts";
import type { LogCommand } from "./log_program.ts";
import { currentRuntime } from "./processes.ts";

/** The files of a log, as they are called when the story begins. */
export interface Files {
  readonly directory: string;
  /** The last segment. */
  readonly segment: string;
  /** The spare that becomes the next one, where one is ready. */
  readonly spare: string;
  readonly lock: string;
}

export interface Story {
  readonly name: string;
  readonly options: WalOptions;
  /** How long the entries are that were committed before, one after the other. */
  readonly before: readonly number[];
  /** Whether the log is closed then, and opened under injection; after a crash, where it is left as it is. */
  readonly found?: "clean" | "unclean";
  readonly inject: (files: Files) => Injection;
  readonly command: LogCommand["do"];
  /** All that is done to the log, or to the files that the injection is about, from then on, and never more. */
  readonly calls: readonly string[];
  /** What it comes to, for everyone: the code of the log's error and that of its cause; or that all is well. */
  readonly outcome: readonly [code: string, cause: string] | "resolved";
  /** What the log tells meanwhile. */
  readonly event?: string;
  /** Why it is not told on this runtime. */
  readonly skip?: string | false;
}

const NEVER_MS = 3_600_000;
const small: WalOptions = { segmentBytes: 64 * 1024, idleMs: NEVER_MS, io: "pool" };
const blocking: WalOptions = { ...small, io: "blocking" };
const endless: WalOptions = { segmentBytes: 0, idleMs: NEVER_MS, io: "pool" };
const few: readonly number[] = [100, 200, 300];
/** The next entry of 40,000 bytes goes into another segment, for which a spare lies ready. */
const nearlyFull: readonly number[] = Array<number>(6).fill(7000);
/** Several segments. */
const many: readonly number[] = Array<number>(6).fill(20_000);

const fdatasync = (error: string): string => `fdatasync:error=${error}`;
const fsync = "fsync:error=EIO";
const write = (answer: string): string => `pwrite64,write:${answer}`;
const rename = (error: string): string => `rename,renameat,renameat2:error=${error}`;
const remove = "unlink,unlinkat:error=EIO";
const entries = "write segment: entries";
const failed = (cause = "EIO"): Story["outcome"] => ["WAL_FAILED", cause];
const full = (cause = "ENOSPC"): Story["outcome"] => ["WAL_DISK_FULL", cause];

const flushes: readonly Story[] = [small, blocking].flatMap((options): Story[] => {
  const common = { options, before: few, command: "everything" } as const;
  return [
    {
      ...common,
      name: `${options.io}: the sync of a flush fails`,
      inject: () => ({ rules: [fdatasync("EIO")] }),
      calls: [entries, "sync segment EIO"],
      outcome: failed(),
    },
    {
      ...common,
      name: `${options.io}: the sync of a flush finds the disk full`,
      inject: () => ({ rules: [fdatasync("ENOSPC")] }),
      calls: [entries, "sync segment ENOSPC"],
      outcome: failed("ENOSPC"),
    },
    {
      ...common,
      name: `${options.io}: the write of a flush fails`,
      inject: ({ segment }) => ({ rules: [write("error=EIO")], paths: [segment] }),
      calls: [`${entries} EIO`],
      outcome: failed(),
    },
    {
      ...common,
      name: `${options.io}: the write of a flush writes nothing and reports no error`,
      inject: ({ segment }) => ({ rules: [write("retval=0")], paths: [segment] }),
      calls: [`${entries} = 0`],
      outcome: failed(),
      skip: currentRuntime === "deno" && "Deno itself tries a write that takes nothing again and again, without end",
    },
    {
      ...common,
      name: `${options.io}: a write into what lies there already finds the disk full`,
      inject: ({ segment }) => ({ rules: [write("error=ENOSPC")], paths: [segment] }),
      calls: [`${entries} ENOSPC`],
      outcome: failed("ENOSPC"),
    },
  ];
});

const short: Story = {
  name: "a write comes back short, its beginning is lost, and the sync says so",
  options: blocking,
  before: few,
  inject: ({ segment }) => ({ rules: [write("retval=20:when=1"), fdatasync("EIO")], paths: [segment] }),
  command: "everything",
  calls: [`${entries} = 20`, "write segment: something else", "sync segment EIO"],
  outcome: failed(),
};

/** A rotation, refused at each of its steps. */
const rotations: readonly Story[] = ([
  ["the footer cannot be written", "segment", write("error=EIO"), ["write segment: footer EIO"], failed()],
  [
    "the old segment cannot be synced",
    "segment",
    fdatasync("EIO"),
    ["write segment: footer", "sync segment EIO"],
    failed(),
  ],
  ["the header cannot be written", "spare", write("error=EIO"), ["write spare: header EIO"], failed()],
  ["the header cannot be synced", "spare", fdatasync("EIO"), ["write spare: header", "sync spare EIO"], failed()],
  ["the spare cannot be renamed", null, rename("EIO"), [
    "write segment: footer",
    "sync segment",
    "write spare: header",
    "sync spare",
    "rename spare EIO",
  ], failed()],
  ["the directory cannot be synced", null, fsync, [
    "write segment: footer",
    "sync segment",
    "write spare: header",
    "sync spare",
    "rename spare",
    "sync directory EIO",
  ], failed()],
  ["the header finds no room", "spare", write("error=ENOSPC"), ["write spare: header ENOSPC", "unlink spare"], full()],
  ["the sync of the header finds no room", "spare", fdatasync("ENOSPC"), [
    "write spare: header",
    "sync spare ENOSPC",
    "unlink spare",
  ], full()],
  ["the name finds no room", "spare", rename("EDQUOT"), [
    "write spare: header",
    "sync spare",
    "rename spare EDQUOT",
    "unlink spare",
  ], full("EDQUOT")],
] as const).map(([name, file, rule, calls, outcome]) => ({
  name: `a rotation: ${name}`,
  options: small,
  before: nearlyFull,
  inject: (files) => ({ rules: [rule], paths: file === null ? [] : [files[file]] }),
  command: "commit",
  calls,
  outcome,
}));

/** A write that makes the file larger. */
const growing: readonly Story[] = ([
  ["ENOSPC", [], ["ftruncate segment", "sync segment"], full()],
  ["EDQUOT", [], ["ftruncate segment", "sync segment"], full("EDQUOT")],
  ["ENOSPC", ["ftruncate:error=EIO"], ["ftruncate segment EIO"], failed()],
  ["ENOSPC", [fdatasync("EIO")], ["ftruncate segment", "sync segment EIO"], failed()],
] as const).map(([error, more, calls, outcome]) => ({
  name: `a write that grows the file finds no room, ${error}${more.length === 0 ? "" : `, nor ${more.join()}`}`,
  options: endless,
  before: few,
  inject: ({ segment }) => ({ rules: [write(`error=${error}`), ...more], paths: [segment] }),
  command: "commit",
  calls: [`${entries} ${error}`, ...calls],
  outcome,
}));

const closings: readonly Story[] = ([
  ["the sync before the mark fails", "segment", fdatasync("EIO"), ["sync segment EIO"], failed()],
  ["the mark cannot be written", "segment", write("error=EIO"), ["sync segment", "write segment: mark EIO"], failed()],
  ["the lock file cannot be written", "lock", write("error=EIO"), [
    "write lock: mark EIO",
    "write lock: nobody EIO",
  ], failed()],
  ["the lock file finds no room", "lock", write("error=ENOSPC"), [
    "write lock: mark ENOSPC",
    "write lock: nobody ENOSPC",
  ], "resolved"],
] as const).map(([name, file, rule, calls, outcome]) => ({
  name: `closing: ${name}`,
  options: small,
  before: few,
  inject: (files) => ({ rules: [rule], paths: [files[file]] }),
  command: "close",
  calls,
  outcome,
}));

const head = ["write segment: head", "sync segment"];

const cuts: readonly Story[] = ([
  ["the head cannot be written", [write("error=EIO")], ["write segment: head EIO"], failed()],
  ["the head cannot be synced", [fdatasync("EIO")], ["write segment: head", "sync segment EIO"], failed()],
  ["files cannot be freed", [rename("EIO"), remove], [...head, "rename segment EIO", "rename segment EIO"], "resolved"],
  [
    "the directory cannot be synced",
    [fsync],
    [...head, "rename segment", "rename segment", "sync directory EIO"],
    "resolved",
  ],
] as const).map(([name, rules, calls, outcome]) => ({
  name: `a cut: ${name}`,
  options: { ...small, spares: 8 },
  before: many,
  inject: ({ segment }) => ({ rules, paths: outcome === "resolved" ? [] : [segment] }),
  command: "truncateBefore",
  calls,
  outcome,
  ...(outcome === "resolved" ? { event: "cleanup-failed" } : {}),
}));

const locked = ["create lock", "write lock: owner"];

const openings: readonly Story[] = ([
  ["clean", "the directory cannot be synced", null, [fsync], [...locked, "sync directory EIO", "write lock: nobody"]],
  ["clean", "the segment cannot be synced", "segment", [fdatasync("EIO")], ["sync segment EIO"]],
  ["clean", "the segment cannot be read", "segment", ["pread64:error=EIO"], ["read segment EIO"]],
  ["unclean", "its end cannot be written again", "segment", [write("error=EIO")], ["sync segment", `${entries} EIO`]],
] as const).map(([found, name, file, rules, calls]) => ({
  name: `opening after ${found === "clean" ? "a good end" : "a crash"}: ${name}`,
  options: small,
  before: few,
  found,
  inject: (files) => ({ rules, paths: file === null ? [] : [files[file]] }),
  command: "open",
  calls,
  outcome: [file === null ? "WAL_DIRECTORY" : "WAL_IO", "EIO"],
}));

const byNumber: Story = {
  name: "opening: the file system has no locks of the kernel",
  options: small,
  before: few,
  found: "clean",
  inject: ({ lock }) => ({ rules: ["flock:error=ENOLCK"], paths: [lock] }),
  command: "open",
  calls: ["create lock", "flock lock ENOLCK"],
  outcome: "resolved",
  event: "capability-missing",
};

export const injectedStories: readonly Story[] = [
  ...flushes,
  short,
  ...rotations,
  ...growing,
  ...closings,
  ...cuts,
  ...openings,
  byNumber,
];

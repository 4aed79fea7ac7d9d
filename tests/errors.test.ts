// Errors: a program tells them apart by class and code, a person by a message that says what was tried, why, and the value.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import * as errors from "../src/errors.ts";

const cause = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
const owner = { pid: 4711, runtime: "bun", since: 0 };
const damage = {
  segment: "0000000002-0000000001-0000000000000009.wal",
  offset: 8192,
  lsn: 12,
  evidence: "mark",
} as const;

/** One of each class, the code that it bears, and what its message must say. */
const samples: readonly [error: errors.WalError, code: errors.WalErrorCode, ...words: string[]][] = [
  [new errors.WalInputError("no entry"), "WAL_INPUT", "no entry"],
  [new errors.WalOptionsError("no option"), "WAL_OPTIONS", "no option"],
  [new errors.WalLimitError("lsn", 7, 6, "too far"), "WAL_LIMIT", "too far"],
  [
    new errors.WalBufferFullError(70, 64),
    "WAL_BUFFER_FULL",
    "cannot append",
    "70 bytes",
    "maxBufferedBytes is 64",
    "ready",
  ],
  [new errors.WalDirectoryError("cannot list /wal", cause), "WAL_DIRECTORY", "cannot list /wal"],
  [
    new errors.WalLockedError("/wal/lock", owner),
    "WAL_LOCKED",
    "cannot open",
    "/wal/lock",
    "4711",
    "bun",
    "1970-01-01",
  ],
  [new errors.WalClosedError("append"), "WAL_CLOSED", "cannot append", "closed"],
  [new errors.WalFailedError("sync the log", 5, cause), "WAL_FAILED", "sync the log", cause.message, "unknown"],
  [new errors.WalDiskFullError("write 9 bytes", cause), "WAL_DISK_FULL", "write 9 bytes", cause.message, "rejected"],
  [new errors.WalRangeError("LSN 9 of 8"), "WAL_RANGE", "LSN 9 of 8"],
  [new errors.WalRewoundError("/wal", 7), "WAL_REWOUND", "LSN 7", "/wal", "replaced"],
  [new errors.WalTruncatedError("read from LSN 3", 10), "WAL_TRUNCATED", "cannot read from LSN 3", "LSN 10"],
  [
    new errors.WalCorruptionError(damage, "a bad frame"),
    "WAL_CORRUPT",
    "a bad frame",
    damage.segment,
    "8192",
    "LSN 12",
    "mark",
  ],
  [new errors.WalFormatError("/wal/x", "it is a song"), "WAL_FORMAT", "/wal/x", "it is a song"],
  [new errors.WalVersionError("/wal/x", "it has format version 9"), "WAL_VERSION", "/wal/x", "version 9", "newer"],
  [new errors.WalIoError("read /wal/x", cause), "WAL_IO", "cannot read /wal/x", cause.message],
  [new errors.WalAbortedError("opening the log", new Error("late")), "WAL_ABORTED", "opening the log", "late"],
];

test("every code that there is has a class, every class its own code, and none was left out here", () => {
  const source = readFileSync("src/errors.ts", "utf8");
  const union = source.slice(
    source.indexOf("export type WalErrorCode"),
    source.indexOf(";", source.indexOf("export type WalErrorCode")),
  );
  const codes = [...union.matchAll(/"(WAL_\w+)"/g)].map(([, code]) => code ?? "");
  assertEquals(samples.map(([, code]) => code as string).sort(), codes.sort());
  const classes = Object.keys(errors).filter((name) => /^Wal\w+Error$/.test(name));
  assertEquals(samples.map(([error]) => error.constructor.name).sort(), classes.sort());
});

test("an error is told apart by its class, its code and its name, and is an Error with a stack", () => {
  for (const [error, code] of samples) {
    assertInstanceOf(error, Error);
    assertInstanceOf(error, errors.WalError);
    assertEquals([error.code, error.name], [code, error.constructor.name]);
    assertStringIncludes(`${error}`, `${error.name}: `);
    assert(error.stack !== undefined);
    assertEquals(samples.filter(([, other]) => other === error.code).length, 1);
  }
});

test("a message says what was tried, why it failed, and the value", () => {
  for (const [{ message }, , ...words] of samples) for (const word of words) assertStringIncludes(message, word);
});

test("what is behind an error is its cause, the very same, and where nothing is there is none", () => {
  const withCause = samples.filter(([error]) => "cause" in error).map(([error]) => error);
  const names = ["WalDirectoryError", "WalFailedError", "WalDiskFullError", "WalIoError", "WalAbortedError"];
  assertEquals(withCause.map(({ name }) => name).sort(), names.sort());
  for (const error of withCause) if (error.name !== "WalAbortedError") assertStrictEquals(error.cause, cause);
});

test("an error carries as data what a program may want to act on", () => {
  const { limit, value, most } = new errors.WalLimitError("maxBatchBytes", 65, 64, "");
  assertEquals([limit, value, most], ["maxBatchBytes", 65, 64]);
  assertEquals(new errors.WalBufferFullError(70, 64).bufferedBytes, 70);
  assertEquals(new errors.WalLockedError("/wal/lock", owner).owner, owner);
  assertEquals(new errors.WalFailedError("", 5, cause).time, 5);
  assertEquals(new errors.WalTruncatedError("read from LSN 3", 10).firstLsn, 10);
  const { segment, offset, lsn, evidence } = new errors.WalCorruptionError(damage, "");
  assertEquals({ segment, offset, lsn, evidence }, damage);
});

test("a lock whose owner has not written its name yet is said to be held all the same", () => {
  const error = new errors.WalLockedError("/wal/lock", null, "this machine has no kernel lock");
  assertEquals(error.owner, null);
  assertMatch(error.message, /another opener.*; this machine has no kernel lock$/);
});

test("a cause that is no Error is told in the message as it is", () => {
  assertStringIncludes(new errors.WalIoError("read", "EIO").message, "cannot read: EIO");
  assertStringIncludes(new errors.WalAbortedError("waiting", undefined).message, "undefined");
  assertStringIncludes(new errors.WalAbortedError("waiting", Symbol("why")).message, "Symbol(why)");
});

test("the system's name of an error is found where there is one, and nowhere else", () => {
  assertEquals(errors.systemCode(cause), "ENOSPC");
  const without: unknown[] = [null, undefined, "ENOSPC", 5, {}, new Error("ENOSPC"), { code: 28 }, { code: undefined }];
  for (const error of without) assertEquals(errors.systemCode(error), undefined);
});

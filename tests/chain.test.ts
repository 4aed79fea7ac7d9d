// The chain of predecessors: what is on it is the log, and nothing else is, whatever lies in the directory.

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Chain, linkTo, walkDown } from "../src/chain.ts";
import { parseSegmentName, type SegmentHeader, type SegmentName, segmentName } from "../src/format.ts";
import { headerWith } from "./support/frames.ts";

/** A segment told as `id<predecessor@base`. */
function nameOf(told: string): SegmentName {
  const [, id = "", predecessorId = "", baseLsn = ""] = /^(\d+)<(\d+)@(\d+)$/.exec(told) ?? [];
  const name = parseSegmentName(segmentName(Number(id), Number(predecessorId), Number(baseLsn)));
  assert(name !== null, told);
  return name;
}

/** The header of a segment told so, whose predecessor ends at an offset of its own. */
function headerOf(told: string): SegmentHeader {
  const { id, predecessorId, baseLsn } = nameOf(told);
  const endOffset = predecessorId === 0 ? 0 : 4096 + 8 * predecessorId;
  return headerWith({ id, baseLsn, predecessor: { id: predecessorId, endOffset, lastLsn: baseLsn - 1 } });
}

/** Walks down from `last` among `others`; what was found is told as the ids, with the stated ends. */
function walk(last: string, headLsn: number, ...others: string[]): string {
  const names = [last, ...others].map(nameOf);
  const walked = walkDown(names, headerOf(last), headLsn);
  if (walked.missing !== null) return `${walked.missing.successor} misses ${walked.missing.id}`;
  return walked.links.map(({ id, endOffset }) => (endOffset === null ? `${id}` : `${id} to ${endOffset}`)).join(", ");
}

test("the log is the last segment and its predecessors down to the one that holds the head", () => {
  const others = ["3<2@20", "1<0@1", "2<1@10"];
  assertEquals(walk("4<3@30", 1, ...others), "1, 2, 3 to 4120, 4");
  assertEquals(walk("4<3@30", 9, ...others), "1, 2, 3 to 4120, 4");
  assertEquals(walk("4<3@30", 10, ...others), "2, 3 to 4120, 4");
  assertEquals(walk("4<3@30", 25, ...others), "3 to 4120, 4");
  assertEquals(walk("4<3@30", 30, ...others), "4");
  assertEquals(walk("4<3@30", 35, ...others), "4");
});

test("what was cut off, or was never made a predecessor, is passed over, whatever its id and base are", () => {
  assertEquals(walk("6<2@15", 1, "5<4@40", "4<3@30", "3<2@20", "2<1@10", "1<0@1"), "1, 2 to 4112, 6");
  assertEquals(walk("3<1@5", 1, "2<1@5", "1<0@1"), "1 to 4104, 3");
});

test("ids need not follow each other: those that were tried and burnt are left out", () => {
  assertEquals(walk("900<17@30", 1, "17<4@10", "4<0@1"), "4, 17 to 4232, 900");
});

test("a segment without a predecessor ends the walk, also where the head lies lower", () => {
  assertEquals(walk("4<0@30", 1), "4");
  assertEquals(walk("5<4@40", 1, "4<0@30"), "4 to 4128, 5");
});

test("a segment that holds no entry, but only control frames, is on the chain like any other", () => {
  assertEquals(walk("3<2@10", 1, "2<1@10", "1<0@1"), "1, 2 to 4112, 3");
});

test("a predecessor that is not there is missed by the one who names it, even if others bear the LSNs", () => {
  assertEquals(walk("4<3@30", 1, "2<1@10", "1<0@1"), `${segmentName(4, 3, 30)} misses 3`);
  assertEquals(walk("4<3@30", 1, "3<2@20", "1<0@1"), `${segmentName(3, 2, 20)} misses 2`);
  assertEquals(walk("4<3@30", 25, "3<2@20"), "3 to 4120, 4"); // below the head nothing is missed
});

test("a predecessor whose base lies above its successor's is not the one that was meant", () => {
  assertEquals(walk("4<3@30", 1, "3<2@31", "2<1@10", "1<0@1"), `${segmentName(4, 3, 30)} misses 3`);
});

test("a new segment comes to the end, and the one before it gets the end that the new one states", () => {
  const chain = new Chain();
  assertEquals(chain.last, undefined);
  for (const told of ["1<0@1", "2<1@10", "3<2@20"]) chain.push(headerOf(told));
  assertEquals(chain.links.map(({ id, endOffset }) => [id, endOffset]), [[1, 4104], [2, 4112], [3, null]]);
  assertEquals(chain.last, linkTo(headerOf("3<2@20")));
});

test("a segment that never got a frame is no link any more once the next one names its predecessor", () => {
  const chain = new Chain();
  for (const told of ["1<0@1", "2<1@10", "3<1@10"]) chain.push(headerOf(told));
  assertEquals(chain.links.map(({ id, endOffset }) => [id, endOffset]), [[1, 4104], [3, null]]);
  chain.push(headerOf("4<0@1"));
  assertEquals(chain.links.map(({ id }) => id), [4]);
});

test("the walk down and the segments that were made agree on the chain", () => {
  const told = ["1<0@1", "2<1@10", "3<1@10", "5<3@20", "6<5@33"];
  const chain = new Chain();
  for (const each of told) chain.push(headerOf(each));
  const walked = walkDown(told.map(nameOf), headerOf("6<5@33"), 1);
  assert("links" in walked);
  assertEquals(walked.links.map(({ name }) => name), chain.links.map(({ name }) => name));
});

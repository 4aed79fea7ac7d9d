// Where a reader may begin: few places however long the segment, and never one behind what is asked for.

import { test } from "node:test";
import { assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { type IndexPoint, MAX_INDEX_POINTS } from "../src/format.ts";
import { Random } from "../src/runtime/random.ts";
import { pointAtOrBefore, SparseIndex } from "../src/sparse_index.ts";

const spacingBytes = 64 * 1024;

test("a segment of many frames has few points, its first frame among them, and no two close together", () => {
  const index = new SparseIndex();
  for (let nth = 0; nth < 200; nth++) index.add(1 + nth, 4096 + nth * 1024, 1000 + nth);
  assertEquals(
    index.points,
    [0, 64, 128, 192].map((nth) => ({ lsn: 1 + nth, offset: 4096 + nth * 1024, time: 1000 + nth })),
  );
});

test("however long the segment grows, there are never too many points, and they cover it evenly to its end", () => {
  const index = new SparseIndex();
  const random = new Random(3);
  let offset = 4096;
  for (let lsn = 1; lsn <= 20_000; lsn++) {
    index.add(lsn, offset, lsn);
    const { points } = index;
    assertLessOrEqual(points.length, MAX_INDEX_POINTS);
    assertEquals(points[0]?.offset, 4096);
    offset += random.integer(1, 8) * 8192;
  }
  const { points } = index;
  assertGreaterOrEqual(points.length, MAX_INDEX_POINTS / 2);
  const gaps = points.slice(1).map((point, nth) => point.offset - (points[nth]?.offset ?? 0));
  const widest = Math.max(...gaps, offset - (points.at(-1)?.offset ?? 0));
  assertGreaterOrEqual(Math.min(...gaps), spacingBytes);
  assertLessOrEqual(widest, 4 * ((offset - 4096) / points.length));
});

test("frames larger than the spacing each have a point", () => {
  const index = new SparseIndex();
  for (let nth = 0; nth < MAX_INDEX_POINTS; nth++) index.add(nth + 1, nth * 2 * spacingBytes, 0);
  assertEquals(index.points.length, MAX_INDEX_POINTS);
});

test("the place to begin is the last one that is not behind what is asked for", () => {
  const random = new Random(4);
  for (let size = 0; size < 20; size++) {
    let lsn = 0;
    const points: IndexPoint[] = Array.from({ length: size }, () => {
      lsn += random.integer(1, 3);
      return { lsn, offset: lsn * 8, time: 0 };
    });
    for (let asked = 0; asked <= lsn + 2; asked++) {
      const expected = points.filter((point) => point.lsn <= asked).at(-1) ?? null;
      assertEquals(pointAtOrBefore(points, asked), expected, `${asked} in ${points.map((point) => point.lsn).join()}`);
    }
  }
  assertGreater(pointAtOrBefore([{ lsn: 1, offset: 8, time: 0 }], Number.MAX_SAFE_INTEGER)?.offset ?? 0, 0);
});

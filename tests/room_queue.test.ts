// First come, first served: nobody passes one who waits for more room, and nobody is forgotten.

import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { RoomQueue } from "../src/room_queue.ts";

/** A queue before a room of some size, and what became of those in line. */
class Line {
  readonly queue: RoomQueue = new RoomQueue();
  readonly settled: string[] = [];
  room = 0;
  #lsn = 0;

  join(name: string, size: number): void {
    const attempt = (): number => {
      if (Number.isNaN(size)) throw new Error("is no entry");
      if (size > this.room) return 0;
      this.room -= size;
      return ++this.#lsn;
    };
    this.queue.join(attempt).then(
      (lsn) => this.settled.push(`${name} is ${lsn}`),
      (error: Error) => this.settled.push(`${name} ${error.message}`),
    );
  }

  async serve(room: number): Promise<string[]> {
    this.room += room;
    this.queue.serve();
    return await this.news();
  }

  async news(): Promise<string[]> {
    for (let i = 0; i < 5; i++) await null;
    return this.settled.splice(0);
  }
}

test("those who fit are let in in their order, and a small one does not pass a large one that waits", async () => {
  const line = new Line();
  for (const [name, size] of [["a", 1], ["b", 1], ["large", 5], ["small", 1]] as const) line.join(name, size);
  assertEquals(await line.serve(4), ["a is 1", "b is 2"]);
  assertEquals(line.room, 2);
  assertEquals(await line.serve(2), []);
  assertEquals(await line.serve(2), ["large is 3", "small is 4"]);
  assert(line.queue.isEmpty);
});

test("one whose entry is none is turned away when it is his turn, and those behind him are not held up", async () => {
  const line = new Line();
  line.join("a", 1);
  line.join("bad", NaN);
  line.join("b", 1);
  assertEquals(await line.serve(1), ["a is 1", "bad is no entry"]);
  assert(!line.queue.isEmpty);
  assertEquals(await line.serve(1), ["b is 2"]);
});

test("when the log fails everyone in line is told the one reason, in order, and nobody is let in after that", async () => {
  const line = new Line();
  line.join("a", 1);
  line.join("b", 1);
  line.queue.reject(new Error("failed"));
  assertEquals(await line.news(), ["a failed", "b failed"]);
  assertEquals(await line.serve(10), []);
  assertEquals([line.room, line.queue.isEmpty], [10, true]);
});

test("one who joins while others are let in comes behind them, and is not lost", async () => {
  const line = new Line();
  line.queue.join(() => {
    line.join("late", 1);
    return 99;
  });
  line.join("next", 1);
  assertEquals(await line.serve(1), ["next is 1"]);
  assertEquals(await line.serve(1), ["late is 2"]);
});

test("one who was let in and gives up a moment later is out of the line once, and not twice", async () => {
  const line = new Line();
  const control = new AbortController();
  const turn = line.queue.join(() => 1, control.signal);
  line.queue.serve();
  control.abort(new Error("too late"));
  assertEquals(await turn, 1);
  line.join("next", 1);
  assert(!line.queue.isEmpty);
  assertEquals(await line.serve(1), ["next is 1"]);
});

test("who is turned away in his own turn, and gets in all the same, is told that he is in; who does not, why", async () => {
  const queue = new RoomQueue();
  const closed = new Error("closed");
  const turnsAllAway = (lsn: number) => (): number => {
    queue.reject(closed);
    return lsn;
  };
  const accepted = queue.join(turnsAllAway(7));
  const behind = queue.join(() => 8).catch((error: unknown) => error);
  queue.serve();
  assertEquals([await accepted, await behind], [7, closed]);
  const refused = queue.join(turnsAllAway(0)).catch((error: unknown) => error);
  queue.serve();
  assertEquals([await refused, queue.isEmpty], [closed, true]);
});

// What a listener is told, and what becomes of one that throws.

import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { reporter, type WalEvent } from "../src/event.ts";

const room = { type: "disk-has-room", level: "info" } as const;
const spare = (reason: string) => ({ type: "spare-dropped", level: "warning", reason }) as const;

test("events are handed over at once, in their order, each with the time it happened", () => {
  const events: WalEvent[] = [];
  let now = 100;
  const report = reporter((event) => events.push(event), () => now);
  report(room);
  now = 90; // the clock was set back
  report(spare("EIO"));
  assertEquals(events, [{ ...room, time: 100 }, { ...spare("EIO"), time: 90 }]);
});

test("where nobody listens nothing happens, and the clock is not even asked", () => {
  let asked = 0;
  const report = reporter(undefined, () => ++asked);
  report(room);
  assertEquals(asked, 0);
});

test("a listener that throws harms nobody, is told so once, and goes on hearing", () => {
  const heard: string[] = [];
  const report = reporter((event) => {
    heard.push(event.type === "listener-threw" ? `${event.level}: ${event.reason}` : event.type);
    if (event.type !== "listener-threw") throw new TypeError("oops");
  }, () => 1);
  report(room);
  report(spare(""));
  report(room);
  assertEquals(heard, ["disk-has-room", "warning: TypeError: oops", "spare-dropped", "disk-has-room"]);
});

test("a listener that throws at everything, be it what no text can be made of, harms nobody either", () => {
  const everything: unknown[] = [new Error("always"), null, Symbol("s"), Object.create(null)];
  for (const thrown of everything) {
    let calls = 0;
    const report = reporter(() => {
      calls++;
      throw thrown;
    }, () => 1);
    report(room);
    report(room);
    assertEquals(calls, 3);
  }
});

// Bytes to lines: whatever the chunks are, the lines are the same.

import { test } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { splitLines, type SplitLinesOptions, WalInputError, WalLimitError, WalOptionsError } from "../mod.ts";
import { Random } from "../src/runtime/random.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The lines of each chunk that comes out. */
async function split(chunks: readonly unknown[], options?: SplitLinesOptions): Promise<string[][]> {
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
      controller.close();
    },
  });
  const found: string[][] = [];
  const reader = source.pipeThrough(splitLines(options)).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    found.push(next.value.map((line) => new TextDecoder().decode(line)));
  }
  return found;
}

test("a chunk gives the lines that end in it, and the rest waits for the next one", async () => {
  assertEquals(await split([bytes("one\ntwo\nth"), bytes("ree"), bytes("\nfour")]), [["one", "two"], ["three"], [
    "four",
  ]]);
});

test("both kinds of line ends go, also where a chunk ends between the two characters", async () => {
  assertEquals(await split([bytes("a\r\nb\r"), bytes("\nc\r")]), [["a"], ["b"], ["c"]]);
  assertEquals(await split([bytes("a\rb\n")]), [["a\rb"]]);
});

test("an empty line is a line of no bytes, and a stream that ends in a line end has none after it", async () => {
  assertEquals(await split([bytes("\n\na\n\n")]), [["", "", "a", ""]]);
  assertEquals(await split([]), []);
  assertEquals(await split([bytes("")]), []);
});

test("however text is cut into chunks, its lines are the same", async () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const lines = Array.from({ length: random.integer(1, 8) }, () => "zeile €".repeat(random.integer(0, 3)));
    const whole = bytes(lines.join("\n") + "\n");
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < whole.length;) {
      const end = at + random.integer(0, 9);
      chunks.push(whole.subarray(at, end));
      at = end;
    }
    assertEquals((await split(chunks)).flat(), lines);
  }
});

test("a line that never ends is refused before it fills the memory", async () => {
  assertEquals(await split([bytes("12345\n12345")], { maxLineBytes: 5 }), [["12345"], ["12345"]]);
  for (const chunks of [["123456\n"], ["123", "456"], ["123456"]]) {
    const error = await assertRejects(
      () => split(chunks.map(bytes), { maxLineBytes: 5 }),
      WalLimitError,
      "maxLineBytes",
    );
    assertEquals([error.limit, error.value, error.most], ["maxLineBytes", 6, 5]);
  }
});

test("a line of just the limit goes through whatever its line end, also where a chunk ends inside of that", async () => {
  const options = { maxLineBytes: 5 };
  assertEquals(await split([bytes("aaaaa\r\nbbbbb\r"), bytes("\nccccc\r")], options), [["aaaaa"], ["bbbbb"], [
    "ccccc",
  ]]);
  for (const chunks of [["aaaaaa\r\n"], ["aaaaa\r\r\n"], ["aaaaa\r", "\r\n"], ["aaaaa\r", "a\r\n"], ["aaaaa\rb"]]) {
    await assertRejects(() => split(chunks.map(bytes), options), WalLimitError, "maxLineBytes");
  }
});

test("what is not bytes is refused, and so is a limit that is none", async () => {
  await assertRejects(() => split(["text\n"]), WalInputError, "TextEncoderStream");
  for (const maxLineBytes of [0, 1.5, NaN, "5"]) {
    assertThrows(() => splitLines({ maxLineBytes: maxLineBytes as number }), WalOptionsError, "maxLineBytes");
  }
});

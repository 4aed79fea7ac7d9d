// The programs of the README, each run as it stands there: killed, flooded, left alone in mid-line and told to stop, and after
// all that they have kept what they promised.

import { assert, assertEquals, assertGreater, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Entry, Wal } from "../mod.ts";
import { readAll } from "./support/log_contents.ts";
import { Client, readBack } from "./support/program_client.ts";
import { denoImports, ProgramFolder, readPrograms } from "./support/programs.ts";
import { currentRuntime, Program } from "./support/processes.ts";
import { within } from "./support/deadline.ts";
import { inSandbox } from "./support/sandbox.ts";

const MIB = 1024 * 1024;

const notDeno: string | false = currentRuntime === "deno"
  ? false
  : "Node compiles them for each test, Bun checks no types";
const noProc: string | false = process.platform === "linux" ? false : "only Linux tells how much another process holds";

test("the page has the three programs, each short enough to be read there", async () => {
  const programs = await readPrograms();
  assertEquals([...programs.keys()], ["store.ts", "server.ts", "follower.ts"]);
  for (const [name, code] of programs) assertLess(code.split("\n").length, 64, name);
});

test("the programs are sound TypeScript for Deno too", { skip: notDeno }, () =>
  inSandbox(async (sandbox) => {
    const { directory } = await ProgramFolder.make(sandbox);
    const paths = [...(await readPrograms()).keys()].map((name) => join(directory, name));
    const line = ["check", "--quiet", ...denoImports, ...paths];
    const { code, errors } = await new Program(process.execPath, line, { NO_COLOR: "1" }).ended;
    assertEquals([code, errors], [0, ""]);
  }));

// -- store.ts

/** What a line of the store's protocol writes into its log. */
function changeOf(line: string): string {
  const [verb, key, value] = line.split(" ");
  return JSON.stringify(verb === "set" ? { key, value } : { key });
}

/** Sends lines as fast as it can, and kills the store in the midst of them; resolves to those sent and those answered. */
async function sendAndKill(store: Program, life: number): Promise<{ sent: string[]; answers: Map<number, string> }> {
  const answers = new Map<number, string>();
  const sent: string[] = [];
  for (let nth = 0; answers.size < 300; nth++) {
    const line = nth % 7 === 3 ? `delete key${nth % 50}` : `set key${nth % 50} value${life}.${nth}`;
    sent.push(line);
    store.ask(line).then((answer) => answers.set(Number(/^ok (\d+)$/.exec(answer)?.[1]), line), () => {});
    if (nth % 100 === 0) await sleep(1);
  }
  await store.kill();
  return { sent, answers };
}

async function readDirectory(directory: string): Promise<Entry[]> {
  const wal = await Wal.open(directory);
  const entries = await readAll(wal);
  await wal.close();
  return entries;
}

/** What the store must know, by the log alone. */
function valuesOf(entries: readonly Entry[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { key, value } of entries.map((entry) => entry.json<{ key: string; value?: string }>())) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
  return values;
}

test("a store killed in the midst of sets has each that it answered, and nothing that was never sent", () =>
  inSandbox(async (sandbox) => {
    const folder = await ProgramFolder.make(sandbox);
    const directory = join(sandbox, "store");
    let entries: Entry[] = [];
    for (let life = 1; life <= 3; life++) {
      const store = folder.start("store", [directory]);
      try {
        const values = valuesOf(entries);
        const keys = [...Array(50).keys()].map((nth) => `key${nth}`);
        const found = await within(30, "the values", Promise.all(keys.map((key) => store.ask(`get ${key}`))));
        assertEquals(found, keys.map((key) => values.get(key) ?? "(none)"), `life ${life}`);
        const { sent, answers } = await within(60, "the answers", sendAndKill(store, life));
        entries = await readDirectory(directory);
        // The first line is answered first. What lies before may have been written once more when the store was started.
        const firstLsn = Math.min(...answers.keys());
        assertEquals(valuesOf(entries.filter(({ lsn }) => lsn < firstLsn)), values);
        const added = entries.filter(({ lsn }) => lsn >= firstLsn);
        const texts = added.map((entry) => entry.text());
        assertEquals(texts, sent.slice(0, added.length).map(changeOf), "what is there was sent, in this order");
        for (const [lsn, line] of answers) assertEquals(texts[lsn - firstLsn], changeOf(line), `LSN ${lsn}`);
      } finally {
        await store.kill();
      }
    }
  }));

test("a store with a long history writes what is left of it, cuts off the rest, and knows the same", () =>
  inSandbox(async (sandbox) => {
    const folder = await ProgramFolder.make(sandbox);
    const directory = join(sandbox, "store");
    const tell = async (lines: readonly string[]): Promise<string[]> => {
      const store = folder.start("store", [directory]);
      try {
        const answers = await within(60, "the answers", Promise.all(lines.map((line) => store.ask(line))));
        const { code, errors } = await within(30, "the end", store.finish());
        assertEquals([code, errors], [0, ""]);
        return answers;
      } finally {
        await store.kill();
      }
    };
    const sets = Array.from({ length: 3000 }, (_, nth) => `set key${nth % 5} the value ${nth}`);
    const gets = ["get key0", "get key1", "get key2", "get key3", "get key4"];
    const expected = ["(none)", "the value 2996", "the value 2997", "the value 2998", "the value 2999"];
    assertEquals((await tell([...sets, "delete key0", ...gets])).slice(-5), expected);
    assertEquals(await tell(gets), expected);
    assertEquals((await readDirectory(directory)).map((entry) => entry.lsn), [3002, 3003, 3004, 3005]);
    const mistakes = ["mistake", "get", "get key0 extra", "delete key0 extra", "set key0"];
    assertEquals(await tell([...gets, "set key0 1", "get key0", ...mistakes]), [
      ...expected,
      "ok 3006",
      "1",
      ...mistakes.map(() => "there are set, get and delete"),
    ]);
  }));

// -- server.ts

/** A server, and what happens to it. Afterwards it must serve others, stop when it is told to, and have a log in order. */
async function withServer(body: (port: number, server: Program) => Promise<void>, preload?: string): Promise<void> {
  await inSandbox(async (sandbox) => {
    const directory = join(sandbox, "server");
    const server = (await ProgramFolder.make(sandbox)).start("server", [directory], preload);
    try {
      const port = Number(await within(30, "its port", server.nextLine()));
      await body(port, server);
      await assertServes(port);
      const last = (await stop(server, directory)).at(-1);
      assertEquals(last?.text(), '"another"');
    } finally {
      await server.kill();
    }
  });
}

/** Another client is answered, whatever the first one does. */
async function assertServes(port: number): Promise<void> {
  const another = new Client(port);
  another.send('"another"\n');
  await another.answered(1);
  another.end();
  await another.closed();
  const [lsn = 0] = another.lsns;
  assertEquals(await within(30, "what was written", readBack(port, lsn)), [{ lsn, value: "another" }]);
}

/** It ends well, and so has its log. */
async function stop(server: Program, directory: string): Promise<Entry[]> {
  process.kill(server.pid, "SIGTERM");
  const { code, signal, errors } = await within(30, "its end", server.ended);
  assertEquals([code, signal, errors], [0, null, ""]);
  const wal = await Wal.open(directory);
  assertEquals(wal.recovery.end, "clean");
  const entries = await readAll(wal);
  await wal.close();
  entries.forEach((entry, nth) => assertEquals(entry.lsn, nth + 1));
  return entries;
}

test("the server answers each line once it is durable, while the next is still to come", () =>
  withServer(async (port) => {
    const client = new Client(port);
    client.send('{"n":1}\n{"n":2}\n{"n"');
    await client.answered(2);
    client.send(":3}\n");
    await client.answered(3);
    client.send('{"n":4}');
    client.end();
    await client.closed();
    assertEquals(client.lsns, [1, 2, 3, 4]);
    const values = [1, 2, 3, 4].map((n) => ({ lsn: n, value: { n } }));
    assertEquals(await readBack(port), values);
    assertEquals(await readBack(port, 3), values.slice(2));
    const beyond = await (await fetch(`http://127.0.0.1:${port}/?from=99`)).text();
    assertStringIncludes(beyond, "cannot read from LSN 99");
  }));

/** What a connection to this address comes to. */
function reach(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      resolve("reached");
      socket.destroy();
    });
    socket.on("error", () => resolve("refused"));
  });
}

test("the server is there for this machine alone: its other addresses are refused", () =>
  withServer(async (port) => {
    assertEquals(await reach("127.0.0.1", port), "reached");
    const others = process.platform === "linux" ? ["::1", "127.0.0.2"] : ["::1"]; // all that begin with 127 are there
    for (const host of others) assertEquals(await reach(host, port), "refused", host);
  }));

test("POST appends and GET reads, with no body and no from too; any other method is refused", () =>
  withServer(async (port) => {
    const ask = (method: string, path = "/", body: string | null = null): Promise<Response> =>
      within(30, method, fetch(`http://127.0.0.1:${port}${path}`, { method, body }));
    const type = "application/x-ndjson";
    for (const [body, said] of [["5\n", '{"lsn":1}\n'], ["", ""], [null, ""]] as const) {
      const answer = await ask("POST", "/", body);
      assertEquals([answer.status, answer.headers.get("content-type"), await answer.text()], [200, type, said]);
    }
    for (const path of ["/", "/?from=", "/?from=1"]) {
      const answer = await ask("GET", path);
      const told = [answer.status, answer.headers.get("content-type"), await answer.text()];
      assertEquals(told, [200, type, '{"lsn":1,"value":5}\n'], path);
    }
    for (const method of ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const bodies = method === "HEAD" ? [null] : [null, "6\n", "6\n".repeat(1_000_000)];
      for (const body of bodies) {
        const answer = await ask(method, "/", body);
        assertEquals([answer.status, await answer.text()], [405, ""], method);
      }
    }
    assertEquals((await readBack(port)).length, 1, "what was refused appends nothing");
  }));

/** Bun looks at its clock every 4 s. */
const longPauseMs = currentRuntime === "bun" ? 6000 : 2000;

test("a client that pauses for long, and one that sends much, is not cut off by limits of the runtime", () =>
  withServer(async (port) => {
    const client = new Client(port);
    client.send('"before"\n');
    await client.answered(1);
    await sleep(longPauseMs);
    const line = `"${"x".repeat(1021)}"\n`;
    for (let sent = 0; sent < 32; sent++) client.send(line.repeat(64));
    client.end();
    await client.closed();
    assertEquals([client.lsns.length, client.error], [1 + 32 * 64, ""]);
  }, "impatient"));

test("a client that hangs holds up nobody else", () =>
  withServer(async (port) => {
    const clients = Array.from({ length: 20 }, () => new Client(port));
    for (const client of clients) client.send('"whole"\n"hal');
    for (const client of clients) await client.answered(1);
    await assertServes(port);
    assertEquals((await readBack(port)).length, 21);
    for (const client of clients) client.leave("resets");
  }));

for (const how of ["ends", "resets"] as const) {
  test(`of a client that goes away in mid-line (it ${how}) the whole lines stay, and the half one is none`, () =>
    withServer(async (port) => {
      const client = new Client(port);
      client.send('"one"\n"two"\n3');
      await client.answered(2);
      client.leave(how);
      if (how === "ends") await client.closed();
      await sleep(200);
      assertEquals((await readBack(port)).map(({ value }) => value), ["one", "two"]);
    }));
}

const mistakes = {
  "longer than the limit": {
    text: "1".repeat(2 * MIB),
    error: /WalLimitError: a line is longer than maxLineBytes, 1048576/,
  },
  "that is no JSON": { text: "{]\n", error: /SyntaxError/ },
};
for (const [what, { text, error }] of Object.entries(mistakes)) {
  test(`a line ${what} is answered with an error, and the server hangs up`, () =>
    withServer(async (port) => {
      const client = new Client(port);
      client.send('"fine"\n');
      await client.answered(1);
      client.send(text);
      await client.refused();
      assertMatch(client.error, error);
      assertEquals(client.lsns, [1]);
    }));
}

function residentBytes(program: Program): number {
  const [, kib = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** How much more than before a program holds at the most. */
class MemoryWatch {
  readonly #program: Program;
  readonly #beforeBytes: number;
  mostBytes = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#beforeBytes = residentBytes(program);
  }

  look = (): void => {
    this.mostBytes = Math.max(this.mostBytes, residentBytes(this.#program) - this.#beforeBytes);
  };
}

/** About twice of what was measured at the most: the bound is the log's, and garbage that the runtime has not collected. */
const MOST_GROWTH_BYTES = 600 * MIB;

test(
  "a flood of 100 MB, whose answers are read slowly, goes through a bounded memory",
  { skip: noProc },
  () =>
    withServer(async (port, server) => {
      const watch = new MemoryWatch(server);
      const client = new Client(port, "slowly");
      const line = `"${"x".repeat(1021)}"\n`;
      const sentBytes = await client.flood(line, 100 * MIB, 60_000, watch.look);
      assertEquals(sentBytes, 100 * MIB);
      client.end();
      await client.closed();
      watch.look();
      assertEquals(client.lsns, Array.from({ length: sentBytes / line.length }, (_, nth) => nth + 1));
      assertLess(watch.mostBytes, MOST_GROWTH_BYTES);
    }),
);

test("a client that floods and reads no answer is not read from in the end, and the memory is bounded", {
  skip: noProc,
}, () =>
  withServer(async (port, server) => {
    const watch = new MemoryWatch(server);
    const client = new Client(port, "never");
    const sentBytes = await client.flood('"13 characters"\n', 100 * MIB, 2000, watch.look);
    assert(client.isHeldUp, "there is an end to what the server takes");
    assertLess(sentBytes, 80 * MIB);
    assertLess(watch.mostBytes, MOST_GROWTH_BYTES);
    await assertServes(port);
    client.leave("resets");
  }));

test("a server that is told to stop in the midst of it ends well, and every answer was true", () =>
  inSandbox(async (sandbox) => {
    const directory = join(sandbox, "server");
    const server = (await ProgramFolder.make(sandbox)).start("server", [directory]);
    try {
      const port = Number(await within(30, "its port", server.nextLine()));
      const clients = [0, 1, 2].map(() => new Client(port));
      let sent = 0;
      const timer = setInterval(
        () => clients.forEach((client, nth) => client.send(`"${nth}:${sent++}"\n`.repeat(10))),
        1,
      );
      await Promise.all(clients.map((client) => client.answered(200)));
      const entries = await stop(server, directory).finally(() => clearInterval(timer));
      for (const [nth, client] of clients.entries()) {
        await client.closed();
        assertGreater(client.lsns.length, 199);
        for (const lsn of client.lsns) assertMatch(entries[lsn - 1]?.text() ?? "", new RegExp(`^"${nth}:\\d+"$`));
      }
    } finally {
      await server.kill();
    }
  }));

// -- follower.ts

/** Follows until so many entries are handled in this life, is killed, and resolves to their LSNs. */
async function followAndKill(follower: Program, isEnough: (lsn: number) => boolean): Promise<number[]> {
  const lsns: number[] = [];
  try {
    do {
      const line = await within(30, "the next entry", follower.nextLine());
      const [, lsn] = /^(\d+) entry \1$/.exec(line) ?? [];
      assert(lsn !== undefined, `it handled ${line}`);
      lsns.push(Number(lsn));
    } while (!isEnough(lsns.at(-1) ?? 0));
  } finally {
    await follower.kill();
  }
  const { output } = await follower.ended;
  // What it handled after that, but for a line that was cut in two.
  const rest = output.split("\n").slice(lsns.length).filter((line) => /^(\d+) entry \1$/.test(line));
  return [...lsns, ...rest.map((line) => parseInt(line))];
}

test("a follower that is killed twice has handled each entry at least once, in order and with no gap", () =>
  inSandbox(async (sandbox) => {
    const folder = await ProgramFolder.make(sandbox);
    const directories = [join(sandbox, "wal"), join(sandbox, "position")];
    const follower = (): Program => folder.start("follower", directories, "said_at_once");
    const wal = await Wal.open(directories[0] ?? "", { segmentBytes: 64 * 1024 });
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        for (let nth = 0; nth < 20; nth++) wal.append(`entry ${wal.lastLsn + 1}`);
        await wal.flush();
        await sleep(2);
      }
    })();
    try {
      const lives: number[][] = [];
      for (let life = 1; life <= 2; life++) {
        const enoughLsn = wal.lastLsn + 1500;
        lives.push(await followAndKill(follower(), (lsn) => lsn >= enoughLsn));
      }
      isWriting = false;
      await writing;
      lives.push(await followAndKill(follower(), (lsn) => lsn === wal.lastLsn));
      let handledLsn = 0;
      for (const [life, lsns] of lives.entries()) {
        const [firstLsn = 0] = lsns;
        assertLess(firstLsn, handledLsn + 2, `life ${life + 1} leaves no gap`);
        assertGreater(firstLsn, handledLsn - 1000, `life ${life + 1} does not begin anew`);
        assertEquals(lsns, lsns.map((_, nth) => firstLsn + nth), "in order");
        handledLsn = lsns.at(-1) ?? 0;
      }
      assertEquals(handledLsn, wal.lastLsn);
    } finally {
      isWriting = false;
      await writing;
      await wal.close();
    }
  }));

// One story about an end, told as the argument. Whatever is still waiting when it is over must not keep the process: nobody
// calls exit here.

import process from "node:process";
import { Wal } from "../../mod.ts";

process.on("unhandledRejection", (error) => {
  console.log("unhandled", error);
  process.exitCode = 3;
});

/** What a promise comes to, in a word. */
function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => "resolved", (error: unknown) => error instanceof Error ? error.name : "rejected");
}

const stories: Record<string, (directory: string) => Promise<unknown>> = {
  "a reader is cancelled": async (directory) => {
    const wal = await Wal.open(directory);
    await wal.commit("a");
    const reader = wal.readable({ follow: true }).getReader();
    await reader.read();
    const waiting = outcome(reader.read());
    await reader.cancel();
    await wal.close();
    return await waiting;
  },
  "a reader is left alone": async (directory) => {
    const wal = await Wal.open(directory);
    await wal.commit("a");
    const reader = wal.readable({ follow: true }).getReader();
    await reader.read();
    void reader.read();
    return await outcome(wal.close());
  },
  "a log is left open": async (directory) => {
    const wal = await Wal.open(directory);
    wal.append("a");
    void wal.readable({ follow: true }).getReader().read();
    void wal.writable().getWriter().write("b");
    return await outcome(wal.flush());
  },
  "a writer is aborted": async (directory) => {
    const wal = await Wal.open(directory, { maxBufferedBytes: 100 });
    const writer = wal.writable().getWriter();
    const writes = [1, 2, 3].map(() => outcome(writer.write("x".repeat(1000))));
    await outcome(writer.abort(new Error("enough")));
    await Promise.all(writes);
    return await outcome(wal.close());
  },
  "a signal ends everything": async (directory) => {
    const wal = await Wal.open(directory);
    const control = new AbortController();
    const { signal } = control;
    const ends = [
      outcome(wal.readable({ follow: true, signal }).getReader().read()),
      outcome(Wal.read(directory, { follow: true, signal }).getReader().read()),
      outcome(new ReadableStream<string>().pipeTo(wal.writable(), { signal })),
    ];
    setTimeout(() => control.abort(), 20);
    await Promise.all(ends);
    return await outcome(wal.close());
  },
  "the source has an error": async (directory) => {
    const wal = await Wal.open(directory);
    const source = new ReadableStream<string>({
      start: (controller) => controller.enqueue("a"),
      pull: () => Promise.reject(new Error("dry")),
    });
    const piped = outcome(source.pipeThrough(wal.acknowledge()).pipeTo(new WritableStream()));
    await piped;
    return await outcome(wal.close());
  },
  "a thousand commits wait when the log is closed, twice": async (directory) => {
    const wal = await Wal.open(directory, { maxBufferedBytes: 1000 });
    const commits = Array.from({ length: 1000 }, (_, nth) => outcome(wal.commit(`entry ${nth}`.repeat(10))));
    const closed = [outcome(wal.close()), outcome(wal.close())];
    const words = await Promise.all([...commits, ...closed]);
    return [...new Set(words)].sort().join();
  },
  "nobody reads what comes out": async (directory) => {
    const wal = await Wal.open(directory);
    const { writable, readable } = wal.acknowledge();
    const writer = writable.getWriter();
    void outcome(writer.closed);
    for (let nth = 0; nth < 20; nth++) void outcome(writer.write(Array.from({ length: 1000 }, () => "x")));
    const reader = readable.getReader();
    await reader.read();
    return await outcome(wal.close());
  },
  "a follower commits what it sees": async (directory) => {
    const wal = await Wal.open(directory);
    await wal.commit("0");
    let count = 0;
    for await (const entry of wal.readable({ follow: true })) {
      if (++count === 20) break;
      await wal.commit(String(Number(entry.text()) + 1));
    }
    return await outcome(wal.close());
  },
};

const [story = "", directory = ""] = process.argv.slice(2);
const tell = stories[story];
if (tell === undefined) throw new Error(`there is no story ${story}`);
console.log(await tell(directory));

/**
 * A client of a server of NDJSON that behaves as badly as it is told to: HTTP by hand, on a socket.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { within } from "./deadline.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
const ANSWER_SECONDS = 60;
/** Shorter than Node, Deno or Bun bear with a connection on which nothing happens. */
const HANG_UP_SECONDS = 4;
const SLOW_MS = 10;

/** How a client takes what the server says. */
export type Reading = "at once" | "slowly" | "never";

/** One POST that has begun. */
export class Client {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #text = "";

  constructor(port: number, reading: Reading = "at once") {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("error", () => {}); // a server may well hang up on it
    this.#closed = new Promise((resolve) => this.#socket.on("close", () => resolve()));
    this.#socket.setEncoding("utf8");
    if (reading === "never") this.#socket.pause();
    else {
      this.#socket.on("data", (text: string) => {
        this.#text += text;
        if (reading === "at once") return;
        this.#socket.pause();
        setTimeout(() => this.#socket.resume(), SLOW_MS);
      });
    }
    this.#socket.write(HEAD);
  }

  /** What the server has said, with the frame that HTTP puts around it. */
  get text(): string {
    return this.#text;
  }

  /** The LSNs that it has answered. */
  get lsns(): number[] {
    return [...this.#text.matchAll(/\{"lsn":(\d+)\}/g)].map(([, lsn]) => Number(lsn));
  }

  /** What it has said of an error, or "". */
  get error(): string {
    return /\{"error":"(.*)"\}/.exec(this.#text)?.[1] ?? "";
  }

  /** Whether what was sent has not all gone out. */
  get isHeldUp(): boolean {
    return this.#socket.writableLength > 0;
  }

  send(text: string): void {
    this.#socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  }

  /** Sends as fast as it is taken, until so much is, or nothing more for a while; resolves to how much was. */
  async flood(line: string, mostBytes: number, patienceMs: number, watch: () => void): Promise<number> {
    const text = line.repeat(Math.ceil(64 * 1024 / line.length));
    let sentBytes = 0;
    for (let idleMs = 0; sentBytes < mostBytes && idleMs < patienceMs && !this.#socket.destroyed;) {
      idleMs = this.isHeldUp ? idleMs + 2 : 0;
      if (this.isHeldUp) await sleep(2);
      else {
        this.send(text);
        sentBytes += text.length;
        await turn();
      }
      watch();
    }
    return sentBytes;
  }

  /** Says that there is no more to come. */
  end(): void {
    this.#socket.write("0\r\n\r\n");
  }

  /** Resolves when the server has hung up. */
  async closed(): Promise<void> {
    await within(ANSWER_SECONDS, `the end of the connection, after ${this.#text.slice(-300)}`, this.#closed);
  }

  /** Goes away in the midst of it, with a farewell or without one. */
  leave(how: "ends" | "resets"): void {
    if (how === "ends") this.#socket.end();
    else this.#socket.resetAndDestroy();
  }

  /** Resolves when so many lines are answered. */
  async answered(count: number): Promise<void> {
    await this.#until(() => this.lsns.length >= count, `${count} answers`);
  }

  /** Resolves when the server has told of an error and hung up by itself, before its patience with the idle is at an end. */
  async refused(): Promise<void> {
    await this.#until(() => this.error !== "", "an error");
    await within(HANG_UP_SECONDS, "the end of the connection", this.#closed);
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    const startedMs = Date.now();
    while (!isThere()) {
      if (Date.now() - startedMs > ANSWER_SECONDS * 1000) {
        throw new Error(`${what}: there is ${this.#text.slice(-300)}`);
      }
      await sleep(5);
    }
  }
}

/** The log as the server streams it back: a line each. */
export async function readBack(port: number, from = 1): Promise<{ lsn: number; value: unknown }[]> {
  const response = await fetch(`http://127.0.0.1:${port}/?from=${from}`);
  const lines = (await response.text()).split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

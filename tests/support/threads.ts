import { Worker as NodeWorker } from "node:worker_threads";
import { currentRuntime } from "./processes.ts";

/** How a thread is started: as Node does, which Deno and Bun do too, or by the `Worker` of the web, which Node has not. */
export type ThreadKind = "node" | "web";

export const threadKinds: readonly ThreadKind[] = currentRuntime === "node" ? ["node"] : ["node", "web"];

/** A thread that runs `tests/support/<name>` and answers each message by one. Whoever starts one ends it. */
export class Thread {
  readonly #post: (message: unknown) => void;
  readonly #terminate: () => unknown;
  readonly #answers: ((answer: unknown) => void)[] = [];
  readonly #failed: Promise<never>;

  constructor(kind: ThreadKind, name: string) {
    const ending = import.meta.url.endsWith(".js") ? "js" : "ts";
    const url = new URL(`./${name}.${ending}`, import.meta.url);
    const answered = (answer: unknown): void => this.#answers.shift()?.(answer);
    if (kind === "node") {
      const worker = new NodeWorker(url);
      worker.on("message", answered);
      this.#failed = new Promise((_, reject) => worker.on("error", reject));
      this.#post = (message) => worker.postMessage(message);
      this.#terminate = () => worker.terminate();
    } else {
      const worker = new Worker(url, { type: "module" });
      worker.addEventListener("message", ({ data }) => answered(data));
      this.#failed = new Promise((_, reject) => worker.addEventListener("error", ({ message }) => reject(message)));
      this.#post = (message) => worker.postMessage(message);
      this.#terminate = () => worker.terminate();
    }
    this.#failed.catch(() => {}); // whoever asks hears of it
  }

  /** Sends a message and resolves to the answer. */
  async ask<T>(message: unknown): Promise<T> {
    const answer = new Promise<unknown>((resolve) => this.#answers.push(resolve));
    this.#post(message);
    return await Promise.race([answer, this.#failed]) as T;
  }

  async end(): Promise<void> {
    await this.#terminate();
  }
}

import { Worker } from "node:worker_threads";

/** Runs `tests/support/<name>` in a thread to its end and resolves to the one message that it sends. */
export async function inThread(name: string, data: unknown): Promise<unknown> {
  const ending = import.meta.url.endsWith(".js") ? "js" : "ts";
  const worker = new Worker(new URL(`./${name}.${ending}`, import.meta.url), { workerData: data });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  } finally {
    await worker.terminate();
  }
}

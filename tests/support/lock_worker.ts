// Takes and gives back the lock of a directory in a thread of its own, by messages.

import { parentPort } from "node:worker_threads";
import { answerLockCommand, type LockRequest } from "./lock_commands.ts";

/** The part of a thread's port that both kinds of thread have, each with another type. */
interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

const answer = async (request: LockRequest, post: (message: unknown) => void): Promise<void> =>
  post(await answerLockCommand(request));

if (parentPort !== null) {
  const port = parentPort;
  port.on("message", (request: LockRequest) => void answer(request, (message) => port.postMessage(message)));
} else {
  const port = globalThis as unknown as Port;
  port.addEventListener(
    "message",
    ({ data }) => void answer(data as LockRequest, (message) => port.postMessage(message)),
  );
}

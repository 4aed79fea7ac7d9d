/**
 * Loaded before a program: its HTTP servers have what limits they have by default, but reach them in seconds and after a
 * mebibyte, where the program itself says nothing of them. Deno has none to shorten.
 */

import http, { type RequestListener, type ServerOptions } from "node:http";
import { syncBuiltinESMExports } from "node:module";

type Serve = (options: object) => unknown;

const { Bun } = globalThis as { Bun?: { serve: Serve } };
if (Bun !== undefined) {
  const { serve } = Bun;
  Object.assign(Bun, {
    serve: (options: object) => serve({ idleTimeout: 1, maxRequestBodySize: 1024 * 1024, ...options }),
  });
} else {
  const { createServer } = http;
  const impatient = (options: ServerOptions, listener?: RequestListener): http.Server =>
    createServer({ requestTimeout: 500, connectionsCheckingInterval: 100, ...options }, listener);
  const either = (first: ServerOptions | RequestListener, second?: RequestListener): http.Server =>
    typeof first === "function" ? impatient({}, first) : impatient(first, second);
  Object.assign(http, { createServer: either });
  syncBuiltinESMExports();
}

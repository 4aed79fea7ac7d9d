// Writes across the greatest size that the system lets a file of this process have, where each write comes back short.

import process from "node:process";
import { systemCode } from "../../src/errors.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";

const [directory = "", limit = "0"] = process.argv.slice(2);
const runtime = await detectRuntime();
const results: { code: string | undefined; sizeBytes: number }[] = [];
for (const kind of ["pool", "blocking"]) {
  const file = await runtime.open(runtime.join(directory, kind), "create");
  let code: string | undefined = "none";
  try {
    const position = Number(limit) - 1000;
    if (kind === "pool") await file.write(new Uint8Array(3000).fill(1), position);
    else file.writeSync(new Uint8Array(3000).fill(1), position);
  } catch (error) {
    code = systemCode(error);
  }
  results.push({ code, sizeBytes: await file.size() });
  await file.close();
}
console.log(JSON.stringify(results));

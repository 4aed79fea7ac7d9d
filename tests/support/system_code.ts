import { assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import { systemCode } from "../../src/errors.ts";

/** Asserts that a call rejects with an Error whose system code is one of these. */
export async function assertRejectsWithCode(call: () => Promise<unknown>, ...codes: string[]): Promise<void> {
  const error = await assertRejects(call);
  assertInstanceOf(error, Error);
  assertStringIncludes(codes.join(" "), systemCode(error) ?? `no code in: ${error}`);
}

/** The same of a call on the calling thread. */
export async function assertThrowsWithCode(call: () => unknown, ...codes: string[]): Promise<void> {
  await assertRejectsWithCode(() => new Promise((resolve) => resolve(call())), ...codes);
}

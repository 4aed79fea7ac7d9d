/**
 * Takes the place of `node:test` in the copies that mutants are tried in: tests are gathered here, to be run one by one by
 * whoever wants to see what they throw.
 */

type Body = () => unknown;

interface Options {
  readonly skip?: boolean | string;
}

/** A test that was declared. */
export interface GatheredTest {
  readonly name: string;
  readonly body: Body;
}

/** Those of all files that were imported so far, without those that are skipped here. */
export const gathered: GatheredTest[] = [];

/** As `test` of `node:test`, as far as the tests here use it. */
export function test(name: string, ...rest: readonly [Body] | readonly [Options, Body]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  const { skip = false } = options as Options;
  if (skip === false) gathered.push({ name, body });
}

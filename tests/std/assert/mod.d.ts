/** What a failed assertion throws. */
export declare class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions);
}

/** A class whose instances are errors. */
type ErrorConstructor<E extends Error> = new (...args: never[]) => E;

/** `expr` is truthy. */
export declare function assert(expr: unknown, msg?: string): asserts expr;

/** Both are deeply equal. */
export declare function assertEquals<T>(actual: T, expected: T, msg?: string): void;

/** They are not deeply equal. */
export declare function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;

/** Both are the same value (`Object.is`). */
export declare function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T;

/** `actual` is neither null nor undefined. */
export declare function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;

/** `actual` is an instance of `expectedType`. */
export declare function assertInstanceOf<T extends abstract new (...args: never[]) => unknown>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T>;

/** `actual` matches `expected`. */
export declare function assertMatch(actual: string, expected: RegExp, msg?: string): void;

/** `actual` contains `expected`. */
export declare function assertStringIncludes(actual: string, expected: string, msg?: string): void;

/** `actual > expected`. */
export declare function assertGreater<T>(actual: T, expected: T, msg?: string): void;

/** `actual >= expected`. */
export declare function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;

/** `actual < expected`. */
export declare function assertLess<T>(actual: T, expected: T, msg?: string): void;

/** `actual <= expected`. */
export declare function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;

/** `fn` throws; what it threw is returned. */
export declare function assertThrows(fn: () => unknown, msg?: string): unknown;
/** `fn` throws an instance of `ErrorClass` whose message contains `msgIncludes`; it is returned. */
export declare function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;

/** `fn` returns a promise that rejects; what it rejected with is returned. To throw at once is a failure. */
export declare function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** `fn` returns a promise that rejects with an instance of `ErrorClass` whose message contains `msgIncludes`. */
export declare function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;

/** Fails. */
export declare function fail(msg?: string): never;

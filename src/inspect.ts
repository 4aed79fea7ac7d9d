/**
 * How the objects of the log look when somebody prints them.
 *
 * @module
 */

/** What Node, Deno and Bun ask an object for before they print it. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** From now on `console.log` shows what `fields` says of an object with this prototype: private fields show nothing. */
export function showAs<T extends object>(prototype: T, fields: (self: T) => object): void {
  Object.defineProperty(prototype, INSPECT, {
    value(this: T): object {
      return this === prototype ? {} : fields(this);
    },
  });
}

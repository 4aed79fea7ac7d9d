/**
 * Collecting garbage when asked to, where the runtime was started so that one may ask.
 *
 * @module
 */

interface Collectors {
  readonly gc?: () => void;
  readonly Bun?: { gc(force: boolean): void };
}

/** Collects all garbage there is, if that can be asked for. */
export function collectGarbage(): void {
  const { gc, Bun } = globalThis as Collectors;
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
}

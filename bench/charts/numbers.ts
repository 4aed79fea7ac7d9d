/**
 * Numbers as charts write them.
 *
 * @module
 */

/** `3.4 M`, `870 k`, `9.2 k`, `12`: two digits, or all before the point. */
export function short(value: number): string {
  const [unit, suffix] = value >= 999_500 ? [1e6, " M"] : value >= 999.5 ? [1e3, " k"] : [1, ""];
  const scaled = value / unit;
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${suffix}`;
}

/** `1 M`, of a power of ten. */
export function tick(value: number): string {
  return short(value).replace(".0", "");
}

/** `82 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

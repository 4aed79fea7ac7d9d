// What a person reads of a point.

/** @typedef {import("../harness/point_line.ts").PointLine} PointLine */

/** The figures of a point, who was not there, and how it stands with its limits. @param {PointLine} line */
export function table(line) {
  const { point, runtime, version, disk, rounds, entryBytes, quick, figures, targets, absent, unlimited } = line;
  const { p50Us, p99Us } = disk.fdatasync;
  const entries = entryBytes === 0 ? "" : `, entries of ${entryBytes.toLocaleString("en")} bytes`;
  const head = `${point} on ${runtime} ${version}${entries}, ${rounds} round${rounds === 1 ? "" : "s"}; ` +
    `fdatasync here ${number(p50Us)} µs, p99 ${number(p99Us)} µs${quick ? "; QUICK: the figures mean nothing" : ""}`;
  const rows = figures.map(({ contender, what, unit, median, rounds }) => [
    contender,
    what,
    `${number(median)} ${unit}`,
    rounds.length > 1 ? `${number(Math.min(...rounds))} to ${number(Math.max(...rounds))}` : "",
  ]);
  const limits = targets.map((
    { what, unit, isLimit, allowed, measured, met },
  ) => [
    !isLimit ? "shown" : met === null ? "unknown" : met ? "met" : "NOT MET",
    what,
    `${measured === null ? "?" : number(measured)} ${unit}`,
    isLimit ? `limit ${allowed === null ? "?" : number(allowed)} ${unit}` : "no limit",
  ]);
  const told = [
    ...unlimited.map((contender) => `  ${contender}: shown, no limit is held against it`),
    ...absent.map(({ contender, reason }) => `  ${contender}: ${reason}`),
  ];
  return [head, ...columns(rows), ...told, ...columns(limits), ""].join("\n");
}

/** The third column to the right, the others to the left. @param {string[][]} rows */
function columns(rows) {
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${
      row.map((cell, column) => column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))
        .join("  ")
    }`.trimEnd()
  );
}

/** Three digits that mean something, and all those before the point. @param {number} value */
function number(value) {
  if (!Number.isFinite(value)) return "?";
  if (value === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(decimals, 8) });
}

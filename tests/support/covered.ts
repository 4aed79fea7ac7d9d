/**
 * What a test has gone through, told so that `npm test` finds it in the output and adds it up.
 */

/** Prints a line of counts: `crashesInRecovery` becomes `crashes in recovery`. */
export function covered(counts: object): void {
  const told = Object.entries(counts).map(([name, count]) => `${wordsOf(name)} ${count}`);
  console.log(`covered: ${told.join(", ")}`);
}

function wordsOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

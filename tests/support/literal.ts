/**
 * Plain data as source text, to be pasted into a test.
 */

const MOST_WIDTH = 110;

/** The source of a value: what JSON has no word for is written as TypeScript has it. */
export function literalOf(value: unknown, indent = ""): string {
  if (Array.isArray(value)) return bracketed("[", value.map((each) => literalOf(each, `${indent}  `)), "]", indent);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? quoted(value) : String(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) =>
      `${/^[a-zA-Z_]\w*$/.test(name) ? name : quoted(name)}: ${literalOf(member, `${indent}  `)}`
    );
  return bracketed("{", members, "}", indent);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function bracketed(open: string, parts: readonly string[], close: string, indent: string): string {
  if (parts.length === 0) return `${open}${close}`;
  const space = open === "{" ? " " : "";
  const line = `${open}${space}${parts.join(", ")}${space}${close}`;
  if (indent.length + line.length <= MOST_WIDTH && !line.includes("\n")) return line;
  const inner = `${indent}  `;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${close}`;
}

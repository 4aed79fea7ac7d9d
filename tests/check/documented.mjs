// What a user reads: every public name says what it is and shows itself in use, and so does each method of the log. That
// the examples run is another step's business.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { entryPoints } from "./packing.mjs";
import { root, runDeno } from "./process.mjs";
import { sumOf } from "./result.mjs";

/** The class whose methods are public names of their own. */
const detailedClass = "Wal";

/** Of an entry point. */
const fewestNames = 10;

/**
 * @typedef {{ doc?: string, tags?: { kind: string, doc?: string }[] }} Comment
 * @typedef {{ name: string, kind: string, jsDoc?: Comment }} Method
 * @typedef {{ location: { filename: string, line: number }, jsDoc?: Comment, def?: { methods?: Method[] } }} Declaration
 * @typedef {{ module_doc?: Comment, symbols: { name: string, declarations: Declaration[] }[] }} Module
 * @typedef {{ name: string, comments: Comment[] }} PublicName
 */

/** @returns {Promise<import("./result.mjs").Result>} */
export async function checkDocumentation() {
  const lint = await runDeno(["doc", "--quiet", "--lint", ...entryPoints]);
  return sumOf([{ what: "deno doc --lint", ...lint }, { what: "public names", ...await checkPublicNames() }]);
}

async function checkPublicNames() {
  const { code, stdout, output } = await runDeno(["doc", "--quiet", "--json", ...entryPoints]);
  if (code !== 0) return { code, output };
  /** @type {{ nodes: Record<string, Module> }} */
  const { nodes } = JSON.parse(stdout);
  const modules = Object.entries(nodes).map(([url, module]) => namesOf(pathOf(url), module));
  const names = modules.flat();
  const problems = names.flatMap(complaints);
  // What deno doc may tell in another way one day must not pass for what is in order.
  const isReadWell = modules.every(({ length }) => length >= fewestNames) &&
    names.some(({ name }) => name.startsWith(`${detailedClass}.`));
  if (!isReadWell) problems.push(`of what deno doc tells only ${names.length} names were understood`);
  return { code: problems.length, output: problems.map((problem) => `${problem}\n`).join("") };
}

/** @param {string} path @param {Module} module @returns {PublicName[]} */
function namesOf(path, { module_doc: comment, symbols }) {
  const names = symbols.map(({ name, declarations: [first, ...others] }) => ({
    name: `${name} (${pathOf(first?.location.filename ?? "")}:${first?.location.line})`,
    comments: [first, ...others].flatMap((declaration) => declaration?.jsDoc ?? []),
  }));
  const detailed = symbols.filter(({ name }) => name === detailedClass);
  const methods = detailed.flatMap(({ declarations }) => declarations.flatMap(({ def }) => def?.methods ?? []))
    .filter(({ kind }) => kind === "method");
  // What is overloaded is one name.
  const methodNames = [...new Set(methods.map(({ name }) => name))].map((name) => ({
    name: `${detailedClass}.${name}`,
    comments: methods.filter((method) => method.name === name).flatMap(({ jsDoc }) => jsDoc ?? []),
  }));
  return [{ name: path, comments: comment === undefined ? [] : [comment] }, ...names, ...methodNames];
}

/** @param {PublicName} publicName */
function complaints({ name, comments }) {
  const examples = comments.flatMap(({ tags = [] }) => tags).filter(({ kind }) => kind === "example");
  return [
    ...(comments.some(({ doc = "" }) => doc.trim() !== "") ? [] : [`${name} has no description: say what it is`]),
    ...(examples.some(({ doc = "" }) => /^```ts$/m.test(doc))
      ? []
      : [`${name} has no example: write @example and a block \`\`\`ts of 3 to 10 lines that shows it in use`]),
  ];
}

/** @param {string} url */
function pathOf(url) {
  return relative(root, fileURLToPath(url));
}

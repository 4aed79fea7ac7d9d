// What a user can reach of the declarations that tsc writes. It writes those of every module, and they name each other: one
// public interface brings the class that stands beside it, what that is made of, and so on through half of the log.
//
// Kept is what the entry points export, and what the words of a kept statement name. A word that only looks like a name, as
// that of a property may, keeps a statement too many. A shape that is not known here ends the build.

import { posix } from "node:path";

/**
 * A declaration, or a name in the braces of an import or export: `local` is its name within the file, `exported` the one for
 * others. It needs what its `words` name in the file, and what is named `elsewhere`.
 *
 * @typedef {{ text: string, local?: string, exported?: string, words: string[], elsewhere: Place[] }} Binding
 * @typedef {{ path: string, name: string }} Place
 * @typedef {{ text: string, bindings: Binding[] }} Statement With the comments before it.
 */

/** Statements begin in the first column; what else does begins with other words. */
const beginning = /(?<!\*\/\n)^(?=(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)*(?:declare|export|import|interface|type) )/m;
const moduleComment = /^\/\*\*(?:(?!\*\/)[^])*\n \* @module\n \*\/\n/;
const commentOrString = /\/\*[^]*?\*\/|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/g;
const list = /^(import|export) (?:type )?\{([^{}]*)\}(?: from "([^"]+)")?;$/;
const listed = /^(?:type )?([\w$]+)(?: as ([\w$]+))?$/;
const importType = /\bimport\((?:"([^"]+)"\)\.([\w$]+))?/g;

/** Declarations without what stands in brackets. Two of them, each on its own line, that were taken for one do not match. */
const outlines = [
  /^(export )?(?:declare )?(?:abstract )?(?:class|interface|namespace) ([\w$]+)[^;\n]*$/,
  /^(export )?declare (?:const|let|var) ([\w$]+)(?::| =)[^;,]*;$/,
  /^(export )?(?:declare function|(?:declare )?type) ([\w$]+)[^;]*;$/,
];

/**
 * The files that hold something a user can reach, without all else. Only entry points keep the comment on the module.
 *
 * @param {ReadonlyMap<string, string>} texts By path.
 * @param {readonly string[]} entryPoints
 */
export function reachable(texts, entryPoints) {
  /** @type {Map<string, Statement[]>} */
  const files = new Map();
  /** @type {Set<Binding>} */
  const kept = new Set();

  /** @param {string} path @param {(binding: Binding) => boolean} isNeeded */
  function keep(path, isNeeded) {
    const statements = files.get(path) ?? statementsOf(path, texts.get(path));
    files.set(path, statements);
    const needed = statements.flatMap(({ bindings }) => bindings).filter(isNeeded);
    for (const binding of needed) {
      if (kept.has(binding)) continue;
      kept.add(binding);
      keep(path, ({ local }) => local !== undefined && binding.words.includes(local));
      for (const { path: other, name } of binding.elsewhere) {
        const found = keep(other, ({ exported }) => exported === name);
        if (found === 0) throw new Error(`${path} needs ${name}, which ${other} does not export`);
      }
    }
    return needed.length;
  }

  for (const path of entryPoints) keep(path, ({ exported }) => exported !== undefined);
  return new Map(Array.from(files, ([path, statements]) => {
    const comment = entryPoints.includes(path) ? texts.get(path)?.match(moduleComment)?.[0] : undefined;
    return [path, (comment ?? "") + statements.map((statement) => reduced(statement, kept)).join("")];
  }));
}

/** Of a list, the names that are kept; `export {};`, which has none, stays. @param {Statement} statement @param {Set<Binding>} kept */
function reduced({ text, bindings }, kept) {
  const left = bindings.filter((binding) => kept.has(binding));
  if (left.length === bindings.length) return text;
  if (left.length === 0) return "";
  const names = left.map((binding) => binding.text).join(", ");
  return `${text.slice(0, text.lastIndexOf("{"))}{ ${names} ${text.slice(text.lastIndexOf("}"))}`;
}

/** @param {string} path @param {string | undefined} text @returns {Statement[]} */
function statementsOf(path, text) {
  if (text === undefined) throw new Error(`tsc has not written ${path}`);
  const statements = text.replace(moduleComment, "").split(beginning);
  return statements.map((each) => ({ text: each, bindings: bindingsOf(path, each) }));
}

/** @param {string} path @param {string} statement @returns {Binding[]} */
function bindingsOf(path, statement) {
  const text = statement.replace(commentOrString, "$1").trim();
  const notUnderstood = new Error(`this in ${path} is not understood by ${import.meta.url}:\n${text}`);
  const [, keyword, names = "", module = ""] = text.match(list) ?? [];
  if (keyword !== undefined) {
    return names.split(",").map((each) => each.trim()).filter((each) => each !== "").map((each) => {
      const [, from, to = from] = each.match(listed) ?? [];
      if (from === undefined || to === undefined) throw notUnderstood;
      const elsewhere = placesOf(path, module, from);
      if (keyword === "import") return { text: each, local: to, words: [], elsewhere };
      return { text: each, exported: to, words: module === "" ? [from] : [], elsewhere };
    });
  }
  const code = text.replace(commentOrString, "");
  const outline = outlineOf(code);
  const [, exporting, name] = outlines.map((each) => outline.match(each)).find((match) => match !== null) ?? [];
  if (name === undefined || /[()[\]{}<>]/.test(outline) || /[`"']|\/[/*]/.test(code)) throw notUnderstood;
  const elsewhere = [...text.matchAll(importType)].flatMap(([, from, of]) => {
    if (from === undefined || of === undefined) throw notUnderstood;
    return placesOf(path, from, of);
  });
  const words = code.match(/[\w$]+/g) ?? [];
  return [{ text, local: name, ...(exporting === undefined ? {} : { exported: name }), words, elsewhere }];
}

/** @param {string} code @returns {string} */
function outlineOf(code) {
  const outer = code.replace(/=>|\([^()]*\)|\[[^[\]]*\]|\{[^{}]*\}|<[^<>]*>/g, "");
  return outer === code ? code : outlineOf(outer);
}

/** None of another package. @param {string} path @param {string} module @param {string} name @returns {Place[]} */
function placesOf(path, module, name) {
  if (!module.startsWith(".")) return [];
  return [{ path: posix.join(posix.dirname(path), module.replace(/\.ts$/, ".d.ts")), name }];
}

// Reads the one report that all three runtimes can write.

/** @typedef {{ name: string, file: string, line: number, state: "passed" | "failed" | "skipped", reason: string }} TestCase */

const element = /<testsuite\b([^>]*)>|<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/**
 * The tests of a report. `file` and `line` are known to some of the runtimes only; `reason` is Node's word for a skip.
 *
 * @param {string} xml
 * @returns {TestCase[]}
 */
export function readReport(xml) {
  let suiteFile = "";
  const cases = [];
  for (const [, suite, attributes, body = ""] of xml.matchAll(element)) {
    if (suite !== undefined) {
      suiteFile = attribute(suite, "name");
      continue;
    }
    if (attributes === undefined) continue;
    const skipped = /<skipped\b([^>]*)>/.exec(body);
    cases.push({
      name: attribute(attributes, "name"),
      file: attribute(attributes, "file") || suiteFile,
      line: Number(attribute(attributes, "line")),
      state: /<(failure|error)\b/.test(body) ? "failed" : skipped === null ? "passed" : "skipped",
      reason: attribute(skipped?.[1] ?? "", "message"),
    });
  }
  return /** @type {TestCase[]} */ (cases);
}

/** @param {string} attributes @param {string} name */
function attribute(attributes, name) {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  // Node writes a quote as &amp;quot;, hence the ampersand first.
  return value.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(+code));
}

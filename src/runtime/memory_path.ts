/**
 * Paths of a disk in memory: absolute, parts joined by `/`.
 *
 * @module
 */

/** The absolute path of a directory; the working directory is the root. */
export function resolvePath(directory: string | URL): string {
  const text = typeof directory === "string" ? directory : decodeURIComponent(directory.pathname);
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** `name` inside `directory`. */
export function joinPath(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** The directories that hold `path`, nearest first, up to the root. */
export function ancestorPaths(path: string): string[] {
  const ancestors: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    ancestors.push(path.slice(0, end));
  }
  return path === "/" ? [] : [...ancestors, "/"];
}

/** The names on the way from the root to `path`. */
export function pathParts(path: string): string[] {
  return resolvePath(path).split("/").filter((part) => part !== "");
}

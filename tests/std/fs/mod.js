// @ts-self-types="./mod.d.ts"
import { copyFile, cp, lstat, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export async function exists(path, { isDirectory = false, isFile = false } = {}) {
  if (isDirectory && isFile) throw new TypeError("isDirectory and isFile must not be true together");
  try {
    const found = await stat(path);
    return (!isDirectory || found.isDirectory()) && (!isFile || found.isFile());
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

export async function ensureDir(dir) {
  await mkdir(dir, { recursive: true });
}

export async function emptyDir(dir) {
  await mkdir(dir, { recursive: true });
  const path = pathOf(dir);
  await Promise.all((await readdir(path)).map((name) => rm(join(path, name), { recursive: true })));
}

export async function copy(src, dest, { overwrite = false } = {}) {
  const from = resolve(pathOf(src));
  const to = resolve(pathOf(dest));
  if (from === to) throw new Error("Source and destination cannot be the same.");
  if (!overwrite && await exists(to)) throw new Error(`'${to}' already exists.`);
  if ((await lstat(from)).isDirectory()) {
    await cp(from, to, { recursive: true, force: overwrite, verbatimSymlinks: true });
  } else await copyFile(from, to);
}

export async function* walk(root, options = {}) {
  const path = normalize(pathOf(root));
  yield* walkFrom(path, await lstat(path), options.maxDepth ?? Infinity, options);
}

async function* walkFrom(path, found, depth, options) {
  if (options.skip?.some((pattern) => path.search(pattern) >= 0)) return;
  const entry = {
    path,
    name: basename(path),
    isFile: found.isFile(),
    isDirectory: found.isDirectory(),
    isSymlink: found.isSymbolicLink(),
  };
  if (isWanted(entry, options)) yield entry;
  if (!entry.isDirectory || depth < 1) return;
  for (const child of await readdir(path, { withFileTypes: true })) {
    yield* walkFrom(join(path, child.name), child, depth - 1, options);
  }
}

function isWanted(entry, { includeFiles = true, includeDirs = true, includeSymlinks = true, exts, match }) {
  if (entry.isDirectory && !includeDirs) return false;
  if (entry.isFile && !includeFiles) return false;
  if (entry.isSymlink && !includeSymlinks) return false;
  if (exts && !exts.some((ext) => entry.path.endsWith(ext.startsWith(".") ? ext : `.${ext}`))) return false;
  return !match || match.some((pattern) => entry.path.search(pattern) >= 0);
}

function pathOf(path) {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** What {@linkcode exists} looks at besides the name. */
export interface ExistsOptions {
  /** Only a directory counts, or a link to one. */
  isDirectory?: boolean;
  /** Only a file counts, or a link to one. */
  isFile?: boolean;
}

/** How {@linkcode copy} treats what is there. */
export interface CopyOptions {
  /** Overwrite what is there; without it that is an error. */
  overwrite?: boolean;
}

/** What {@linkcode walk} yields and where it goes. */
export interface WalkOptions {
  /** How many levels below the root; the root itself is level 0. */
  maxDepth?: number;
  /** Yield files; true by default. */
  includeFiles?: boolean;
  /** Yield directories, the root among them; true by default. */
  includeDirs?: boolean;
  /** Yield symbolic links, which are never followed; true by default. */
  includeSymlinks?: boolean;
  /** Yield only names with one of these endings. */
  exts?: string[];
  /** Yield only paths that match one of these. */
  match?: RegExp[];
  /** Neither yield nor enter paths that match one of these. */
  skip?: RegExp[];
}

/** Something that {@linkcode walk} met. */
export interface WalkEntry {
  /** The root's path joined with the path below it. */
  path: string;
  name: string;
  isFile: boolean;
  isDirectory: boolean;
  isSymlink: boolean;
}

/** Whether there is something at `path`. */
export declare function exists(path: string | URL, options?: ExistsOptions): Promise<boolean>;

/** Makes a directory and all above it; rejects if something else is in its place. */
export declare function ensureDir(dir: string | URL): Promise<void>;

/** Removes all that is in a directory, or makes it. */
export declare function emptyDir(dir: string | URL): Promise<void>;

/** Copies a file, or what is in a directory with all below it, to `dest`. */
export declare function copy(src: string | URL, dest: string | URL, options?: CopyOptions): Promise<void>;

/** What is in a directory and below, each directory before its contents. */
export declare function walk(root: string | URL, options?: WalkOptions): AsyncIterableIterator<WalkEntry>;

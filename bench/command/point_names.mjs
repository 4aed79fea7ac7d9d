// The points in their order, and what each measures. Their files are in points/, by these names.

/** @type {Record<string, string>} */
export const pointNames = {
  append: "the call alone, by the form of its entry",
  serial: "one caller, who awaits each commit",
  clients: "1 to 10,000 callers, each awaiting its own commit",
  stream: "piped into a new log in arrays of 64",
  stream_reuse: "the same into a log whose head is cut as it goes",
  stream_single: "piped in entry by entry, beside the runtime's own pipe",
  large: "entries of 64 KiB and 1 MiB, eight commits in flight",
  recover: "two million entries read back",
  open: "opening a log of 1,000 sealed segments, and of 10",
  follow: "from durable to seen by a follower",
  readers: "1,000 callers alone, followed, and scanned from another process",
  presets: "arrivals at a fixed rate, each preset at its own",
  stall: "how long the event loop is held while each sync takes 10 ms",
  space: "bytes on the disk",
  memory: "peak memory while 4 GiB are piped in, and read back",
  import: "what a program pays for having the log, in time and size",
};

/**
 * All points, in the order in which they are measured.
 *
 * @module
 */

import type { Point } from "./harness/point.ts";
import { append } from "./points/append.ts";
import { clients } from "./points/clients.ts";
import { follow } from "./points/follow.ts";
import { importing } from "./points/import.ts";
import { large } from "./points/large.ts";
import { memory } from "./points/memory.ts";
import { open } from "./points/open.ts";
import { presets } from "./points/presets.ts";
import { readers } from "./points/readers.ts";
import { recover } from "./points/recover.ts";
import { serial } from "./points/serial.ts";
import { space } from "./points/space.ts";
import { stall } from "./points/stall.ts";
import { stream } from "./points/stream.ts";
import { streamReuse } from "./points/stream_reuse.ts";
import { streamSingle } from "./points/stream_single.ts";

export const points: readonly Point[] = [
  append,
  serial,
  clients,
  stream,
  streamReuse,
  streamSingle,
  large,
  recover,
  open,
  follow,
  readers,
  presets,
  stall,
  space,
  memory,
  importing,
];

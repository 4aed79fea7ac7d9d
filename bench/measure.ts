/**
 * One point, all its contenders: from an order to the line of JSON.
 *
 * @module
 */

import { Figures } from "./figures.ts";
import { disk, machine, runtimeVersion } from "./machine.ts";
import type { Order, Progress } from "./order.ts";
import { peerVersions } from "./peer_contenders.ts";
import type { PointLine } from "./point_line.ts";
import { points } from "./points.ts";
import { runRounds } from "./rounds.ts";
import { Scale } from "./scale.ts";

const PROBES = 300;
const QUICK_PROBES = 10;

/** Measures the point that is ordered, and tells whose turn it is as it goes. */
export async function measure(order: Order, tell: (progress: Progress) => void): Promise<PointLine> {
  const point = points.find(({ name }) => name === order.point);
  if (point === undefined) throw new Error(`there is no point ${order.point}`);
  const at = new Date().toISOString();
  const found = disk(order.directory, order.isQuick ? QUICK_PROBES : PROBES);
  const contenders = point.contenders(new Scale(order.isQuick, found.fdatasync.p50Us));
  const rounds = order.isQuick || point.isExact === true ? 1 : order.rounds;
  const { figures, absent } = await runRounds({
    contenders,
    rounds,
    hasWarmUp: !order.isQuick && point.isExact !== true &&
      point.hasWarmUp !== false,
    directory: order.directory,
    onTurn: (round, who) => tell({ round, rounds, who }),
  });
  const peers = new Set(contenders.filter(({ isPeer }) => isPeer === true).map(({ name }) => name));
  return {
    point: point.name,
    runtime: order.runtime,
    version: runtimeVersion(),
    package: order.packageVersion,
    at,
    machine: machine(),
    disk: found,
    rounds,
    entryBytes: point.entryBytes,
    quick: order.isQuick,
    figures,
    targets: point.targets(new Figures(figures, peers)),
    absent,
    peers: peers.size === 0 ? {} : await peerVersions(),
  };
}

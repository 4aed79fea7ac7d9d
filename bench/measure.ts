/**
 * One point, all its contenders: from an order to the line of JSON.
 *
 * @module
 */

import { peerVersions } from "./contenders/peer_contenders.ts";
import { Figures } from "./harness/figures.ts";
import { disk, machine, runtimeVersion } from "./harness/machine.ts";
import type { Order, Progress } from "./harness/order.ts";
import type { PointLine } from "./harness/point_line.ts";
import { runRounds } from "./harness/rounds.ts";
import { Scale } from "./harness/scale.ts";
import { points } from "./points.ts";

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
  const hasPeers = contenders.some(({ isPeer }) => isPeer === true);
  const tuned = new Set(contenders.filter(({ isTuned }) => isTuned === true).map(({ name }) => name));
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
    targets: point.targets(new Figures(figures, contenders, absent)),
    absent,
    unlimited: [...tuned].filter((name) => figures.some(({ contender }) => contender === name)),
    peers: hasPeers ? await peerVersions() : {},
  };
}

/**
 * As many kills as one likes, on each runtime in turn, on the disk that there is and on small ones that are full at times:
 *
 * ```text
 * deno run -A tests/support/kill_soak.ts 10000 1          kills, and the seed of the first run
 * deno run -A tests/support/kill_soak.ts 50 4711 bun      one run of a seed, with bun as the writer, told kill by kill
 * ```
 */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { killRuns, type KillTally, tellKills } from "./kills.ts";
import { type RuntimeName, runtimeNames } from "./processes.ts";
import { cannotMount, type VolumeKind } from "./volumes.ts";

/** A log of so many kills is one run; the next begins with an empty directory. */
const KILLS_A_RUN = 50;

/** Where the logs are, by their seeds. */
const places: readonly (VolumeKind | null)[] = [null, null, "tmpfs", null, "ext4"];

/** Kills so many writers, in runs from this seed on, on these runtimes in turn. Rejects at the first broken promise. */
export async function soakKills(
  count: number,
  firstSeed: number,
  say: (line: string) => void = () => {},
  writers: readonly RuntimeName[] = runtimeNames,
): Promise<KillTally> {
  const total: KillTally = { kills: 0, acknowledgements: 0, rejections: 0, looks: 0, entries: 0, torn: 0 };
  const startMs = performance.now();
  for (let seed = firstSeed; total.kills < count; seed++) {
    const writer = writers[seed % writers.length] ?? "node";
    const place = places[seed % places.length] ?? null;
    const volume = place !== null && cannotMount(place) === false ? place : null;
    const kills = Math.min(KILLS_A_RUN, count - total.kills);
    const tells = writers.length === 1 ? { say } : {};
    const tally = await killRuns({ writer, kills, seed, ...(volume === null ? {} : { volume }), ...tells });
    for (const key of Object.keys(total) as (keyof KillTally)[]) total[key] += tally[key];
    const seconds = Math.round((performance.now() - startMs) / 1000);
    const where = volume === null ? writer : `${writer} on ${volume}`;
    say(`seed ${seed}, ${where}: ${tellKills(tally)}; ${total.kills} kills after ${seconds} s`);
  }
  return total;
}

async function main([count = "1000", firstSeed = "1", only]: readonly string[]): Promise<void> {
  const writers = runtimeNames.filter((name) => only === undefined || name === only);
  console.log(tellKills(await soakKills(Number(count), Number(firstSeed), console.log, writers)));
}

const isProgram = process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isProgram) await main(process.argv.slice(2));

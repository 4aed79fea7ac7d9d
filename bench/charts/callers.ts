/**
 * How commits a second grow with the number of callers: a panel a runtime, with the floor and the best other store.
 *
 * @module
 */

import { callersText, commitWith, floorName } from "../harness/words.ts";
import { type Card, MARGIN, WIDTH } from "./card.ts";
import type { Measured, Peer } from "./measured.ts";
import { short } from "./numbers.ts";
import { Panel, type Place, type Series } from "./panel.ts";
import { LogScale } from "./scales.ts";

const CALLERS: readonly number[] = [1, 10, 100, 1000, 10_000];
/** With so many the floor and the other stores were measured too; for one of them in another point. */
const MANY = 1000;
const LOG = "walstream";
const FLOOR = floorName("prepared");

const PANEL_HEIGHT = 300;
/** With its heading and what stands at its axis. */
const PANEL_STEP: number = PANEL_HEIGHT + 84;
const PANEL_GAP = 30;
/** More beside each other would be too narrow. */
const MOST_BESIDE = 3;
/** Left of the first panel, for the rates. */
const AXIS_WIDTH = 60;

/** The chart, or null where nothing of it was measured. */
export function drawCallers(runtimes: readonly Measured[]): Card | null {
  const drawn = runtimes.map((measured) => ({ title: measured.title, series: seriesOf(measured), measured }))
    .filter(({ series }) => series.some(({ role }) => role === "log"));
  if (drawn.length === 0) return null;
  const beside = drawn.length <= MOST_BESIDE ? drawn.length : Math.ceil(drawn.length / 2);
  const width = (WIDTH - 2 * MARGIN - AXIS_WIDTH - PANEL_GAP * (beside - 1)) / beside;
  const rates = drawn.flatMap(({ series }) => series.flatMap(({ places }) => places.map(({ rate }) => rate)));
  const y = new LogScale(rates, PANEL_HEIGHT, 0);
  const body = drawn.flatMap(({ title, series }, nth) => {
    const left = MARGIN + AXIS_WIDTH + (nth % beside) * (width + PANEL_GAP);
    const panel = new Panel({ title, series, width, x: CALLERS, y, hasRates: nth % beside === 0 });
    return panel.draw(left, Math.floor(nth / beside) * PANEL_STEP);
  });
  return {
    name: "callers",
    title: "Commits a second, by the number of callers",
    subtitle:
      "Each caller awaits its own durable commit before the next. Both axes are logarithmic. Dashed: the floor, the disk " +
      "alone, with one entry and with 1,000 a sync, into a prepared file. Dotted: the other store that is the best with 1,000 " +
      "callers, of those not tuned: there by transactions of 1,000 or its own batching, and with one entry at a time.",
    description: drawn.map(({ title, series }) => `${title}: ${series.map(wordsOf).join("; ")}`).join(". "),
    height: Math.ceil(drawn.length / beside) * PANEL_STEP - 14,
    body,
    lines: drawn.flatMap(({ measured }) => [measured.line("clients") ?? [], measured.line("serial") ?? []].flat()),
  };
}

function seriesOf(measured: Measured): Series[] {
  const alone = measured.perSecond("serial", LOG, "rate"); // beside the floor and the store, which stand there too
  const log = CALLERS.flatMap((callers) => {
    const rate = (callers === 1 ? alone : null) ?? measured.perSecond("clients", LOG, commitWith(callers));
    return rate === null ? [] : [{ callers, rate }];
  });
  const floor = both(
    measured.perSecond("serial", FLOOR, "rate"),
    measured.perSecond("clients", FLOOR, commitWith(MANY)),
  );
  const many = best(measured.peers("clients", commitWith(MANY)));
  const one = best(measured.peers("serial", "rate").filter(({ name }) => many === null || name === many.name));
  const peers = both(one?.perSecond ?? null, many?.perSecond ?? null);
  const all: Series[] = [
    { role: "floor", label: "floor", places: floor },
    { role: "peer", label: many?.name ?? one?.name ?? "", places: peers },
    { role: "log", label: LOG, places: log },
  ];
  return all.filter(({ places }) => places.length > 0);
}

function both(one: number | null, many: number | null): Place[] {
  return [
    ...(one === null ? [] : [{ callers: 1, rate: one }]),
    ...(many === null ? [] : [{ callers: MANY, rate: many }]),
  ];
}

function best(peers: readonly Peer[]): Peer | null {
  return peers.filter(({ isTuned }) => !isTuned).sort((a, b) => b.perSecond - a.perSecond)[0] ?? null;
}

function wordsOf({ label, places }: Series): string {
  return `${label} ${places.map(({ callers, rate }) => `${short(rate)}/s with ${callersText(callers)}`).join(", ")}`;
}

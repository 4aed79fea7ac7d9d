/**
 * Draws the README's charts, as SVG, from the lines that the bench wrote.
 *
 * Each is a card with a background of its own, so that it can be read whatever page it stands on, light or dark. Names stand
 * at lines and bars, not in a legend. The log is what has a colour.
 *
 * @module
 */

import type { Figure, PointLine } from "./point_line.ts";

/** The charts that these lines are enough for, three a runtime, by the names of their files. */
export function drawCharts(lines: readonly PointLine[]): Map<string, string> {
  const charts = new Map<string, string>();
  for (const runtime of new Set(lines.map((line) => line.runtime))) {
    const own = lines.filter((line) => line.runtime === runtime);
    const newest = new Map(own.map((line) => [pointName(line), withoutHoles(line)])); // appended: the last one wins
    for (const draw of [drawClients, drawBulk, drawSerial]) {
      const card = draw(newest);
      if (card !== null) charts.set(`${card.name}-${runtime}.svg`, svgOf(card));
    }
  }
  return charts;
}

/** The newest line of each point on one runtime. */
type Lines = ReadonlyMap<string, PointLine>;

function pointName(line: PointLine): string {
  return line.point.replaceAll("_", "-");
}

/** What was not measured stands as null in JSON, and nothing has a place on a logarithmic axis that is 0. */
function withoutHoles(line: PointLine): PointLine {
  return { ...line, figures: line.figures.filter(({ median }) => Number.isFinite(median) && median > 0) };
}

/** A chart but for what all have in common. */
interface Card {
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  /** For those who do not see it: what it says, in words and figures. */
  readonly description: string;
  /** Of the body, which begins at 0, 0 below the titles. */
  readonly height: number;
  readonly body: readonly string[];
  readonly line: PointLine;
}

// Who is who.

const LOG = "walstream";

type Role = "log" | "mode" | "floor" | "peer";

/** One who is drawn. */
interface Value {
  readonly label: string;
  readonly role: Role;
  readonly value: number;
}

/** The peer that a contender is, or null: a peer may take part in more than one way, and then says so behind its name. */
function peerOf(line: PointLine, contender: string): string | null {
  const names = Object.keys(line.peers).filter((name) => contender === name || contender.startsWith(`${name}, `));
  return names.sort((a, b) => b.length - a.length)[0] ?? null;
}

function isFloor(contender: string): boolean {
  return contender.startsWith("floor, ");
}

function floorLabel(contender: string): string {
  const kind = contender.slice("floor, ".length);
  return `floor: ${kind === "prepared" || kind === "growing" ? `${kind} file` : kind}`;
}

/** What a figure comes to in a second. */
function perSecond(figure: Figure): number {
  return figure.unit === "µs" ? 1e6 / figure.median : figure.median;
}

// The charts.

const CALLERS = /^a commit, ([\d,]+) callers?$/;

/** One who is measured with several numbers of callers. */
interface Series {
  readonly label: string;
  readonly role: Role;
  readonly points: readonly Place[];
}

/** With so many callers, so many commits a second. */
interface Place {
  readonly callers: number;
  readonly rate: number;
}

function drawClients(lines: Lines): Card | null {
  const line = lines.get("clients");
  const series = line === undefined ? [] : seriesOf(line, lines.get("serial"));
  const log = series.find(({ role }) => role === "log");
  if (line === undefined || log === undefined) return null;
  const plot = new Plot(series, log);
  return {
    name: "clients",
    title: "Commits a second, by the number of callers",
    subtitle:
      "Each caller awaits its own durable commit before the next. The other stores are given one entry at a time, " +
      "and transactions of 1,000; dotted: not measured in between. Both axes are logarithmic.",
    description: series.map(({ label, points }) =>
      `${label}: ${points.map(({ callers, rate }) => `${short(rate)}/s with ${callersText(callers)}`).join(", ")}`
    ).join(". "),
    height: plot.height,
    body: plot.draw(),
    line,
  };
}

function callersText(callers: number): string {
  return callers === 1 ? "1 caller" : `${callers.toLocaleString("en")} callers`;
}

/** Peers have a figure for transactions of 1,000 here; what they do for a single caller stands in another point's line. */
function seriesOf(line: PointLine, serial: PointLine | undefined): Series[] {
  const all = new Map<string, Place[]>();
  const add = (name: string, place: Place): void => void all.set(name, [...all.get(name) ?? [], place]);
  for (const figure of serial?.figures ?? []) {
    const isPeer = peerOf(line, figure.contender) === figure.contender;
    if (isPeer && figure.what === "rate") add(figure.contender, { callers: 1, rate: perSecond(figure) });
  }
  for (const figure of line.figures) {
    const callers = CALLERS.exec(figure.what)?.[1]?.replaceAll(",", "");
    const isDrawn = figure.contender.startsWith(LOG) || peerOf(line, figure.contender) !== null;
    if (callers === undefined || !isDrawn) continue;
    add(figure.contender, { callers: Number(callers), rate: perSecond(figure) });
  }
  return [...all].map(([label, points]) => ({
    label,
    role: label === LOG ? "log" : label.startsWith(LOG) ? "mode" : "peer",
    points: points.sort((a, b) => a.callers - b.callers),
  }));
}

/** What a panel of the bulk chart is drawn of. */
const BULK_PANELS = [
  { point: "stream", what: "an entry", title: "stream: piped into a new log until all of it is on the disk" },
  { point: "stream-reuse", what: "an entry", title: "stream-reuse: the same, the head cut as it goes" },
  { point: "recover", what: "rate", title: "recover: read back from the start" },
] as const;
const BEST_PEERS = 3;

function drawBulk(lines: Lines): Card | null {
  const panels = BULK_PANELS.flatMap(({ point, what, title }) => {
    const line = lines.get(point);
    const values = line === undefined ? [] : bulkValues(line, what);
    return line === undefined || !hasLog(values) ? [] : [{ line, title, values }];
  });
  const [first] = panels;
  if (first === undefined) return null;
  return {
    name: "bulk",
    title: "Entries a second, in bulk",
    subtitle:
      "Longer is better. A floor is the disk alone: the same bytes with no format. Of the other stores the best " +
      "three, written in transactions of 1,000 or of 10,000, whichever suits them better. Each part has its own scale.",
    ...barsOf(panels, (value) => `${short(value)}/s`),
    line: first.line,
  };
}

/** The floors, the log, and the best peers, each in the way in which it is best. */
function bulkValues(line: PointLine, what: string): Value[] {
  const floors: Value[] = [];
  const log: Value[] = [];
  const peers = new Map<string, number>();
  for (const figure of line.figures.filter((each) => each.what === what)) {
    const { contender } = figure;
    const value = perSecond(figure);
    const peer = peerOf(line, contender);
    if (contender === LOG) log.push({ label: LOG, role: "log", value });
    if (isFloor(contender)) floors.push({ label: floorLabel(contender), role: "floor", value });
    if (peer !== null) peers.set(peer, Math.max(value, peers.get(peer) ?? 0));
  }
  const best = [...peers].sort(([, a], [, b]) => b - a).slice(0, BEST_PEERS);
  return [...floors, ...log, ...best.map(([label, value]): Value => ({ label, role: "peer", value }))];
}

function hasLog(values: readonly Value[]): boolean {
  return values.some(({ role }) => role === "log");
}

function drawSerial(lines: Lines): Card | null {
  const line = lines.get("serial");
  const values = line === undefined ? [] : serialValues(line);
  if (line === undefined || !hasLog(values)) return null;
  return {
    name: "serial",
    title: "One durable commit after the other: the median time of one",
    subtitle: "Shorter is better. A floor is the disk alone: as many bytes written and synced, with no format.",
    ...barsOf([{ title: null, values }], (value) => `${Math.round(value).toLocaleString("en")} µs`),
    line,
  };
}

function serialValues(line: PointLine): Value[] {
  const values = line.figures.filter(({ what }) => what === "p50").flatMap(({ contender, median }): Value[] => {
    if (isFloor(contender)) return [{ label: floorLabel(contender), role: "floor", value: median }];
    if (contender === LOG) return [{ label: LOG, role: "log", value: median }];
    if (contender.startsWith(LOG)) return [{ label: contender, role: "mode", value: median }];
    return peerOf(line, contender) === null ? [] : [{ label: contender, role: "peer", value: median }];
  });
  const ranks: readonly Role[] = ["floor", "log", "mode", "peer"];
  return values.sort((a, b) => ranks.indexOf(a.role) - ranks.indexOf(b.role) || a.value - b.value);
}

// Bars.

const WIDTH = 760;
const MARGIN = 28;
const BAR_LEFT = 190;
const BAR_RIGHT = WIDTH - MARGIN - 76;
const BAR_HEIGHT = 17;
const BAR_STEP = 26;
const PANEL_TITLE = 30;
const PANEL_GAP = 22;
const ROLE_GAP = 6;

interface Panel {
  readonly title: string | null;
  readonly values: readonly Value[];
}

/** Panels below each other, each with a scale of its own. */
function barsOf(
  panels: readonly Panel[],
  format: (value: number) => string,
): Pick<Card, "body" | "height" | "description"> {
  const body: string[] = [];
  let top = 0;
  for (const [nth, { title, values }] of panels.entries()) {
    if (nth > 0) top += PANEL_GAP;
    if (title !== null) {
      body.push(textAt(MARGIN, top + 14, title, "panel"));
      top += PANEL_TITLE;
    }
    const most = Math.max(...values.map(({ value }) => value));
    for (const [place, value] of values.entries()) {
      if (place > 0 && isApart(values[place - 1]?.role, value.role)) top += ROLE_GAP;
      body.push(...bar(value, top, most, format(value.value)));
      top += BAR_STEP;
    }
  }
  const said = panels.map(({ title, values }) =>
    `${title === null ? "" : `${title}: `}${values.map(({ label, value }) => `${label} ${format(value)}`).join(", ")}`
  );
  return { body, height: top - (BAR_STEP - BAR_HEIGHT), description: said.join(". ") };
}

/** The ways in which the log is measured stay together. */
function isApart(before: Role | undefined, role: Role): boolean {
  return before !== role && role !== "mode";
}

function bar({ label, role, value }: Value, top: number, most: number, text: string): string[] {
  const width = Math.max(1.5, (BAR_RIGHT - BAR_LEFT) * value / most);
  const baseline = top + BAR_HEIGHT / 2 + 4.5;
  return [
    textAt(BAR_LEFT - 10, baseline, label, `end ${role}`),
    `<rect class="bar ${role}" x="${BAR_LEFT}" y="${top}" width="${round(width)}" height="${BAR_HEIGHT}" rx="2"/>`,
    textAt(BAR_LEFT + width + 8, baseline, text, `value ${role}`),
  ];
}

// The plot with logarithmic axes.

/** The first and the last numbers of callers stand a little inside. */
const PLOT = { left: 74, right: WIDTH - MARGIN, top: 16, bottom: 330, inset: 42 } as const;
const LABEL_STEP = 16;
/** No label is wider. */
const LABEL_WIDTH = 150;

class Plot {
  readonly height: number = PLOT.bottom + 44;
  readonly #series: readonly Series[];
  readonly #log: Series;
  readonly #x: LogScale;
  readonly #y: LogScale;

  constructor(series: readonly Series[], log: Series) {
    this.#series = series;
    this.#log = log;
    const places = series.flatMap(({ points }) => points);
    this.#x = new LogScale(places.map(({ callers }) => callers), PLOT.left + PLOT.inset, PLOT.right - PLOT.inset);
    this.#y = new LogScale(places.map(({ rate }) => rate), PLOT.bottom, PLOT.top);
  }

  draw(): string[] {
    const others = this.#series.filter((series) => series !== this.#log);
    return [
      ...this.#axes(),
      ...[...others, this.#log].flatMap((series) => this.#curve(series)),
      ...this.#logLabels(),
      ...this.#otherLabels(others),
    ];
  }

  #axes(): string[] {
    const axisX = (PLOT.left + PLOT.right) / 2;
    return [
      ...this.#y.decades.flatMap((rate) => {
        const y = this.#y.at(rate);
        return [
          lineBetween(PLOT.left, y, PLOT.right, y, "grid"),
          textAt(PLOT.left - 10, y + 4, tick(rate), "end tick"),
        ];
      }),
      ...this.#x.decades.map((callers) =>
        textAt(this.#x.at(callers), PLOT.bottom + 20, callers.toLocaleString("en"), "middle tick")
      ),
      textAt(axisX, PLOT.bottom + 40, "callers", "middle tick"),
    ];
  }

  #curve({ role, points }: Series): string[] {
    const corners = points.map(({ callers, rate }) => `${round(this.#x.at(callers))},${round(this.#y.at(rate))}`);
    const classes = `curve ${role}${this.#isSparse(points) ? " sparse" : ""}`;
    const radius = role === "log" ? 4.5 : 3.5;
    return [
      ...(points.length > 1 ? [`<polyline class="${classes}" points="${corners.join(" ")}"/>`] : []),
      ...points.map(({ callers, rate }) =>
        `<circle class="dot ${role}" cx="${round(this.#x.at(callers))}" cy="${round(this.#y.at(rate))}" r="${radius}"/>`
      ),
    ];
  }

  /** Whether these skip a number of callers with which the log was measured. */
  #isSparse(points: readonly Place[]): boolean {
    const measured = new Set(points.map(({ callers }) => callers));
    const [fewest, most] = [Math.min(...measured), Math.max(...measured)];
    return this.#log.points.some(({ callers }) => callers > fewest && callers < most && !measured.has(callers));
  }

  /** The log's figures along its line, on the side where that never is, and its name at the end. */
  #logLabels(): string[] {
    const { label, points } = this.#log;
    return points.map(({ callers, rate }, nth) => {
      const [x, y] = [this.#x.at(callers), this.#y.at(rate)];
      if (nth < points.length - 1) return textAt(x - 7, y - 7, short(rate), "end log halo");
      return textAt(x + PLOT.inset, y - 14, `${label} ${short(rate)}`, "end log halo");
    });
  }

  /** The names of the others behind the last points of their lines, moved away from each other and from the log. */
  #otherLabels(others: readonly Series[]): string[] {
    const ends = others.flatMap(({ label, role, points }) => {
      const last = points.at(-1);
      if (last === undefined) return [];
      const text = `${label.replace(`${LOG}, `, "")} ${short(last.rate)}`;
      return [{ role, text, x: this.#x.at(last.callers), y: this.#y.at(last.rate) }];
    }).sort((a, b) => a.y - b.y);
    const [top, bottom] = this.#logBand(Math.min(...ends.map(({ x }) => x)));
    const above = ends.filter(({ y }) => y < (top + bottom) / 2).map(({ y }) => y);
    const below = ends.slice(above.length).map(({ y }) => y);
    const places = [
      ...pushedDown(movedApart(above, LABEL_STEP).reverse().map((y) => -y), -top, LABEL_STEP).map((y) => -y).reverse(),
      ...pushedDown(movedApart(below, LABEL_STEP), bottom, LABEL_STEP),
    ];
    return ends.flatMap(({ role, text, x, y }, nth) => {
      const labelY = places[nth] ?? y;
      if (x + LABEL_WIDTH > PLOT.right) return [textAt(PLOT.right, labelY + LABEL_STEP + 4, text, `end ${role} halo`)];
      return [lineBetween(x + 5, y, x + 17, labelY, "leader"), textAt(x + 20, labelY + 4, text, `${role} halo`)];
    });
  }

  /** Where the log's line is, with its name, right of `fromX`: from above to below. */
  #logBand(fromX: number): [number, number] {
    const ys = this.#log.points.filter(({ callers }) => this.#x.at(callers) >= fromX).map(({ rate }) =>
      this.#y.at(rate)
    );
    return ys.length === 0 ? [PLOT.top, PLOT.top] : [Math.min(...ys) - 32, Math.max(...ys) + 14];
  }
}

/** From whole decades to pixels. */
class LogScale {
  readonly decades: readonly number[];
  readonly #from: number;
  readonly #to: number;
  readonly #first: number;
  readonly #count: number;

  constructor(values: readonly number[], from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#first = Math.floor(Math.log10(Math.min(...values)));
    this.#count = Math.max(1, Math.ceil(Math.log10(Math.max(...values))) - this.#first);
    this.decades = Array.from({ length: this.#count + 1 }, (_, nth) => 10 ** (this.#first + nth));
  }

  at(value: number): number {
    return this.#from + (this.#to - this.#from) * (Math.log10(value) - this.#first) / this.#count;
  }
}

/** Rising places with at least `step` between them, each group of neighbours about where it was. */
function movedApart(places: readonly number[], step: number): number[] {
  const groups: { middle: number; count: number }[] = [];
  for (const place of places) {
    let group = { middle: place, count: 1 };
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      const needed = step * (last.count + group.count) / 2;
      if (group.middle - last.middle >= needed) break;
      groups.pop();
      const count = last.count + group.count;
      group = { middle: (last.middle * last.count + group.middle * group.count) / count, count };
    }
    groups.push(group);
  }
  return groups.flatMap(({ middle, count }) =>
    Array.from({ length: count }, (_, nth) => middle + step * (nth - (count - 1) / 2))
  );
}

/** Rising places, none of them less than `least`, with at least `step` between them. */
function pushedDown(places: readonly number[], least: number, step: number): number[] {
  let next = least;
  return places.map((place) => {
    const at = Math.max(place, next);
    next = at + step;
    return at;
  });
}

// The card.

const TITLE_BASELINE = 36;
const SUBTITLE_CHARACTERS = 112;
const SUBTITLE_STEP = 17;
const CAPTION_CHARACTERS = 118;
const CAPTION_STEP = 15;

const STYLE = `
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#57606a}
.card{fill:#fff;stroke:#d0d7de}
.title{font-size:17px;font-weight:600;fill:#1f2328}
.subtitle,.tick{font-size:12px}
.panel{font-weight:600;fill:#1f2328}
.caption{font-size:11px}
.warning{fill:#bc4c00}
.end{text-anchor:end}
.middle{text-anchor:middle}
text.log{font-weight:600;fill:#0a5bd3}
text.mode{fill:#0a5bd3}
.value{font-variant-numeric:tabular-nums}
.bar.log,.dot.log{fill:#0a5bd3}
.bar.mode,.dot.mode{fill:#7fb2f5}
.bar.peer,.dot.peer{fill:#8c959f}
.bar.floor{fill:#eaeef2;stroke:#afb8c1;stroke-dasharray:3 2}
.dot{stroke:#fff;stroke-width:1.5}
.curve{fill:none;stroke-width:1.5;stroke-linejoin:round}
.curve.log{stroke:#0a5bd3;stroke-width:3}
.curve.mode{stroke:#7fb2f5}
.curve.peer{stroke:#8c959f}
.sparse{stroke-dasharray:2 4}
.grid{stroke:#eaeef2}
.leader{stroke:#afb8c1}
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
@media(prefers-color-scheme:dark){
text{fill:#9198a1}
.card{fill:#0d1117;stroke:#3d444d}
.title,.panel{fill:#f0f6fc}
.warning{fill:#ffa657}
text.log,text.mode{fill:#79b8ff}
.bar.log,.dot.log{fill:#4c9aff}
.bar.mode,.dot.mode{fill:#2f5f9e}
.bar.peer,.dot.peer{fill:#6e7681}
.bar.floor{fill:#1c2128;stroke:#545d68}
.dot,.halo{stroke:#0d1117}
.curve.log{stroke:#4c9aff}
.curve.mode{stroke:#2f5f9e}
.curve.peer{stroke:#6e7681}
.grid{stroke:#21262d}
.leader{stroke:#545d68}
}`.trim().replaceAll("\n", "");

function svgOf({ name, title, subtitle, description, height, body, line }: Card): string {
  const [titleId, descriptionId] = ["title", "description"].map((part) => escape(`${name}-${line.runtime}-${part}`));
  const subtitles = wrap(subtitle.split(" "), " ", SUBTITLE_CHARACTERS);
  const captions = wrap(captionOf(line), SEPARATOR, CAPTION_CHARACTERS);
  const bodyTop = TITLE_BASELINE + SUBTITLE_STEP * subtitles.length + 24;
  const captionTop = bodyTop + height + 36;
  const total = captionTop + CAPTION_STEP * (captions.length - 1) + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" ` +
    `role="img" aria-labelledby="${titleId} ${descriptionId}">`,
    `<title id="${titleId}">${escape(title)}</title>`,
    `<desc id="${descriptionId}">${escape(`${description}. ${captionOf(line).join(", ")}.`)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${total - 1}" rx="8"/>`,
    textAt(MARGIN, TITLE_BASELINE, title, "title"),
    ...subtitles.map((text, nth) => textAt(MARGIN, TITLE_BASELINE + 4 + SUBTITLE_STEP * (nth + 1), text, "subtitle")),
    `<g transform="translate(0 ${bodyTop})">`,
    ...body,
    "</g>",
    ...captions.map((text, nth) =>
      textAt(MARGIN, captionTop + CAPTION_STEP * nth, text, line.quick ? "caption warning" : "caption")
    ),
    "</svg>",
    "",
  ].join("\n");
}

const SEPARATOR = " · ";

const RUNTIMES: Readonly<Record<string, string>> = { node: "Node", node24: "Node", deno: "Deno", bun: "Bun" };

/** What it was measured on. */
function captionOf(line: PointLine): string[] {
  const { machine, disk } = line;
  return [
    ...(line.quick ? ["A quick run, whose figures mean nothing"] : []),
    `${RUNTIMES[line.runtime] ?? line.runtime} ${line.version}`,
    `walstream ${line.package}`,
    machine.cpu,
    `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`,
    machine.kernel,
    `fdatasync of 4 KiB ${Math.round(disk.fdatasync.p50Us)} µs (p99 ${Math.round(disk.fdatasync.p99Us)} µs)`,
    `entries of ${line.entryBytes} bytes`,
    `median of ${line.rounds} ${line.rounds === 1 ? "round" : "rounds"}`,
    line.at.slice(0, 10),
  ];
}

/** The parts in lines of at most so many characters. */
function wrap(parts: readonly string[], separator: string, most: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joined = last === undefined ? part : `${last}${separator}${part}`;
    if (last !== undefined && joined.length <= most) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}

function textAt(x: number, y: number, text: string, classes: string): string {
  return `<text class="${classes}" x="${round(x)}" y="${round(y)}">${escape(text)}</text>`;
}

function lineBetween(x1: number, y1: number, x2: number, y2: number, classes: string): string {
  return `<line class="${classes}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** `3.4 M`, `870 k`, `9.2 k`, `12`: two digits, or all before the point. */
function short(value: number): string {
  const [unit, suffix] = value >= 999_500 ? [1e6, " M"] : value >= 999.5 ? [1e3, " k"] : [1, ""];
  const scaled = value / unit;
  return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${suffix}`;
}

/** `1 M`, of a power of ten. */
function tick(value: number): string {
  return short(value).replace(".0", "");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for attributes; what XML cannot hold is left out. */
function escape(text: string): string {
  // deno-lint-ignore no-control-regex
  const clean = text.replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "");
  return clean.replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? "");
}

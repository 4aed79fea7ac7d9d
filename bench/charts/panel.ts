/**
 * Lines over logarithmic axes, with their figures at their points and their names at their ends.
 *
 * @module
 */

import { short, tick } from "./numbers.ts";
import { LogScale } from "./scales.ts";
import { dot, lineBetween, polyline, textAt } from "./svg.ts";

/** With so many callers, so many commits a second. */
export interface Place {
  readonly callers: number;
  readonly rate: number;
}

/** One who was measured with several numbers of callers. */
export interface Series {
  readonly role: "log" | "floor" | "peer";
  readonly label: string;
  /** From few callers to many. */
  readonly places: readonly Place[];
}

/** What a panel is drawn of. */
export interface PanelOptions {
  readonly title: string;
  readonly series: readonly Series[];
  readonly width: number;
  /** The numbers of callers that have a place on the axis. */
  readonly x: readonly number[];
  /** All panels have the same. */
  readonly y: LogScale;
  /** Whether the rates stand beside it. */
  readonly hasRates: boolean;
}

const HEADING = 30;
/** The first and the last numbers of callers stand a little inside. */
const INSET = 26;
const LABEL_STEP = 15;

/** See the head of this file. */
export class Panel {
  readonly #options: PanelOptions;
  readonly #x: LogScale;

  constructor(options: PanelOptions) {
    this.#options = options;
    this.#x = new LogScale(options.x, INSET, options.width - INSET);
  }

  /** At this place. */
  draw(left: number, top: number): string[] {
    const { title, series } = this.#options;
    return [
      `<g transform="translate(${left} ${top})">`,
      textAt(0, 12, title, "heading"),
      `<g transform="translate(0 ${HEADING})">`,
      ...this.#axes(),
      ...series.flatMap((each) => this.#curve(each)),
      ...series.flatMap((each) => each.role === "log" ? this.#figures(each) : []),
      ...this.#names(),
      "</g>",
      "</g>",
    ];
  }

  #axes(): string[] {
    const { y, width, x, hasRates } = this.#options;
    const bottom = y.at(y.decades[0] ?? 1);
    return [
      ...y.decades.flatMap((rate) => [
        lineBetween(0, y.at(rate), width, y.at(rate), "grid"),
        ...(hasRates ? [textAt(-8, y.at(rate) + 4, tick(rate), "end tick")] : []),
      ]),
      ...x.map((callers) => textAt(this.#x.at(callers), bottom + 18, tick(callers), "middle tick")),
      textAt(width / 2, bottom + 36, "callers", "middle tick"),
      ...(hasRates ? [textAt(-8, y.at(y.decades.at(-1) ?? 1) - 14, "commits/s", "end tick")] : []),
    ];
  }

  #curve({ role, places }: Series): string[] {
    const corners = places.map(({ callers, rate }) => [this.#x.at(callers), this.#options.y.at(rate)] as const);
    return [
      ...(corners.length > 1 ? [polyline(corners, `curve ${role}`)] : []),
      ...corners.map(([x, y]) => dot(x, y, role === "log" ? 4.5 : 3.5, `dot ${role}`)),
    ];
  }

  /** Above the line and left of it, where it never is: it rises. The first stands below, away from the axis. */
  #figures({ places }: Series): string[] {
    return places.map(({ callers, rate }, nth) => {
      const [x, y] = [this.#x.at(callers), this.#options.y.at(rate)];
      if (nth === 0) return textAt(x + 3, y + 20, short(rate), "log halo");
      const isLast = nth === places.length - 1;
      return textAt(isLast ? x + INSET : x - 6, y - (isLast ? 11 : 8), short(rate), "end log halo");
    });
  }

  /** In the corner where no line is: below the ends of all of them. */
  #names(): string[] {
    const { series, width, y } = this.#options;
    const bottom = y.at(y.decades[0] ?? 1);
    const ordered = [...series].sort((a, b) => (b.places.at(-1)?.rate ?? 0) - (a.places.at(-1)?.rate ?? 0));
    return ordered.map(({ role, label, places }, nth) => {
      const last = places.at(-1);
      const text = role === "log" ? label : `${label} ${short(last?.rate ?? 0)}`;
      return textAt(width - 4, bottom - 8 - LABEL_STEP * (ordered.length - 1 - nth), text, `end ${role} halo`);
    });
  }
}

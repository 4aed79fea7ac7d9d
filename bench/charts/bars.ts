/**
 * Groups of bars, in columns beside each other: a group is a runtime, a row is one who was measured, a column is what was
 * measured. Each column has a scale of its own from 0, the same for all groups, and each group its floor, as a line.
 *
 * @module
 */

import { MARGIN, WIDTH } from "./card.ts";
import { LinearScale } from "./scales.ts";
import { barAt, lineBetween, textAt } from "./svg.ts";

/** Whose bar it is: the log's, the log's in another way, another store's, or that of one that is tuned. */
export type Role = "log" | "mode" | "peer" | "tuned";

/** One who was measured, with a value for each column. */
export interface BarRow {
  readonly label: string;
  readonly role: Role;
  readonly values: readonly (number | null)[];
}

/** Rows that have a floor in common. */
export interface BarGroup {
  readonly title: string;
  /** One for each column. */
  readonly floors: readonly (number | null)[];
  readonly rows: readonly BarRow[];
}

/** A column, and how its values are written. */
export interface BarColumn {
  readonly title: string;
  readonly format: (value: number) => string;
}

/** As much as a card wants to know. */
export interface Drawing {
  readonly height: number;
  readonly body: readonly string[];
  readonly description: string;
}

const BAR_HEIGHT = 14;
const BAR_STEP = 19;
const HEADING_STEP = 26;
const GROUP_GAP = 16;
const LABEL_WIDTH = 174;
const VALUE_WIDTH = 62;
/** Where a floor is so many times the longest bar none has a line: the bars could not be told from each other any more. */
const FARTHEST_FLOOR = 8;

/** See the head of this file. */
export class Bars {
  readonly #columns: readonly BarColumn[];
  readonly #groups: readonly BarGroup[];
  readonly #scales: readonly ColumnScale[];
  readonly #columnWidth: number;

  constructor(columns: readonly BarColumn[], groups: readonly BarGroup[]) {
    this.#columns = columns;
    this.#groups = groups;
    this.#columnWidth = (WIDTH - 2 * MARGIN - LABEL_WIDTH) / columns.length;
    this.#scales = columns.map((_, column) => scaleOf(groups, column, this.#columnWidth - VALUE_WIDTH));
  }

  draw(): Drawing {
    const body = this.#columns.map(({ title }, nth) => textAt(this.#left(nth), 12, title, "heading"));
    let top = 24;
    for (const group of this.#groups) {
      body.push(...this.#group(group, top));
      top += HEADING_STEP + group.rows.length * BAR_STEP + GROUP_GAP;
    }
    return { body, height: top - GROUP_GAP - (BAR_STEP - BAR_HEIGHT), description: this.#description() };
  }

  #left(column: number): number {
    return MARGIN + LABEL_WIDTH + column * this.#columnWidth;
  }

  #group({ title, floors, rows }: BarGroup, top: number): string[] {
    const rowsTop = top + HEADING_STEP;
    return [
      textAt(MARGIN, top + 15, title, "heading"),
      ...rows.flatMap((row, nth) => this.#bars(row, rowsTop + nth * BAR_STEP)),
      ...floors.flatMap((floor, column) =>
        floor === null ? [] : this.#floor(floor, column, rowsTop, rows.length * BAR_STEP)
      ),
      ...rows.flatMap((row, nth) => this.#words(row, rowsTop + nth * BAR_STEP)), // above the line of the floor
    ];
  }

  #bars({ role, values }: BarRow, top: number): string[] {
    return values.flatMap((value, column) =>
      value === null ? [] : [barAt(this.#left(column), top, this.#length(value, column), BAR_HEIGHT, `bar ${role}`)]
    );
  }

  #words({ label, role, values }: BarRow, top: number): string[] {
    const baseline = top + BAR_HEIGHT / 2 + 4.5;
    const said = values.map((value, column) => {
      const left = this.#left(column);
      if (value === null) return textAt(left, baseline, "–", role);
      return textAt(
        left + this.#length(value, column) + 7,
        baseline,
        this.#format(value, column),
        `value halo ${role}`,
      );
    });
    return [textAt(MARGIN + LABEL_WIDTH - 10, baseline, label, `end ${role}`), ...said];
  }

  #length(value: number, column: number): number {
    return this.#scales[column]?.scale.length(value) ?? 0;
  }

  #format(value: number, column: number): string {
    return this.#columns[column]?.format(value) ?? "";
  }

  #floor(floor: number, column: number, rowsTop: number, height: number): string[] {
    const text = `floor ${this.#format(floor, column)}`;
    const left = this.#left(column);
    if (this.#scales[column]?.hasFloors === false) {
      return [textAt(left + this.#columnWidth - 8, rowsTop - 8, `${text}, far right →`, "end floor")];
    }
    const x = left + this.#length(floor, column);
    const isRight = x - left > this.#columnWidth / 3;
    return [
      lineBetween(x, rowsTop - 4, x, rowsTop + height - (BAR_STEP - BAR_HEIGHT) + 4, "floor"),
      textAt(x, rowsTop - 8, text, isRight ? "end floor" : "floor"),
    ];
  }

  #description(): string {
    const columns = this.#columns.map(({ title, format }, column) => {
      const groups = this.#groups.map(({ title, floors, rows }) => {
        const said = rows.flatMap(({ label, values }) => {
          const value = values[column] ?? null;
          return value === null ? [] : [`${label} ${format(value)}`];
        });
        const floor = floors[column] ?? null;
        return titled(title, [...said, ...(floor === null ? [] : [`floor ${format(floor)}`])].join(", "));
      });
      return titled(title, groups.join("; "));
    });
    return columns.join(". ");
  }
}

/** How long the bars of a column are, and whether its floors have a place beside them. */
interface ColumnScale {
  readonly scale: LinearScale;
  readonly hasFloors: boolean;
}

function scaleOf(groups: readonly BarGroup[], column: number, lengthPixels: number): ColumnScale {
  const bars = groups.flatMap(({ rows }) => rows.flatMap(({ values }) => values[column] ?? []));
  const floors = groups.flatMap(({ floors }) => floors[column] ?? []);
  const hasFloors = Math.max(0, ...floors) <= FARTHEST_FLOOR * Math.max(0, ...bars);
  return { scale: new LinearScale(hasFloors ? [...bars, ...floors] : bars, lengthPixels), hasFloors };
}

/** A chart of one group, or of one column, has no title for it. */
function titled(title: string, text: string): string {
  return title === "" ? text : `${title}: ${text}`;
}

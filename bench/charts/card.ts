/**
 * What all charts have in common: a card with a background of its own, so that it can be read whatever page it stands on,
 * its titles, and a caption.
 *
 * @module
 */

import type { PointLine } from "../harness/point_line.ts";
import { captionOf, isQuick } from "./caption.ts";
import { STYLE } from "./style.ts";
import { escape, textAt } from "./svg.ts";

/** How wide a card is: as the text of a page is. */
export const WIDTH = 800;
/** Nothing stands nearer to the left and the right. */
export const MARGIN = 28;

/** A chart but for what all have in common. */
export interface Card {
  readonly name: string;
  readonly title: string;
  readonly subtitle: string;
  /** For those who do not see it: what it says, in words and figures. */
  readonly description: string;
  /** Of the body, which begins at 0, 0 below the titles. */
  readonly height: number;
  readonly body: readonly string[];
  /** What it was drawn of. */
  readonly lines: readonly PointLine[];
}

const TITLE_BASELINE = 36;
const SUBTITLE_CHARACTERS = 118;
const SUBTITLE_STEP = 17;
const CAPTION_CHARACTERS = 124;
const CAPTION_STEP = 15;
const SEPARATOR = " · ";

/** The file. */
export function svgOf({ name, title, subtitle, description, height, body, lines }: Card): string {
  const [titleId, descriptionId] = [`${name}-title`, `${name}-description`];
  const caption = captionOf(lines);
  const subtitles = wrap(subtitle.split(" "), " ", SUBTITLE_CHARACTERS);
  const captions = wrap(caption, SEPARATOR, CAPTION_CHARACTERS);
  const bodyTop = TITLE_BASELINE + SUBTITLE_STEP * subtitles.length + 24;
  const captionTop = bodyTop + height + 36;
  const total = captionTop + CAPTION_STEP * (captions.length - 1) + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" ` +
    `role="img" aria-labelledby="${titleId} ${descriptionId}">`,
    `<title id="${titleId}">${escape(title)}</title>`,
    `<desc id="${descriptionId}">${escape(`${description}. ${caption.join(", ")}.`)}</desc>`,
    `<style>${STYLE}</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${total - 1}" rx="8"/>`,
    textAt(MARGIN, TITLE_BASELINE, title, "title"),
    ...subtitles.map((text, nth) => textAt(MARGIN, TITLE_BASELINE + 4 + SUBTITLE_STEP * (nth + 1), text, "subtitle")),
    `<g transform="translate(0 ${bodyTop})">`,
    ...body,
    "</g>",
    ...captions.map((text, nth) =>
      textAt(MARGIN, captionTop + CAPTION_STEP * nth, text, isQuick(lines) ? "caption warning" : "caption")
    ),
    "</svg>",
    "",
  ].join("\n");
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

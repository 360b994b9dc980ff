/** Bars on a logarithmic scale: a group for each case, a bar for each daemon, its figure at its end. */

import { logScale } from "./log-scale.ts";
import { className, WIDTH } from "./style.ts";
import { line, n, svgDocument, text } from "./svg.ts";

export interface BarGroup {
  readonly label: string;
  readonly bars: readonly { readonly daemon: string; readonly value: number; readonly text: string }[];
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly groups: readonly BarGroup[];
}

const LEFT = 96;
const RIGHT = WIDTH - 90;
const TOP = 62;
const BAR = 15;
const STEP = 19;
const GROUP_HEAD = 26;
const GROUP_GAP = 12;

export function barChart({ title, subtitle, groups }: BarChart): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  // A bar needs a length even at the least value.
  const scale = logScale([Math.min(...values) / 3, ...values], LEFT, RIGHT);
  const content: string[] = [];
  let y = TOP;
  for (const { label, bars } of groups) {
    content.push(text(label, 16, y + 16, { class: "bold" }));
    y += GROUP_HEAD;
    const top = y;
    for (const bar of bars) {
      const end = scale.place(bar.value);
      content.push(text(bar.daemon, LEFT - 8, y + BAR - 3, { anchor: "end" }));
      const shape = `<rect class="bar" x="${n(LEFT)}" y="${n(y)}" width="${n(end - LEFT)}" height="${BAR}" rx="2"/>`;
      content.push(`<g class="${className(bar.daemon)}">${shape}</g>`);
      content.push(text(bar.text, end + 6, y + BAR - 3, { class: "quiet" }));
      y += STEP;
    }
    content.push(line(LEFT, top - 3, LEFT, y, "axis"));
    y += GROUP_GAP;
  }
  const daemons = [...new Set(groups.flatMap(({ bars }) => bars.map(({ daemon }) => daemon)))];
  return svgDocument({ title, subtitle, daemons, height: y + 8 }, content);
}

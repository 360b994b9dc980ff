/** Lines over two logarithmic axes: one for each daemon, named at its end. */

import { logScale } from "./log-scale.ts";
import { className, daemonStyle, HEIGHT, WIDTH } from "./style.ts";
import { line, n, svgDocument, text, tickText } from "./svg.ts";

export interface Series {
  readonly daemon: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  /** With units. */
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
}

const LEFT = 76;
const RIGHT = WIDTH - 96;
const TOP = 68;
const BOTTOM = HEIGHT - 56;
const NAME_HEIGHT = 16;

export function lineChart({ title, subtitle, xTitle, yTitle, series }: LineChart): string {
  const points = series.flatMap((one) => one.points);
  const x = logScale(
    points.map(([value]) => value),
    LEFT,
    RIGHT,
  );
  const y = logScale(
    points.map(([, value]) => value),
    BOTTOM,
    TOP,
  );
  const measured = [...new Set(points.map(([value]) => value))];
  const content = [
    ...y.ticks.flatMap((tick) => [
      line(LEFT, y.place(tick), RIGHT, y.place(tick), "grid"),
      text(tickText(tick), LEFT - 8, y.place(tick) + 4, { anchor: "end", class: "quiet" }),
    ]),
    ...apart(measured, x.place).flatMap((value) => [
      line(x.place(value), BOTTOM, x.place(value), BOTTOM + 5, "axis"),
      text(tickText(value), x.place(value), BOTTOM + 20, { anchor: "middle", class: "quiet" }),
    ]),
    line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis"),
    text(xTitle, (LEFT + RIGHT) / 2, HEIGHT - 14, { anchor: "middle" }),
    text(yTitle, 20, (TOP + BOTTOM) / 2, { anchor: "middle", turned: true }),
    ...series.map((one) => drawn(one, x.place, y.place)),
    ...names(series, y.place),
  ];
  return svgDocument({ title, subtitle, daemons: series.map(({ daemon }) => daemon) }, content);
}

/** Values whose labels would touch are left unlabelled. */
function apart(values: readonly number[], place: (value: number) => number): number[] {
  const kept: number[] = [];
  for (const value of values.toSorted((a, b) => a - b)) {
    const before = kept.at(-1);
    const room = 8 * tickText(value).length;
    if (before === undefined || place(value) - place(before) > room) kept.push(value);
  }
  return kept;
}

function drawn({ daemon, points }: Series, x: (value: number) => number, y: (value: number) => number): string {
  const path = points.map(([a, b]) => `${n(x(a))},${n(y(b))}`).join(" ");
  const marks = points.map(([a, b]) => mark(daemon, x(a), y(b))).join("");
  return `<g class="${className(daemon)}"><polyline class="line" points="${path}"/>${marks}</g>`;
}

/** Pushed apart where lines end close to each other. */
function names(series: readonly Series[], y: (value: number) => number): string[] {
  const ends = series
    .flatMap(({ daemon, points }) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ daemon, at: y(last[1]) }];
    })
    .toSorted((a, b) => a.at - b.at);
  let free = 0;
  return ends.map(({ daemon, at }) => {
    const place = Math.max(at, free);
    free = place + NAME_HEIGHT;
    return `<g class="${className(daemon)}">${text(daemon, RIGHT + 8, place + 4, { class: "name" })}</g>`;
  });
}

/** The daemon's mark around a point. */
export function mark(daemon: string, x: number, y: number): string {
  const polygon = (corners: readonly (readonly [number, number])[]) =>
    `<polygon class="mark" points="${corners.map(([dx, dy]) => `${n(x + dx)},${n(y + dy)}`).join(" ")}"/>`;
  switch (daemonStyle(daemon).mark) {
    case "circle":
      return `<circle class="mark" cx="${n(x)}" cy="${n(y)}" r="5"/>`;
    case "ring":
      return `<circle class="open" cx="${n(x)}" cy="${n(y)}" r="4"/>`;
    case "square":
      return `<rect class="mark" x="${n(x - 4.5)}" y="${n(y - 4.5)}" width="9" height="9"/>`;
    case "triangle":
      return polygon([
        [0, -6],
        [5.5, 4.5],
        [-5.5, 4.5],
      ]);
    case "diamond":
      return polygon([
        [0, -6],
        [6, 0],
        [0, 6],
        [-6, 0],
      ]);
    case "cross":
      return `<path class="line" d="M${n(x - 4)} ${n(y - 4)}l8 8m0 -8l-8 8"/>`;
  }
}

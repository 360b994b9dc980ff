/** Pieces of SVG. */

import { HEIGHT, styleSheet, WIDTH } from "./style.ts";

export interface Frame {
  readonly title: string;
  /** Said below the title: what was measured, and how. */
  readonly subtitle: string;
  readonly daemons: readonly string[];
  readonly height?: number;
}

/** A whole document; `content` is drawn over the paper. */
export function svgDocument({ title, subtitle, daemons, height = HEIGHT }: Frame, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">
${styleSheet(daemons)}
<rect class="paper" width="${WIDTH}" height="${height}"/>
${text(title, 16, 26, { class: "title" })}
${text(subtitle, 16, 46, { class: "quiet" })}
${content.join("\n")}
</svg>
`;
}

export interface TextOptions {
  readonly class?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly turned?: boolean;
}

export function text(content: string, x: number, y: number, options: TextOptions = {}): string {
  const { class: name, anchor, turned } = options;
  const attributes = [
    `x="${n(x)}" y="${n(y)}"`,
    ...(name === undefined ? [] : [`class="${name}"`]),
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
    ...(turned ? [`transform="rotate(-90 ${n(x)} ${n(y)})"`] : []),
  ];
  return `<text ${attributes.join(" ")}>${escapeText(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, name: string): string {
  return `<line class="${name}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}"/>`;
}

/** Short numbers keep files small and their differences readable. */
export function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** "0.1", "10", "2,000,000". */
export function tickText(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

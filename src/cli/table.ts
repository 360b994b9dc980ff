/** Tables for people: columns that line up, whatever the letters in them. */

import type { Paint } from "./terminal.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align?: "right";
  readonly cell: (row: Row) => string;
  readonly paint?: (row: Row, paint: Paint) => ((text: string) => string) | undefined;
}

const GAP = "  ";

/** How wide each column has to be for these rows; later rows may be longer and then push theirs aside. */
export function columnWidths<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): number[] {
  return columns.map((column) => {
    let width = displayWidth(column.title);
    for (const row of rows) width = Math.max(width, displayWidth(printable(column.cell(row))));
    return width;
  });
}

export function headLine<Row>(columns: readonly Column<Row>[], widths: readonly number[], paint: Paint): string {
  const cells = columns.map((column, index) => pad(column.title, widths[index] ?? 0, column.align));
  return `${paint.bold(cells.join(GAP).trimEnd())}\n`;
}

export function rowLine<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
  row: Row,
  paint: Paint,
): string {
  let line = "";
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index];
    if (column === undefined) continue;
    const isLast = index === columns.length - 1;
    const text = printable(column.cell(row));
    // Nothing is padded at the end of a line: it would only wrap.
    const cell = isLast && column.align === undefined ? text : pad(text, widths[index] ?? 0, column.align);
    line += (index === 0 ? "" : GAP) + (column.paint?.(row, paint)?.(cell) ?? cell);
  }
  return `${line.trimEnd()}\n`;
}

export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], paint: Paint): string {
  const widths = columnWidths(columns, rows);
  let text = headLine(columns, widths, paint);
  for (const row of rows) text += rowLine(columns, widths, row, paint);
  return text;
}

/** Names and values one below the other, for a page about one thing. */
export function fields(entries: readonly (readonly [name: string, value: string])[], indent = "  "): string {
  const width = Math.max(...entries.map(([name]) => displayWidth(name)));
  return `${entries.map(([name, value]) => `${indent}${pad(name, width)}${GAP}${printable(value)}`.trimEnd()).join("\n")}\n`;
}

/** Text from the network goes to a terminal only without the characters that would steer it. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
}

export function displayWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII, the usual case, needs no closer look
  if (/^[\u0000-\u007f]*$/.test(text)) return text.length;
  let width = 0;
  for (const letter of text) {
    if (/\p{Mark}|\u200b|\u200d|\ufe0f/u.test(letter)) continue;
    width += isWide(letter.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return width;
}

/** East Asian wide and full-width characters and pictographs (Unicode TR 11), by block. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

function pad(text: string, width: number, align?: "right"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "right" ? space + text : text + space;
}

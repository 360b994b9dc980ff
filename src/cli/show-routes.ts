/** `starling show routes`: a table that streams, with widths fixed by its first rows. */

import type { RouteFilter, RouteView } from "../control/views.ts";
import { type CommandContext, printJson } from "./command-context.ts";
import { type Column, columnWidths, fields, headLine, rowLine } from "./table.ts";
import type { Paint } from "./terminal.ts";
import { plural, since } from "./words.ts";

/** Enough to know how wide the columns get, few enough that the first lines appear at once. */
const ROWS_BEFORE_WIDTHS = 200;

/** Wide enough for most of what may still come. */
const LEAST_WIDTHS = new Map([
  ["PREFIX", 18],
  ["NEXT HOP", 15],
]);

const HINT =
  " that prefix; `--for ADDRESS` shows the route that a packet takes, `--longer` all that lies within a prefix";

export async function showRoutes(context: CommandContext, filter: RouteFilter): Promise<void> {
  if (context.json) return printLines(context, filter);
  // For one prefix there are few paths, and whoever asks for it wants to know all of them.
  const isDetailed = filter.prefix !== undefined && filter.longer !== true;
  const printer = new RoutePrinter(context, isDetailed);
  for await (const texts of context.client.rows("routes", { ...filter })) {
    await printer.add(texts);
    if (context.out.isGone) return;
  }
  await printer.finish();
}

export async function countRoutes(context: CommandContext, filter: RouteFilter): Promise<void> {
  const count = await context.client.call<number>("count", { ...filter });
  if (context.json) return printJson(context, { count });
  await context.out.write(`${plural(count, "route")}\n`);
}

/** One object a line, as it came. */
async function printLines(context: CommandContext, filter: RouteFilter): Promise<void> {
  for await (const texts of context.client.rows("routes", { ...filter })) {
    await context.out.write(`${texts.join("\n")}\n`);
    if (context.out.isGone) return;
  }
}

class RoutePrinter {
  readonly #context: CommandContext;
  readonly #isDetailed: boolean;
  #waiting: RouteView[] = [];
  #widths: number[] | undefined;

  constructor(context: CommandContext, isDetailed: boolean) {
    this.#context = context;
    this.#isDetailed = isDetailed;
  }

  async add(texts: readonly string[]): Promise<void> {
    for (const text of texts) this.#waiting.push(shown(JSON.parse(text) as RouteView));
    if (this.#widths !== undefined || this.#waiting.length >= ROWS_BEFORE_WIDTHS) await this.#print();
  }

  async finish(): Promise<void> {
    if (this.#waiting.length > 0) await this.#print();
    else if (this.#widths === undefined)
      await this.#context.err.write(`no routes match${this.#isDetailed ? HINT : ""}\n`);
  }

  async #print(): Promise<void> {
    const { out, paint, now } = this.#context;
    let text = "";
    if (this.#widths === undefined) {
      const widths = columnWidths(COLUMNS, this.#waiting);
      const more = this.#waiting.length >= ROWS_BEFORE_WIDTHS;
      this.#widths = widths.map((width, index) => (more ? Math.max(width, leastWidth(index)) : width));
      text += `${paint.dim("* best, s stale; origin after the AS path: i IGP, e EGP, ? incomplete")}\n`;
      text += headLine(COLUMNS, this.#widths, paint);
    }
    for (const route of this.#waiting) {
      text += rowLine(COLUMNS, this.#widths, route, paint);
      if (this.#isDetailed) text += fields(details(route, now), "     ");
    }
    this.#waiting = [];
    await out.write(text);
  }
}

const COLUMNS: readonly Column<RouteView>[] = [
  { title: "", cell: (route) => `${route.best ? "*" : " "}${route.stale ? "s" : " "}`, paint: paintBest },
  { title: "PREFIX", cell: (route) => route.prefix, paint: paintBest },
  { title: "NEXT HOP", cell: (route) => route.nextHop ?? "-" },
  { title: "FROM", cell: (route) => route.peer ?? route.source },
  { title: "PREF", align: "right", cell: (route) => numberText(route.localPref) },
  { title: "MED", align: "right", cell: (route) => numberText(route.med) },
  {
    title: "AS PATH",
    cell: (route) => `${route.asPath} ${{ igp: "i", egp: "e", incomplete: "?" }[route.origin]}`.trim(),
  },
];

function paintBest(route: RouteView, paint: Paint): ((text: string) => string) | undefined {
  if (route.stale) return paint.yellow;
  return route.best ? paint.green : undefined;
}

function leastWidth(column: number): number {
  return LEAST_WIDTHS.get(COLUMNS[column]?.title ?? "") ?? 0;
}

/** What is advertised differs from what is in the table by what export policy did to it. */
function shown(route: RouteView): RouteView {
  return route.advertised === undefined ? route : { ...route, ...route.advertised };
}

function details(route: RouteView, now: number): [string, string][] {
  const { aggregator } = route;
  const entries: [string, string | undefined][] = [
    ["not best", route.reason ?? undefined],
    ["since", `${route.since} (${since(route.since, now)})`],
    ["via", listed(route.resolved.map(viaText))],
    ["link-local next hop", route.linkLocalNextHop ?? undefined],
    ["communities", listed(route.communities)],
    ["large communities", listed(route.largeCommunities)],
    ["extended communities", listed(route.extendedCommunities)],
    ["originator id", route.originatorId ?? undefined],
    ["cluster list", listed(route.clusterList)],
    ["aggregator", aggregator === null ? undefined : `AS ${aggregator.asNumber} at ${aggregator.address}`],
    ["atomic aggregate", route.atomicAggregate ? "yes" : undefined],
    ["path id", route.pathId === 0 ? undefined : String(route.pathId)],
    ["unknown attributes", listed(route.unknownAttributes.map(({ type, value }) => `type ${type}: ${value}`))],
  ];
  return entries.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function viaText(hop: RouteView["resolved"][number]): string {
  return [hop.gateway, hop.interface].filter((part) => part !== null).join(" on ");
}

function listed(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(", ");
}

function numberText(value: number | null): string {
  return value === null ? "-" : String(value);
}

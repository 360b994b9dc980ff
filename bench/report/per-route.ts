/** What one more route takes: from the peak memory of two cases of full that differ in the number of routes alone. */

import type { CaseResult, Results } from "../results.ts";

export interface PerRoute {
  readonly daemon: string;
  /** One route in and one out. */
  readonly octets: number;
}

/** Compares the case of fewest routes with that of most, one sender, one receiver, IPv4; nothing where there are not two. */
export function perRoute({
  cases,
}: Results): { readonly from: number; readonly to: number; readonly daemons: readonly PerRoute[] } | undefined {
  const full = cases
    .filter(
      ({ scenario, parameters: { S, R, family } }) => scenario === "full" && S === 1 && R === 1 && family === "ipv4",
    )
    .toSorted((a, b) => routesOf(a) - routesOf(b));
  const [few, many] = [full[0], full.at(-1)];
  if (few === undefined || many === undefined || few === many) return undefined;
  const [from, to] = [routesOf(few), routesOf(many)];
  const daemons = many.daemons.flatMap(({ daemon }) => {
    const [less, more] = [peakOf(few, daemon), peakOf(many, daemon)];
    return less === undefined || more === undefined ? [] : [{ daemon, octets: ((more - less) * 1e6) / (to - from) }];
  });
  return { from, to, daemons };
}

/** As a sentence; undefined where there is nothing to say. */
export function perRouteText(results: Results): string | undefined {
  const found = perRoute(results);
  if (found === undefined || found.daemons.length === 0) return undefined;
  const { from, to, daemons } = found;
  const each = daemons.map(({ daemon, octets }) => `${daemon} ${Math.round(octets)}`).join(", ");
  return `Octets of peak memory for each further route, one in and one out, between full M=${from} and M=${to}: ${each}.`;
}

function routesOf({ parameters }: CaseResult): number {
  return Number(parameters["M"]);
}

function peakOf({ daemons }: CaseResult, name: string): number | undefined {
  return daemons.find(({ daemon }) => daemon === name)?.summary.median.peakMegabytes;
}

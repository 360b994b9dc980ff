/** The kernel's part of the configuration: names of tables and protocols to the numbers that rtnetlink takes. */

import type { Given } from "./given.ts";
import { formatRouteProtocol, ROUTE_PROTOCOLS, ROUTE_TABLES } from "./kernel-names.ts";
import type { KernelConfig } from "./model.ts";
import { suggestion } from "./nearest.ts";
import type { KeyPath, ProblemList } from "./problem.ts";
import type { RootInput } from "./schema.ts";
import type { Surroundings } from "./surroundings.ts";

const MAX_U32 = 0xffffffff;

export function resolveKernel(
  input: RootInput["kernel"],
  given: Given["kernel"],
  surroundings: Surroundings,
  problems: ProblemList,
): KernelConfig {
  const protocol = resolveProtocol(input?.protocol ?? "bird", ["kernel", "protocol"], problems);
  // 1 redirect, 2 kernel, 3 boot, 4 static, 9 ra, 16 dhcp: the mark would make others' routes look like ours, and we prune ours.
  if ([1, 2, 3, 4, 9, 16].includes(protocol)) {
    const name = formatRouteProtocol(protocol);
    problems.error(
      ["kernel", "protocol"],
      `${name} marks other programs' routes; accepted: bird, bgp, or a number of its own`,
    );
  }
  const written = input?.learn?.protocols ?? given.learn.protocols;
  const protocols = written.map((name, i) => resolveProtocol(name, ["kernel", "learn", "protocols", i], problems));
  const own = protocols.indexOf(protocol);
  if (own >= 0) {
    const name = formatRouteProtocol(protocol);
    problems.error(["kernel", "learn", "protocols", own], `${name} marks the routes that starling writes itself`);
  }
  const sources = input?.preferredSources ?? [];
  for (const [i, { family }] of sources.entries()) {
    if (sources.findIndex((other) => other.family === family) < i)
      problems.error(
        ["kernel", "preferredSources", i],
        "is a second one of its family; accepted: one for IPv4, one for IPv6",
      );
  }
  return {
    enabled: input?.enabled ?? given.enabled,
    table: resolveTable(input?.table ?? "main", surroundings, problems),
    protocol,
    metric: input?.metric,
    preferredSources: sources,
    learn: {
      enabled: input?.learn?.enabled ?? true,
      protocols: [...new Set(protocols)],
      interfaces: input?.learn?.interfaces ?? given.learn.interfaces,
    },
    excludeInterfaces: [
      ...new Set([...given.alwaysExcluded, ...(input?.interfaces?.exclude ?? given.excludeInterfaces)]),
    ],
    maxPaths: input?.maxPaths ?? 16,
    pruneAfterMilliseconds: input?.pruneAfter ?? 240_000,
    rules: [],
    priorities: undefined,
  };
}

function resolveProtocol(value: string | number, path: KeyPath, problems: ProblemList): number {
  const text = String(value);
  const known = ROUTE_PROTOCOLS.get(text);
  if (known !== undefined) return known;
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 255) return Number(text);
  const names = [...ROUTE_PROTOCOLS.keys()];
  problems.error(
    path,
    `no protocol "${text}"${suggestion(text, names)}; accepted: a number from 1 to 255, or ${names.join(", ")}`,
  );
  return 0;
}

function resolveTable(value: string | number, surroundings: Surroundings, problems: ProblemList): number {
  const text = String(value);
  if (/^\d{1,10}$/.test(text)) {
    if (Number(text) >= 1 && Number(text) <= MAX_U32) return Number(text);
    problems.error(["kernel", "table"], `no table ${text}; accepted: a number from 1 to ${MAX_U32}, or a name`);
    return 0;
  }
  const known = ROUTE_TABLES.get(text) ?? surroundings.routingTable(text);
  if (known !== undefined) return known;
  const where =
    "accepted: main, default, a name from /etc/iproute2/rt_tables, or a number (a VRF's table by its number)";
  problems.error(["kernel", "table"], `no table "${text}"${suggestion(text, [...ROUTE_TABLES.keys()])}; ${where}`);
  return 0;
}

/** Reads what confd writes for BIRD back into the form of the model: an oracle that knows nothing of how the model came to be. */

type Shown = Readonly<Record<string, unknown>>;

export interface BirdFiles {
  /** bird.cfg, bird_aggr.cfg, bird_ipam.cfg, or the same of bird6. */
  readonly main: string;
  readonly aggregation: string;
  readonly pools: string;
}

const PRIORITY_BASE = 2147483647;

export function routerIdOf({ main }: BirdFiles): string | undefined {
  return find(main, /^router id (\S+);/m);
}

/** As `calico.ipv4` and `calico.ipv6` are shown, with the passwords. */
export function familyOf({ main, aggregation, pools }: BirdFiles): Shown {
  const enabled = !/^# IPv[46] disabled on this node/m.test(main);
  const localAs = numberOf(find(main, /^ {2}local as (\d+);/m));
  const [statics = ""] = blocksOf(aggregation, /^template static static_template \{$/m);
  const [blocks = "", services = ""] = statics.split("# Static routes.");
  return {
    enabled,
    listen: {
      port: numberOf(find(main, /^listen bgp (?:address \S+ )?port (\d+)/m)) ?? 179,
      address: find(main, /^listen bgp address (\S+)/m) ?? null,
    },
    logLevel: /^ {2}debug all;/m.test(main) ? "debug" : "info",
    localAsNumber: localAs ?? null,
    normalRoutePriority: numberOf(find(pools, /krt_metric < (\d+)/)),
    ignoredInterfaces: all(find(main, /^ {2}interface (.*?);/m) ?? "", /-"([^"]+)"/g).filter(
      (name) => name !== "cali*" && name !== "kube-ipvs*",
    ),
    peers: peersOf(main, localAs ?? 0),
    blackholes: all(blocks, /route (\S+) blackhole;/g),
    serviceRoutes: all(services, /route (\S+) blackhole;/g),
    staticRoutes: [...statics.matchAll(/route (\S+) via (\S+);/g)].map(([, prefix, via]) => ({ prefix, via })),
    aggregates: [...aggregation.matchAll(/# Block (\S+) is (implicitly )?confirmed.*\n(?:.*\n)(.*)/g)].map(
      ([, prefix, isImplicit, escaping]) => ({
        prefix,
        state: isImplicit === undefined ? "confirmed" : "implicit",
        escapeBelowMetric: numberOf(find(escaping ?? "", /krt_metric < (\d+)/)),
      }),
    ),
    pendingBlocks: [],
    ...exportRules(blocksOf(pools, /^function calico_export_to_bgp_peers\(bool internal_peer\) \{$/m)[0] ?? ""),
    communities: [],
    kernelRules: kernelRules(blocksOf(pools, /^filter calico_kernel_programming \{$/m)[0] ?? ""),
    filters: filtersOf(main),
  };
}

function find(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, one]) => one ?? []);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** What stands between a line that opens and the brace at the margin that closes it. */
function blocksOf(text: string, opening: RegExp): string[] {
  return text
    .split(new RegExp(opening.source, "m"))
    .slice(1)
    .map((rest) => rest.slice(0, rest.search(/^\}/m)));
}

function peersOf(main: string, ownAs: number): Shown[] {
  const names = all(main, /^protocol bgp (\S+) from/gm);
  return blocksOf(main, /^protocol bgp \S+ from bgp_template \{$/m).map((text, i) => {
    const [, address, port, asNumber] = /neighbor (\S+) (?:port (\d+) )?as (\d+);/.exec(text) ?? [];
    const override = numberOf(find(text, /^ {2}local as (\d+);/m));
    const localAsNumber = override ?? ownAs;
    const clusterId = find(text, /rr cluster id (\S+);/);
    const password = find(text, /password "(.*)";/);
    return {
      name: names[i],
      address,
      port: numberOf(port) ?? 179,
      asNumber: Number(asNumber),
      localAsNumber,
      localAsOverride: override !== undefined,
      localAddress: find(text, /source address (\S+);/) ?? null,
      passive: text.includes("passive on;"),
      ttlSecurity: text.includes("ttl security on;") ? Number(find(text, /multihop (\d+);/)) : null,
      multihop: /multihop( \d+)?;/.test(text),
      internal: Number(asNumber) === localAsNumber,
      gracefulRestartTime: numberOf(find(text, /graceful restart time (\d+);/)) ?? null,
      keepaliveTime: numberOf(find(text, /keepalive time (\d+);/)) ?? null,
      routeReflectorClient: text.includes("rr client;"),
      clusterId: clusterId ?? null,
      passwordSet: password !== undefined,
      password: password ?? null,
      nextHop: find(text, /next hop (self|keep);/) ?? null,
      allowLocalAs: numberOf(find(text, /allow local as (\d+);/)) ?? 0,
      importFilters: all(text, /'bgp_(.+)_importFilterV[46]'\(/g),
      exportFilters: all(text, /'bgp_(.+)_exportFilterV[46]'\(/g),
    };
  });
}

/** The same whether the argument of the call is right: it must be that of the peer's kind. */
export function callsOf(main: string): { readonly argument: string; readonly internal: boolean }[] {
  const own = numberOf(find(main, /^ {2}local as (\d+);/m)) ?? 0;
  return blocksOf(main, /^protocol bgp \S+ from bgp_template \{$/m).map((text) => ({
    argument: find(text, /calico_export_to_bgp_peers\((\w+)\)/) ?? "",
    internal: Number(find(text, /neighbor .* as (\d+);/)) === (numberOf(find(text, /^ {2}local as (\d+);/m)) ?? own),
  }));
}

function exportRules(text: string): Shown {
  const rejects: Shown[] = [...text.matchAll(/\(net ~ (\S+)\) then \{ reject; \} # BGP export is disabled/g)].map(
    ([, prefix]) => ({ prefix, peers: "all", reason: "disableBGPExport" }),
  );
  const [tunnels = ""] = text.split("reject_local_routes();");
  for (const glob of all(tunnels, /ifname ~ "([^"]+)"/g)) {
    rejects.push({ interface: glob, peers: "internal", reason: "tunnelRoute" });
  }
  if (text.includes("reject_local_routes();")) {
    rejects.push({ interface: "bpf*.cali", peers: "all", reason: "bpfLocalRoute" });
  }
  const accepts = [...text.matchAll(/if (\( net|\(net) ~ (\S+?) ?\) then \{ accept; \}/g)].map(
    ([, opening, prefix]) => ({
      prefix,
      reason: opening === "( net" ? "service" : "pool",
    }),
  );
  return { exportRejects: rejects, exportAccepts: accepts };
}

function kernelRules(text: string): Shown[] {
  const rules: Shown[] = [];
  for (const line of text.split("\n")) {
    const [, prefix, verdict] = /^ {2}if \( ?net ~ (\S+?) ?\) then \{ .*?(accept|reject); \}/.exec(line) ?? [];
    if (prefix !== undefined) rules.push({ prefix, action: verdict, reason: reasonOf(line, verdict) });
    else if (line.startsWith("  if (defined(source) && (source = RTS_BGP)")) rules.push(metricRule(text));
    else if (line === "  accept;") rules.push({ action: "accept", reason: "default" });
  }
  return rules;
}

function reasonOf(line: string, verdict: string | undefined): string {
  if (verdict === "accept") return "pool";
  return line.includes("Felix") ? "felix" : "service";
}

function metricRule(text: string): Shown {
  return {
    action: "setBGPMetric",
    default: numberOf(find(text, /^ {6}krt_metric = (\d+);/m)),
    fromLocalPref: numberOf(find(text, /krt_metric = (\d+) - bgp_local_pref;/)),
    elevatedBelow: numberOf(find(text, /krt_metric < (\d+)/)),
    elevatedPreference: numberOf(find(text, /preference = (\d+);/)),
  };
}

function filtersOf(main: string): Shown[] {
  const filters = new Map<string, Record<string, unknown>>();
  const opening = /^function 'bgp_(.+)_(import|export)FilterV[46]'\(.*\) \{$/gm;
  const texts = blocksOf(main, /^function 'bgp_.+_(?:import|export)FilterV[46]'\(.*\) \{$/m);
  for (const [i, [, name = "", direction = ""]] of [...main.matchAll(opening)].entries()) {
    const filter = filters.get(name) ?? { name };
    filter[direction] = (texts[i] ?? "").trim().split("\n").map(ruleOf);
    filters.set(name, filter);
  }
  return [...filters.values()];
}

const OPERATORS: Readonly<Record<string, string>> = { "=": "Equal", "!=": "NotEqual", "~": "In", "!~": "NotIn" };

function ruleOf(line: string): Shown {
  const [, operator = "", cidr] = /\(net (!=|=|!~|~) ([0-9a-f.:]+\/\d+)/.exec(line) ?? [];
  const isPeer = find(line, /if \(((?:!)?is_same_as)\)/);
  const community = /\(\((\d+), ?(\d+)(?:, ?(\d+))?\) ~ bgp_(?:large_)?community\)/.exec(line)?.slice(1);
  const path = find(line, /bgp_path ~ \[= ([\d ]+) \* =\]/);
  const priority = numberOf(find(line, /bgp_local_pref\)&&\(bgp_local_pref = (\d+)\)/));
  const operations = operationsOf(line.slice(line.lastIndexOf("{") + 1));
  return {
    ...(isPeer === undefined ? {} : { peerType: isPeer.startsWith("!") ? "eBGP" : "iBGP" }),
    ...(cidr === undefined ? {} : { cidr, matchOperator: OPERATORS[operator] }),
    ...(line.includes("RTS_BGP") ? { source: "RemotePeers" } : {}),
    ...interfaceOf(line),
    ...(community === undefined ? {} : { community: community.filter((one) => one !== undefined).join(":") }),
    ...(path === undefined ? {} : { asPathPrefix: path.split(" ").map(Number) }),
    ...(priority === undefined ? {} : { priority: PRIORITY_BASE - priority }),
    action: /accept;/.test(line) ? "Accept" : "Reject",
    ...(operations.length === 0 ? {} : { operations }),
  };
}

function interfaceOf(line: string): Shown {
  const glob = find(line, /ifname ~ "([^"]+)"/);
  return glob === undefined ? {} : { interface: glob };
}

function operationsOf(body: string): Shown[] {
  const communities = [...body.matchAll(/community\.add\(\(([\d, ]+)\)\)/g)].map(([, parts = ""]) => ({
    addCommunity: parts.split(/, */).join(":"),
  }));
  // Written from the last to the first.
  const prepended = all(body, /bgp_path\.prepend\((\d+)\)/g).map(Number);
  const localPref = numberOf(find(body, /bgp_local_pref = (\d+);/));
  return [
    ...communities,
    ...(prepended.length === 0 ? [] : [{ prependASPath: prepended.reverse() }]),
    ...(localPref === undefined ? [] : [{ setPriority: PRIORITY_BASE - localPref }]),
  ];
}

/** What Calico's resources say of the kernel: which routes BIRD writes there, by which metric, and what it takes from there. */

import { Family } from "../../bgp/model/family.ts";
import type { KernelRule as CompiledRule, Priorities } from "../../rib/options.ts";
import { parseAddress, parsePrefix } from "../addresses.ts";
import type { CalicoModel, KernelRule } from "./model.ts";
import { PRIORITY_BASE, within } from "./to-config-filter.ts";

const ALL: CompiledRule["match"] = {
  prefixes: undefined,
  origin: undefined,
  nextHops: undefined,
  nextHopOutside: undefined,
};

/** Loopback, multicast and link-local: what a peer says of them is no way for packets of this machine, as BIRD has it, too. */
const NOBODYS = [
  ...["127.0.0.0/8", "224.0.0.0/4"].flatMap((text) => within(text, Family.Ipv4)),
  ...["fe80::/10", "ff00::/8", "::1/128"].flatMap((text) => within(text, Family.Ipv6)),
];

export function kernelRules(model: Pick<CalicoModel, "ipv4" | "ipv6">): readonly CompiledRule[] {
  return [
    { match: { ...ALL, prefixes: NOBODYS }, set: undefined, then: "reject" },
    ...model.ipv4.kernelRules.flatMap((rule) => compiled(rule, Family.Ipv4)),
    ...model.ipv6.kernelRules.flatMap((rule) => compiled(rule, Family.Ipv6)),
  ];
}

/** The other family's routes pass by: their rules come after this family's, so its default names its own prefixes. */
function compiled(rule: KernelRule, family: Family): readonly CompiledRule[] {
  const every = within(family === Family.Ipv4 ? "0.0.0.0/0" : "::/0", family);
  if (rule.action === "setBGPMetric") {
    return [
      {
        match: { ...ALL, prefixes: every, origin: ["peer"] },
        set: { metric: "fromLocalPref", device: undefined },
        then: "next",
      },
    ];
  }
  if ("nextHop" in rule) {
    const address = parseAddress(rule.nextHop);
    if (address === undefined) return [];
    return [
      { match: { ...ALL, prefixes: every, origin: ["peer"], nextHops: [address] }, set: undefined, then: "reject" },
    ];
  }
  if (!("prefix" in rule)) return [{ match: { ...ALL, prefixes: every }, set: undefined, then: rule.action }];
  const prefixes = within(rule.prefix, family);
  if (prefixes.length === 0) return [];
  const plain: CompiledRule = { match: { ...ALL, prefixes }, set: undefined, then: rule.action };
  return rule.action === "accept" && rule.tunnel !== undefined
    ? [...tunnelled(rule.tunnel, rule, plain), plain]
    : [plain];
}

function tunnelled(
  device: string,
  { unlessNextHopIn }: { readonly unlessNextHopIn?: string },
  plain: CompiledRule,
): readonly CompiledRule[] {
  const nextHopOutside = unlessNextHopIn === undefined ? undefined : parsePrefix(unlessNextHopIn);
  return [
    {
      match: { ...plain.match, origin: ["peer"], nextHopOutside },
      set: { metric: undefined, device },
      then: "accept",
    },
  ];
}

/** Since 3.32 LOCAL_PREF and the kernel's metric say the same; before, all of Calico's routes had the usual LOCAL_PREF. */
export function priorities(model: CalicoModel): Priorities | undefined {
  if (model.release === "3.31") return undefined;
  return {
    base: PRIORITY_BASE,
    normal: { [Family.Ipv4]: model.ipv4.normalRoutePriority, [Family.Ipv6]: model.ipv6.normalRoutePriority },
    elevatedPreference: 200,
  };
}

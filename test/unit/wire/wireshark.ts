/** Wireshark's dissection of UPDATEs beside ours: the prefixes as one list of texts each. */

import { Family } from "../../../src/bgp/model/family.ts";
import { NotificationError, type UpdateMessage } from "../../../src/bgp/model/messages.ts";
import { decoderFor, prefixesOf } from "./messages.ts";

export type WiresharkUpdate = Readonly<Record<string, unknown>>;

const FAMILIES = (addPathReceive: boolean) =>
  [Family.Ipv4, Family.Ipv6].map((family) => ({ family, addPathReceive, addPathSend: false, extendedNextHop: true }));

/**
 * An UPDATE of a session that is not known: with AS numbers of four octets or else of two, and with path identifiers if
 * Wireshark saw some. Throws the NotificationError of the first try when no try does without mending.
 */
export function readAnyUpdate(body: Uint8Array, seen: WiresharkUpdate | undefined): UpdateMessage {
  const addPath = JSON.stringify(seen ?? {}).includes("bgp.nlri_path_id");
  let best: UpdateMessage | undefined;
  let failure: NotificationError | undefined;
  for (const fourOctetAs of [true, false]) {
    try {
      const update = decoderFor({ fourOctetAs, families: FAMILIES(addPath) }).decode(body);
      if (!update.problems.some((p) => p.outcome === "withdraw")) return update;
      best ??= update;
    } catch (error) {
      if (!(error instanceof NotificationError)) throw error;
      failure ??= error;
    }
  }
  if (best !== undefined) return best;
  throw failure;
}

/** Of the NLRI field. */
export function nlriPrefixes(update: UpdateMessage | WiresharkUpdate | undefined): string[] {
  if (update === undefined) return [];
  if (!isDecoded(update)) return prefixesIn(update["bgp.update.nlri"]);
  const classic = update.announced.filter((a) => a.attributes.nextHop.family === Family.Ipv4);
  const withdrawn = isTreatedAsWithdraw(update) ? update.withdrawn.filter((b) => b.family === Family.Ipv4) : [];
  return [...classic.map((a) => a.prefixes), ...withdrawn].flatMap(prefixesOf).sort();
}

/** Of the Withdrawn Routes field. */
export function withdrawnPrefixes(update: UpdateMessage | WiresharkUpdate | undefined): string[] {
  if (update === undefined) return [];
  if (!isDecoded(update)) return prefixesIn(update["bgp.update.withdrawn_routes"]);
  if (isTreatedAsWithdraw(update)) return [];
  return update.withdrawn
    .filter((b) => b.family === Family.Ipv4)
    .flatMap(prefixesOf)
    .sort();
}

/** Of MP_REACH_NLRI and MP_UNREACH_NLRI, unicast alone. */
export function mpPrefixes(update: UpdateMessage | WiresharkUpdate | undefined): string[] {
  if (update === undefined) return [];
  if (isDecoded(update)) {
    const reached = update.announced.filter((a) => a.attributes.nextHop.family === Family.Ipv6);
    const unreached = update.withdrawn.filter((b) => b.family === Family.Ipv6);
    return [...reached.map((a) => a.prefixes), ...unreached].flatMap(prefixesOf).sort();
  }
  const { "bgp.update.path_attributes": list } = update as { "bgp.update.path_attributes"?: WiresharkUpdate };
  const attributes = list?.["bgp.update.path_attribute"] ?? [];
  return (Array.isArray(attributes) ? attributes : [attributes])
    .flatMap((attribute: WiresharkUpdate) =>
      ["mp_reach_nlri", "mp_unreach_nlri"].flatMap((name) => {
        const key = `bgp.update.path_attribute.${name}`;
        return attribute[`${key}.safi`] === "1" ? prefixesIn(attribute[key]) : [];
      }),
    )
    .sort();
}

function isDecoded(update: UpdateMessage | WiresharkUpdate): update is UpdateMessage {
  return "announced" in update;
}

function isTreatedAsWithdraw(update: UpdateMessage): boolean {
  return update.problems.some((p) => p.outcome === "withdraw");
}

/** Every object below `node` that has a prefix and its length. */
function prefixesIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(prefixesIn).sort();
  if (typeof node !== "object" || node === null) return [];
  const fields = node as WiresharkUpdate;
  const name = Object.keys(fields).find((key) => key.endsWith("_prefix"));
  if (name === undefined) return Object.values(fields).flatMap(prefixesIn).sort();
  const id = String(fields["bgp.nlri_path_id"] ?? "0");
  return [`${String(fields[name])}/${String(fields["bgp.prefix_length"])}${id === "0" ? "" : `#${id}`}`];
}

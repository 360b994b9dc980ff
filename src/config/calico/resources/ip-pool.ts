/** IPPool: which addresses pods have, and how traffic to them is carried. */

import { Family } from "../../../bgp/model/family.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { cidr, familyOf } from "./field-types.ts";
import { choice, flag, ignored, readFields, required } from "./fields.ts";

export const ipPoolFields = {
  allowedUses: ignored(),
  assignmentMode: ignored(),
  blockSize: ignored(),
  cidr: required(cidr()),
  disableBGPExport: flag(),
  disabled: flag(),
  ipipMode: choice("Never", "Always", "CrossSubnet"),
  namespaceSelector: ignored(),
  natOutgoing: ignored(),
  nodeSelector: ignored(),
  vxlanMode: choice("Never", "Always", "CrossSubnet"),
};

export interface IpPool {
  readonly name: string;
  readonly cidr: string;
  readonly ipip: "Always" | "CrossSubnet" | undefined;
  readonly isVxlan: boolean;
  readonly isExportDisabled: boolean;
}

/** What was kept in older versions of the resource, and is there in clusters that were upgraded. */
const OLD_FIELDS = { ...ipPoolFields, ipip: ignored(), "nat-outgoing": ignored() };

export function readIpPool({ metadata, ...object }: StoredObject, place: Place): IpPool | undefined {
  const at = place.at("spec");
  const spec = readFields(OLD_FIELDS, object["spec"], at);
  const ipip = spec.ipipMode === "Never" ? undefined : spec.ipipMode;
  const isVxlan = spec.vxlanMode !== undefined && spec.vxlanMode !== "Never";
  if (ipip !== undefined && isVxlan) at.at("vxlanMode").refuse("cannot stand beside ipipMode; set one to Never");
  if (spec.cidr !== undefined && ipip !== undefined && familyOf(spec.cidr) === Family.Ipv6) {
    at.at("ipipMode").refuse("IPIP carries IPv4 alone; accepted: Never");
  }
  if (place.hasErrors || spec.cidr === undefined) return undefined;
  return {
    name: metadata.name,
    cidr: spec.cidr,
    ipip,
    isVxlan,
    isExportDisabled: spec.disableBGPExport ?? false,
  };
}

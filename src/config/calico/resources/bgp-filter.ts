/** BGPFilter: rules in order for what comes in and what goes out, by family. */

import { Family } from "../../../bgp/model/family.ts";
import { shownFilterName } from "../filter-name.ts";
import type { CalicoFilter, FilterOperation, FilterRule } from "../model.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { asNumber, community, familyOf, priority, writtenCidr } from "./field-types.ts";
import { choice, integer, list, map, mapTo, name, readFields, required, text, type Values } from "./fields.ts";

const operation = mapTo(
  {
    addCommunity: map({ value: required(community()) }),
    prependASPath: map({ prefix: required(list(asNumber(), 10)) }),
    setPriority: map({ value: required(priority()) }),
  },
  ({ addCommunity, prependASPath, setPriority }, place): FilterOperation | undefined => {
    const given: readonly FilterOperation[] = [
      ...(addCommunity?.value === undefined ? [] : [{ addCommunity: addCommunity.value }]),
      ...(prependASPath?.prefix === undefined ? [] : [{ prependASPath: prependASPath.prefix }]),
      ...(setPriority?.value === undefined ? [] : [{ setPriority: setPriority.value }]),
    ];
    if (given.length === 1) return given[0];
    return place.refuse("is not one operation; accepted: one of addCommunity, prependASPath, setPriority");
  },
);

function ruleFields(family: Family) {
  const bits = family === Family.Ipv4 ? 32 : 128;
  const example = family === Family.Ipv4 ? "10.0.0.0/8" : "fd00::/8";
  return {
    action: required(choice("Accept", "Reject")),
    asPathPrefix: list(asNumber()),
    cidr: text(
      `a CIDR of this family such as ${example}`,
      (written) => (writtenCidr(written) !== undefined && familyOf(written) === family ? written : undefined),
      family === Family.Ipv4 ? 18 : 43,
    ),
    communities: map({ values: required(list(community(), 1)) }),
    interface: name("the name of an interface, with * and ? for what is any", 15),
    matchOperator: choice("Equal", "NotEqual", "In", "NotIn"),
    operations: list(operation, 10),
    peerType: choice("eBGP", "iBGP"),
    prefixLength: map({ min: integer(0, bits), max: integer(0, bits) }),
    priority: priority(),
    source: choice("RemotePeers"),
  };
}

const ruleFields4 = ruleFields(Family.Ipv4);
const rule4 = mapTo(ruleFields4, ruleOf);
const rule6 = mapTo(ruleFields(Family.Ipv6), ruleOf);
/** Far more than anybody writes; a longer list is a mistake of a machine. */
const MAX_RULES = 1000;

export const bgpFilterFields = {
  exportV4: list(rule4, MAX_RULES),
  exportV6: list(rule6, MAX_RULES),
  importV4: list(rule4, MAX_RULES),
  importV6: list(rule6, MAX_RULES),
};

/** Undefined where the family has no rules. */
export interface BgpFilter {
  readonly name: string;
  readonly ipv4: CalicoFilter | undefined;
  readonly ipv6: CalicoFilter | undefined;
}

/** Undefined: a rule is wrong. Without it the rest would do what nobody asked for. */
export function readBgpFilter({ metadata, ...object }: StoredObject, place: Place): BgpFilter | undefined {
  const spec = readFields(bgpFilterFields, object["spec"], place.at("spec"));
  if (place.hasErrors) return undefined;
  return {
    name: metadata.name,
    ipv4: familyFilter(metadata.name, spec.importV4, spec.exportV4),
    ipv6: familyFilter(metadata.name, spec.importV6, spec.exportV6),
  };
}

function familyFilter(
  filterName: string,
  imports: readonly FilterRule[] = [],
  exports: readonly FilterRule[] = [],
): CalicoFilter | undefined {
  if (imports.length === 0 && exports.length === 0) return undefined;
  return {
    name: shownFilterName(filterName),
    ...(imports.length === 0 ? {} : { import: imports }),
    ...(exports.length === 0 ? {} : { export: exports }),
  };
}

function ruleOf(values: Values<typeof ruleFields4>, place: Place): FilterRule | undefined {
  const { action, cidr, matchOperator, prefixLength, source, peerType, communities, asPathPrefix, priority } = values;
  checkTogether(values, place);
  if (action === undefined) return undefined;
  const [wanted] = communities?.values ?? [];
  const { min, max } = prefixLength ?? {};
  return {
    ...(cidr === undefined ? {} : { cidr }),
    ...(matchOperator === undefined ? {} : { matchOperator }),
    ...(min === undefined && max === undefined
      ? {}
      : { prefixLength: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) } }),
    ...(source === undefined ? {} : { source }),
    ...(values.interface === undefined ? {} : { interface: values.interface }),
    ...(peerType === undefined ? {} : { peerType }),
    ...(wanted === undefined ? {} : { community: wanted }),
    ...(asPathPrefix === undefined || asPathPrefix.length === 0 ? {} : { asPathPrefix }),
    ...(priority === undefined ? {} : { priority }),
    action,
    ...(values.operations === undefined || values.operations.length === 0 ? {} : { operations: values.operations }),
  };
}

function checkTogether(values: Values<typeof ruleFields4>, place: Place): void {
  const { action, cidr, matchOperator, prefixLength, operations } = values;
  if (place.hasErrors) return;
  if (cidr !== undefined && matchOperator === undefined) {
    place.at("matchOperator").refuse("is missing beside cidr; accepted: Equal, NotEqual, In, NotIn");
  }
  if (cidr === undefined && matchOperator !== undefined) {
    place.at("cidr").refuse("is missing beside matchOperator; accepted: a CIDR");
  }
  if (prefixLength !== undefined && cidr === undefined) {
    place.at("prefixLength").refuse("needs a cidr, whose prefixes have those lengths");
  }
  if (prefixLength !== undefined && (matchOperator === "Equal" || matchOperator === "NotEqual")) {
    const always = matchOperator === "Equal" ? "never" : "always";
    place
      .at("prefixLength")
      .warn(
        `beside matchOperator ${matchOperator} the rule ${always} matches, as with BIRD; use ${matchOperator === "Equal" ? "In" : "NotIn"}`,
      );
  }
  const { min = 0, max = 128 } = prefixLength ?? {};
  if (min > max)
    place.at("prefixLength").warn(`no prefix has a length from ${min} to ${max}: the rule matches nothing`);
  if (operations !== undefined && operations.length > 0 && action === "Reject") {
    place.at("operations").refuse("cannot stand beside action Reject; accepted: action Accept");
  }
}

/** Calico's layout of keys in etcd, and the objects that stand under them. */

import { CALICO_API } from "../../object-key.ts";
import type { StoredObject } from "../../stored-object.ts";
import { isFields, type StoredForm, toStoredForm } from "../stored-form.ts";

const RESOURCES = "/calico/resources/v3/projectcalico.org/";
const KINDS: Readonly<Record<string, string>> = {
  bgpconfigurations: "BGPConfiguration",
  bgpfilters: "BGPFilter",
  bgppeers: "BGPPeer",
  caliconodestatuses: "CalicoNodeStatus",
  clusterinformations: "ClusterInformation",
  felixconfigurations: "FelixConfiguration",
  ippools: "IPPool",
  nodes: "Node",
};
/** `/calico/ipam/v2/host/<node>/ipv4/block/192.168.221.64-26` */
const AFFINITY = /^\/calico\/ipam\/v2\/host\/([^/]+)\/ipv[46]\/block\/([^/]+)-(\d+)$/;

export interface KeyRange {
  readonly key: string;
  /** Beyond the range. */
  readonly end: string;
}

/** All that BGP on the node is made of. Other nodes' blocks are no concern of it: they are learnt from peers. */
export function rangesOf(nodeName: string): KeyRange[] {
  return [...Object.keys(KINDS).map((plural) => `${RESOURCES}${plural}/`), `/calico/ipam/v2/host/${nodeName}/`].map(
    (prefix) => ({ key: prefix, end: afterPrefix(prefix) }),
  );
}

export function nodeStatusKey(name: string): string {
  return `${RESOURCES}caliconodestatuses/${name}`;
}

/** The first text that is greater than all that begin with the prefix: its last character is one higher. */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** `value` as it stands in etcd. */
export function objectAt(key: string, value: Uint8Array): StoredForm {
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString("utf8").trim();
  const affinity = AFFINITY.exec(key);
  const fields = parseJson(affinity !== null && text === "" ? "{}" : text);
  if (!isFields(fields)) return { kind: "wrong", message: "the value is no JSON object" };
  if (affinity !== null) return affinityAt(affinity, fields);
  const identity = resourceAt(key);
  if (identity === undefined) return { kind: "foreign" };
  const metadata = isFields(fields["metadata"]) ? fields["metadata"] : {};
  // The key says which object it is, whatever the value says.
  return toStoredForm({
    ...fields,
    apiVersion: CALICO_API,
    kind: identity.kind,
    metadata: { ...metadata, name: identity.name },
  });
}

function resourceAt(key: string): { readonly kind: string; readonly name: string } | undefined {
  if (!key.startsWith(RESOURCES)) return undefined;
  const [plural = "", name = "", ...deeper] = key.slice(RESOURCES.length).split("/");
  const kind = Object.hasOwn(KINDS, plural) ? KINDS[plural] : undefined;
  return kind === undefined || name === "" || deeper.length > 0 ? undefined : { kind, name };
}

/** A block has no resource of its own in etcd: node and prefix stand in the key. Without a state it is confirmed. */
function affinityAt(match: RegExpExecArray, value: Readonly<Record<string, unknown>>): StoredForm {
  const [, node = "", address = "", length = ""] = match;
  const name = `${node}-${address.replaceAll(/[.:]/g, "-")}-${length}`;
  const spec = {
    state: value["state"] ?? "confirmed",
    node,
    cidr: `${address}/${length}`,
    deleted: value["deleted"] === true,
  };
  const object: Pick<StoredObject, "apiVersion" | "kind" | "metadata"> & { readonly spec: object } = {
    apiVersion: CALICO_API,
    kind: "BlockAffinity",
    metadata: { name },
    spec,
  };
  return toStoredForm(object);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

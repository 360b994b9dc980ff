/** The forms in which resources are written or stored, brought to the one form of StoredObject. */

import { suggestion } from "../../nearest.ts";
import { nameValue } from "../../scalars.ts";
import { CALICO_API, keyOf } from "../object-key.ts";
import type { ObjectKey, StoredObject } from "../stored-object.ts";

export type StoredForm =
  | { readonly kind: "object"; readonly object: StoredObject; readonly key: ObjectKey }
  /** Rightly there, and nothing that BGP is made of: a Deployment, a NetworkPolicy. */
  | { readonly kind: "foreign" }
  | { readonly kind: "wrong"; readonly message: string };

type Fields = Readonly<Record<string, unknown>>;

/** The custom resources in which Calico's own API keeps its objects. */
const CRD_API = "crd.projectcalico.org/v1";
/** Where those keep the metadata as the user wrote it. */
const METADATA_ANNOTATION = "projectcalico.org/metadata";

/** What BGP is made of. CalicoNodeStatus is answered, FelixConfiguration compared with. */
const CALICO_KINDS: ReadonlySet<string> = new Set([
  "BGPConfiguration",
  "BGPFilter",
  "BGPPeer",
  "BlockAffinity",
  "CalicoNodeStatus",
  "ClusterInformation",
  "FelixConfiguration",
  "IPPool",
  "Node",
]);

/** Calico's other kinds, known so that a mistyped kind is told from one that is not for BGP. */
const OTHER_CALICO_KINDS: ReadonlySet<string> = new Set([
  "GlobalNetworkPolicy",
  "GlobalNetworkSet",
  "HostEndpoint",
  "IPAMBlock",
  "IPAMConfig",
  "IPAMConfiguration",
  "IPAMHandle",
  "IPReservation",
  "KubeControllersConfiguration",
  "NetworkPolicy",
  "NetworkSet",
  "Profile",
  "QoSPolicy",
  "StagedGlobalNetworkPolicy",
  "StagedKubernetesNetworkPolicy",
  "StagedNetworkPolicy",
  "Tier",
  "WorkloadEndpoint",
]);

const KUBERNETES_KINDS: ReadonlyMap<string, string> = new Map([
  ["Node", "v1"],
  ["Service", "v1"],
  ["Secret", "v1"],
  ["EndpointSlice", "discovery.k8s.io/v1"],
]);

/** The resources of Calico 2, whose kinds began with a small letter. */
const LEGACY_KINDS: ReadonlySet<string> = new Set(["bgpPeer", "ipPool", "hostEndpoint", "workloadEndpoint", "policy"]);

/** As Kubernetes has it. */
const MAX_NAME_LENGTH = 253;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** Far deeper than any resource; what walks through objects by recursion holds out so far. */
const MAX_DEPTH = 64;
export const TOO_DEEP: StoredForm = { kind: "wrong", message: `this is nested more than ${MAX_DEPTH} deep` };

/** `value` is what a file, the API server or etcd holds, and may be anything at all. */
export function toStoredForm(value: unknown): StoredForm {
  if (!isShallow(value)) return TOO_DEEP;
  if (!isFields(value)) return wrong("this is not a resource: a resource has apiVersion, kind, metadata and spec");
  const { apiVersion, kind } = value;
  if (typeof kind !== "string") return wrong("this is not a resource: `kind` is missing, or is not text");
  if (typeof apiVersion !== "string") return wrong(`this ${kind} has no \`apiVersion\`; accepted: ${CALICO_API}`);
  if (apiVersion === CALICO_API || apiVersion === CRD_API) return calicoForm(value, kind, apiVersion);
  const api = KUBERNETES_KINDS.get(kind);
  if (api === apiVersion) return checked(value, apiVersion, kind);
  return stranger(apiVersion, kind, api);
}

function calicoForm(value: Fields, kind: string, apiVersion: string): StoredForm {
  if (OTHER_CALICO_KINDS.has(kind)) return { kind: "foreign" };
  if (!CALICO_KINDS.has(kind)) {
    return wrong(`Calico has no kind ${kind}${suggestion(kind, [...CALICO_KINDS, ...OTHER_CALICO_KINDS])}`);
  }
  if (apiVersion === CALICO_API && (kind !== "BlockAffinity" || !isFields(value["spec"]))) {
    return checked(value, CALICO_API, kind);
  }
  const metadata = isFields(value["metadata"]) ? unwrapped(value["metadata"], apiVersion) : value["metadata"];
  if (typeof metadata === "string") return wrong(metadata);
  const spec = kind === "BlockAffinity" ? affinitySpec(value["spec"]) : value["spec"];
  return checked({ ...value, metadata, spec }, CALICO_API, kind);
}

/** An object of an API that is none of ours: mostly no concern of BGP, sometimes a mistake that deserves a word. */
function stranger(apiVersion: string, kind: string, api: string | undefined): StoredForm {
  const [group = ""] = apiVersion.split("/");
  if (LEGACY_KINDS.has(kind)) {
    return wrong(`${kind} is in the format of Calico 2; \`calicoctl convert\` makes a resource of ${CALICO_API} of it`);
  }
  if (CALICO_KINDS.has(kind) && api === undefined) {
    return wrong(
      `${kind} with apiVersion ${apiVersion}; accepted: ${CALICO_API} (and ${CRD_API} as kubectl prints it)`,
    );
  }
  if (group === "projectcalico.org" || group === "crd.projectcalico.org") {
    return wrong(`apiVersion ${apiVersion} is not known; accepted: ${CALICO_API} and ${CRD_API}`);
  }
  if (group === "operator.tigera.io" && kind === "Installation") {
    return wrong(
      `${kind} is for the Tigera operator, which makes IPPools and a BGPConfiguration of it: starling reads those`,
    );
  }
  if (api !== undefined && (group === "discovery.k8s.io" || group === apiVersion)) {
    return wrong(`${kind} with apiVersion ${apiVersion}; accepted: ${api}`);
  }
  return { kind: "foreign" };
}

/** The metadata as the user wrote it; a text if what holds it cannot be read. Name and namespace are always the object's own. */
function unwrapped(metadata: Fields, apiVersion: string): Fields | string {
  const { annotations } = metadata;
  const text = isFields(annotations) ? annotations[METADATA_ANNOTATION] : undefined;
  if (apiVersion !== CRD_API || !isFields(annotations) || text === undefined) return metadata;
  const written = typeof text === "string" ? parseJson(text) : undefined;
  if (!isFields(written)) return `the annotation ${METADATA_ANNOTATION} holds no JSON object; remove it or mend it`;
  const { [METADATA_ANNOTATION]: _, ...others } = annotations;
  const both = { ...written, ...metadata };
  return {
    ...both,
    ...merged("labels", written["labels"], metadata["labels"]),
    annotations: { ...fieldsOf(written["annotations"]), ...others },
  };
}

function merged(key: string, written: unknown, own: unknown): Fields {
  return isFields(written) || isFields(own) ? { [key]: { ...fieldsOf(written), ...fieldsOf(own) } } : {};
}

/** The custom resource has `deleted` as text. */
function affinitySpec(spec: unknown): unknown {
  if (!isFields(spec)) return spec;
  const { deleted } = spec;
  return deleted === "true" || deleted === "false" ? { ...spec, deleted: deleted === "true" } : spec;
}

function checked(value: Fields, apiVersion: string, kind: string): StoredForm {
  const { metadata } = value;
  if (!isFields(metadata)) return wrong(`this ${kind} has no \`metadata\``);
  const { name, namespace } = metadata;
  if (typeof name !== "string" || name === "") {
    return wrong(`the \`metadata.name\` of this ${kind} is missing, or is not text`);
  }
  if (name.length > MAX_NAME_LENGTH || CONTROL.test(name)) return wrong(notAName(kind, name));
  if (namespace !== undefined && typeof namespace !== "string") {
    return wrong(`${kind} ${name}: \`metadata.namespace\` is not text`);
  }
  if (namespace !== undefined && (namespace.length > MAX_NAME_LENGTH || CONTROL.test(namespace))) {
    return wrong(notAName(kind, namespace));
  }
  const texts: Record<string, Readonly<Record<string, string>>> = {};
  for (const part of ["labels", "annotations"] as const) {
    const found = textsOf(metadata[part]);
    if (typeof found === "string") return wrong(`${kind} ${name}: \`metadata.${part}\`${found}`);
    texts[part] = found;
  }
  const object = { ...value, apiVersion, kind, metadata: { ...metadata, name, ...texts } } as StoredObject;
  return { kind: "object", object, key: keyOf(object) };
}

/** Names are in logs, metrics, and answers that are read line by line. */
function notAName(kind: string, written: string): string {
  return `${kind} ${nameValue(written)} is not accepted as a name; accepted: at most ${MAX_NAME_LENGTH} characters, none of them a control character`;
}

/** Texts by name; what is wrong, if they are none. As with calicoctl, `rr: true` without quotes is the text that is written there. */
function textsOf(value: unknown): Readonly<Record<string, string>> | string {
  if (value === undefined || value === null) return {};
  if (!isFields(value)) return " is not a map of texts";
  const texts: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === "object" && text !== null) return `["${key}"] is not text`;
    texts.push([key, String(text ?? "")]);
  }
  return Object.fromEntries(texts);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nested no deeper than is accepted. */
export function isShallow(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((part) => isShallow(part, depth - 1));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrong(message: string): StoredForm {
  return { kind: "wrong", message };
}

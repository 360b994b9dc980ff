/** The `calico` section and, where it says nothing, the environment that calico/node is given: together the options. */

import { formatAddress } from "../../bgp/model/address.ts";
import { parseAddress, parsePrefix } from "../addresses.ts";
import type { CalicoInput } from "../schema-calico.ts";
import type { Surroundings } from "../surroundings.ts";
import { environmentDatastore, withResolvedPaths, writtenDatastore } from "./environment-datastore.ts";
import { type Environment, type EnvironmentProblem, EnvironmentReader } from "./environment-reader.ts";
import type { CalicoOptions } from "./options.ts";

export interface ResolvedCalico {
  /** Usable only where no problem is an error. */
  readonly options: CalicoOptions;
  readonly problems: readonly EnvironmentProblem[];
}

/** What is asked of the machine. */
export interface CalicoSurroundings
  extends Pick<Surroundings, "addresses" | "environment" | "readText" | "resolvePath"> {
  /** What the machine calls itself. */
  readonly hostName: () => string;
}

/** Where calico/node keeps the name under which it registered itself. */
const NODE_NAME_FILE = "/var/lib/calico/nodename";
const BACKENDS = ["bird", "vxlan", "none"] as const;
/** Those of confd's log, and what they are called in resources. */
const SEVERITIES: Readonly<Record<string, CalicoOptions["logSeverity"]>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  notice: "info",
  warning: "warning",
  warn: "warning",
  error: "error",
  critical: "fatal",
  fatal: "fatal",
  panic: "fatal",
  none: "fatal",
};

/** A machine where the environment alone asks for Calico. KUBECONFIG alone does not: developers have it set. */
export function isCalicoNode(environment: Environment): boolean {
  const names = ["DATASTORE_TYPE", "ETCD_ENDPOINTS", "ETCD_DISCOVERY_SRV"];
  return names.some((name) => Boolean(environment(`CALICO_${name}`) || environment(name)));
}

/** `written` overrides the environment, key by key. */
export function resolveCalico(written: CalicoInput, surroundings: CalicoSurroundings): ResolvedCalico {
  const reader = new EnvironmentReader(surroundings.environment);
  const nodeName = written.nodeName ?? nodeNameOf(reader, surroundings);
  const datastore =
    written.datastore === undefined
      ? environmentDatastore(reader)
      : writtenDatastore(withResolvedPaths(written.datastore, surroundings.resolvePath), reader);
  const prefix = reader.text("CALICO_ENDPOINT_STATUS_PATH_PREFIX") ?? "/var/run/calico";
  const options: CalicoOptions = {
    nodeName,
    nodeSelector:
      written.nodeSelector === undefined
        ? undefined
        : { text: written.nodeSelector, addresses: surroundings.addresses() },
    kubernetesNodeName: reader.text("CALICO_K8S_NODE_REF") ?? nodeName,
    release: written.release ?? "auto",
    role: written.role ?? "node",
    backend: backendOf(reader),
    datastore,
    secretNamespace: reader.text("NAMESPACE") ?? "kube-system",
    endpointStatusFolder: `${prefix.replace(/\/+$/, "")}/endpoint-status`,
    routerId: routerIdOf(reader),
    advertiseClusterIps: clusterIpsOf(reader),
    usePodCidr: reader.boolean("USE_POD_CIDR"),
    logSeverity: severityOf(reader),
  };
  return { options, problems: reader.problems };
}

function nodeNameOf(reader: EnvironmentReader, { readText, hostName }: CalicoSurroundings): string {
  const given = reader.text("NODENAME");
  if (given !== undefined) return given;
  const relocated = reader.text("CALICO_NODENAME_FILE");
  const path = relocated ?? NODE_NAME_FILE;
  const file = readText(path);
  if (file.kind === "text" && file.text.trim() !== "") return file.text.trim();
  if (relocated !== undefined) {
    const why = file.kind === "error" ? file.message : "it is empty";
    reader.warn(
      "CALICO_NODENAME_FILE",
      `cannot take the name of the node from ${path}: ${why}; the host name is taken`,
    );
  }
  return (reader.text("HOSTNAME") ?? hostName()).trim().toLowerCase();
}

function backendOf(reader: EnvironmentReader): string {
  const isOff = reader.text("CALICO_NETWORKING")?.toLowerCase() === "false";
  const backend = reader.oneOf("CALICO_NETWORKING_BACKEND", BACKENDS) ?? "bird";
  return isOff ? "none" : backend;
}

function routerIdOf(reader: EnvironmentReader): string {
  const text = reader.text("CALICO_ROUTER_ID");
  if (text === undefined || text === "hash") return text ?? "";
  const address = parseAddress(text);
  if (address !== undefined && !text.includes(":") && text !== "0.0.0.0") return formatAddress(address);
  reader.error("CALICO_ROUTER_ID", `"${text}" is no router id; accepted: an IPv4 address such as 10.0.0.1, or hash`);
  return "";
}

function clusterIpsOf(reader: EnvironmentReader): string | undefined {
  const name = "CALICO_ADVERTISE_CLUSTER_IPS";
  const text = reader.text(name);
  if (text === undefined || parsePrefix(text) !== undefined) return text;
  reader.error(name, `"${text}" is no prefix; accepted: one such as 10.96.0.0/12`);
  return undefined;
}

function severityOf(reader: EnvironmentReader): CalicoOptions["logSeverity"] {
  const name = "BGP_LOGSEVERITYSCREEN";
  const text = reader.text(name)?.toLowerCase();
  if (text === undefined || Object.hasOwn(SEVERITIES, text)) return SEVERITIES[text ?? ""];
  const accepted = Object.keys(SEVERITIES).join(", ");
  reader.warn(name, `"${text}" is no severity; accepted: ${accepted}; the resources' own is taken`);
  return undefined;
}

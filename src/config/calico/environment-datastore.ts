/** Where Calico's resources are: as the section says, as DATASTORE_TYPE, ETCD_* and K8S_* say, or as the pod itself suggests. */

import type { CalicoInput } from "../schema-calico.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import type { ApiServerOptions, DatastoreOptions } from "./options.ts";

type Written = NonNullable<CalicoInput["datastore"]>;

const API_GROUPS = ["crd.projectcalico.org/v1", "projectcalico.org/v3"] as const;

export function environmentDatastore(reader: EnvironmentReader): DatastoreOptions {
  const type = reader.oneOf("DATASTORE_TYPE", ["kubernetes", "etcdv3"]);
  const hasEtcd = reader.datastoreText("ETCD_ENDPOINTS") ?? reader.datastoreText("ETCD_DISCOVERY_SRV");
  if (type === "etcdv3" || (type === undefined && hasEtcd !== undefined)) return etcd({ type: "etcd" }, reader);
  const hints = ["DATASTORE_TYPE", "KUBECONFIG", "K8S_API_ENDPOINT", "KUBERNETES_SERVICE_HOST"];
  // In Calico itself etcd is what no word stands for; an etcd without endpoints is none, though.
  if (hints.every((name) => reader.datastoreText(name) === undefined)) {
    const accepted = "set calico.datastore in the file, or DATASTORE_TYPE to kubernetes or etcdv3";
    reader.error("DATASTORE_TYPE", `nothing says where Calico's resources are: ${accepted}`);
  }
  return kubernetes({ type: "kubernetes" }, reader);
}

/** The paths of a file begin where it is; those of the environment, where the process was started. */
export function withResolvedPaths(written: Written, resolvePath: (path: string) => string): Written {
  const resolved = { ...written } as Record<string, unknown>;
  for (const key of ["path", "kubeconfig", "ca", "cert", "key"]) {
    const path = resolved[key];
    if (typeof path === "string") resolved[key] = resolvePath(path);
  }
  return resolved as Written;
}

/** What the section leaves open is taken from the environment. */
export function writtenDatastore(written: Written, reader: EnvironmentReader): DatastoreOptions {
  switch (written.type) {
    case "file":
      return { type: "file", path: written.path };
    case "etcd":
      return etcd(written, reader);
    case "kubernetes":
      return kubernetes(written, reader);
    default:
      return written satisfies never;
  }
}

function kubernetes(written: Extract<Written, { type: "kubernetes" }>, reader: EnvironmentReader): DatastoreOptions {
  const kubeconfig = written.kubeconfig ?? reader.datastoreText("KUBECONFIG");
  return {
    type: "kubernetes",
    kubeconfig,
    context: written.context ?? reader.datastoreText("K8S_CURRENT_CONTEXT"),
    apiGroup: reader.oneOf("CALICO_API_GROUP", API_GROUPS),
    apiServer: kubeconfig === undefined ? apiServer(reader) : undefined,
  };
}

function apiServer(reader: EnvironmentReader): ApiServerOptions | undefined {
  const url = reader.datastoreText("K8S_API_ENDPOINT");
  if (url === undefined) return undefined;
  checkUrl("K8S_API_ENDPOINT", url, reader);
  const cert = reader.datastoreText("K8S_CERT_FILE");
  const key = reader.datastoreText("K8S_KEY_FILE");
  checkPair("K8S_CERT_FILE", cert, "K8S_KEY_FILE", key, reader);
  return {
    url,
    ca: reader.datastoreText("K8S_CA_FILE"),
    cert,
    key,
    token: reader.datastoreText("K8S_API_TOKEN"),
    skipVerify: reader.boolean("K8S_INSECURE_SKIP_TLS_VERIFY"),
  };
}

function etcd(written: Extract<Written, { type: "etcd" }>, reader: EnvironmentReader): DatastoreOptions {
  const endpoints = endpointsOf(written.endpoints, reader);
  const discoverySrv = endpoints.length > 0 ? undefined : reader.datastoreText("ETCD_DISCOVERY_SRV");
  if (endpoints.length === 0 && discoverySrv === undefined) {
    reader.error(
      "ETCD_ENDPOINTS",
      "etcd has no endpoints; set ETCD_ENDPOINTS, or calico.datastore.endpoints in the file",
    );
  }
  const cert = written.cert ?? reader.datastoreText("ETCD_CERT_FILE");
  const key = written.key ?? reader.datastoreText("ETCD_KEY_FILE");
  checkPair("ETCD_CERT_FILE", cert, "ETCD_KEY_FILE", key, reader);
  const username = written.username ?? reader.datastoreText("ETCD_USERNAME");
  return {
    type: "etcd",
    endpoints,
    discoverySrv,
    ca: written.ca ?? reader.datastoreText("ETCD_CA_CERT_FILE"),
    cert,
    key,
    username,
    password: passwordOf(username, written.passwordEnv, reader),
  };
}

function endpointsOf(written: string | readonly string[] | undefined, reader: EnvironmentReader): string[] {
  const given = written ?? reader.datastoreText("ETCD_ENDPOINTS") ?? [];
  const name = written === undefined ? "ETCD_ENDPOINTS" : "calico.datastore.endpoints";
  const texts = typeof given === "string" ? given.split(",") : given;
  const endpoints = texts.map((text) => text.trim()).filter((text) => text !== "");
  return endpoints.filter((endpoint) => checkUrl(name, endpoint, reader));
}

function passwordOf(username: string | undefined, name: string | undefined, reader: EnvironmentReader) {
  if (username === undefined) return undefined;
  const password = name === undefined ? reader.datastoreText("ETCD_PASSWORD") : reader.text(name);
  if (password === undefined) {
    reader.error(name ?? "ETCD_PASSWORD", `is not set; it must hold the password of etcd's user ${username}`);
  }
  return password;
}

/** Never repeats the URL as it is: it may hold a password. */
function checkUrl(name: string, text: string, reader: EnvironmentReader): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (isWeb && url.username === "" && url.password === "") return true;
  const why = isWeb ? "an endpoint has a user or password in it" : "an endpoint is no http or https URL";
  reader.error(name, `${why}; accepted: such as https://10.0.0.1:2379`);
  return false;
}

function checkPair(
  a: string,
  valueA: string | undefined,
  b: string,
  valueB: string | undefined,
  reader: EnvironmentReader,
) {
  if ((valueA === undefined) === (valueB === undefined)) return;
  const [set, missing] = valueA === undefined ? [b, a] : [a, b];
  reader.error(missing, `is not set, but ${set} is: a certificate and its key go together`);
}

/** What the `calico` section of the file, and calico/node's environment where the file says nothing, come to. */

import type { CalicoFamily } from "./model.ts";

export type Release = "3.31" | "3.32" | "3.33";

export interface ApiServerOptions {
  readonly url: string;
  /** Paths of files. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The secret itself. Never shown, never logged. */
  readonly token: string | undefined;
  /** Takes any certificate. */
  readonly skipVerify: boolean;
}

export type DatastoreOptions =
  | {
      readonly type: "kubernetes";
      /** Undefined: `apiServer`, else the service account of the pod, else ~/.kube/config. */
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
      /** Undefined: found out (v3 only where it is served and v1 is not). */
      readonly apiGroup: "crd.projectcalico.org/v1" | "projectcalico.org/v3" | undefined;
      /** The API server itself, without a kubeconfig (K8S_API_ENDPOINT and its kin). */
      readonly apiServer: ApiServerOptions | undefined;
    }
  | {
      readonly type: "etcd";
      /** URLs. Empty where `discoverySrv` names them. */
      readonly endpoints: readonly string[];
      /** The domain whose SRV records name the endpoints (ETCD_DISCOVERY_SRV). */
      readonly discoverySrv: string | undefined;
      /** Paths of files, read again at each connection. */
      readonly ca: string | undefined;
      readonly cert: string | undefined;
      readonly key: string | undefined;
      readonly username: string | undefined;
      /** The secret itself, whatever it was read from. Never shown, never logged. */
      readonly password: string | undefined;
    }
  /** A file, or a folder of files. */
  | { readonly type: "file"; readonly path: string };

export interface CalicoOptions {
  readonly nodeName: string;
  /** A pure reflector acts for the Node that this selects and that has one of these addresses, instead of the one of that name. */
  readonly nodeSelector: { readonly text: string; readonly addresses: readonly string[] } | undefined;
  /** The name that Kubernetes has for this node (CALICO_K8S_NODE_REF): where endpoints are local. */
  readonly kubernetesNodeName: string;
  /** `auto`: what ClusterInformation says. */
  readonly release: Release | "auto";
  readonly role: "node" | "route-reflector";
  /** CALICO_NETWORKING_BACKEND: with any but `bird` there is nothing to do for a BGP daemon. */
  readonly backend: string;
  readonly datastore: DatastoreOptions;
  /** Of the Secrets that hold BGP passwords (NAMESPACE). */
  readonly secretNamespace: string;
  /** The folder `endpoint-status` within CALICO_ENDPOINT_STATUS_PATH_PREFIX. */
  readonly endpointStatusFolder: string;
  /** CALICO_ROUTER_ID: an identifier, or `hash`; empty: the node's IPv4 address. */
  readonly routerId: string;
  /** CALICO_ADVERTISE_CLUSTER_IPS: takes the place of serviceClusterIPs. */
  readonly advertiseClusterIps: string | undefined;
  /** USE_POD_CIDR: Node.status.podCIDRs instead of BlockAffinity. */
  readonly usePodCidr: boolean;
  /** BGP_LOGSEVERITYSCREEN: the level of the log, whatever the resources say; undefined: what they say. */
  readonly logSeverity: CalicoFamily["logLevel"] | undefined;
}

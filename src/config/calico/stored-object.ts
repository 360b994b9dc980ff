/** Objects as datastores hold them, in one form: that of projectcalico.org/v3, or of Kubernetes' own API. Nothing in them is checked yet. */

export interface StoredObject {
  /** "projectcalico.org/v3", "v1", "discovery.k8s.io/v1"; the form of crd.projectcalico.org/v1 is unwrapped by the datastore. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** What tells objects apart. "EndpointStatus" is a file that Felix writes for a local workload peer, named by its file name. */
export interface ObjectKey {
  /** Node exists in both: as Calico's and as Kubernetes' own. */
  readonly group: "calico" | "kubernetes";
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The objects of an API server double: versions from one counter, what happened since, and when that is forgotten. */

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

export interface ApiChange {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: ApiObject;
}

const PLURALS: Readonly<Record<string, string>> = {
  BGPConfiguration: "bgpconfigurations",
  BGPFilter: "bgpfilters",
  BGPPeer: "bgppeers",
  BlockAffinity: "blockaffinities",
  CalicoNodeStatus: "caliconodestatuses",
  ClusterInformation: "clusterinformations",
  EndpointSlice: "endpointslices",
  FelixConfiguration: "felixconfigurations",
  IPPool: "ippools",
  Node: "nodes",
  Secret: "secrets",
  Service: "services",
};
const NAMESPACED: ReadonlySet<string> = new Set(["EndpointSlice", "Secret", "Service"]);

/** "crd.projectcalico.org/v1/bgppeers". */
function collectionOf({ apiVersion, kind }: ApiObject): string {
  const plural = PLURALS[kind];
  if (plural === undefined) throw new RangeError(`the double serves no ${kind}`);
  return `${apiVersion}/${plural}`;
}

export function kindOf(collection: string): string {
  const plural = collection.slice(collection.lastIndexOf("/") + 1);
  return Object.entries(PLURALS).find(([, name]) => name === plural)?.[0] ?? "Unknown";
}

export class ApiObjects {
  #version = 100;
  readonly #objects = new Map<string, ApiObject>();
  readonly #changes: ApiChange[] = [];
  readonly #listeners = new Set<(change: ApiChange) => void>();
  /** Changes up to here are forgotten. */
  forgotten = 0;

  get version(): number {
    return this.#version;
  }

  /** As the API server would store it: with a version, and what it adds to metadata. */
  put(written: ApiObject): ApiObject {
    const id = idOf(written);
    const before = this.#objects.get(id);
    this.#version++;
    const metadata = {
      ...(NAMESPACED.has(written.kind) ? { namespace: "default" } : {}),
      ...written.metadata,
      uid: `uid-${id}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      resourceVersion: String(this.#version),
      generation: generationOf(before, written),
      managedFields: [{ manager: "kubectl", operation: "Update", fieldsV1: { "f:spec": { "f:x": {} } } }],
    };
    const object = { ...written, metadata };
    this.#objects.set(id, object);
    this.#changed({ version: this.#version, type: before === undefined ? "ADDED" : "MODIFIED", object });
    return object;
  }

  /** One that was read before is written only if nobody else wrote it since. */
  replace(written: ApiObject): ApiObject | undefined {
    const current = this.#objects.get(idOf(written));
    const version = written.metadata["resourceVersion"];
    return version === undefined || version === current?.metadata["resourceVersion"] ? this.put(written) : undefined;
  }

  delete(object: ApiObject): void {
    const stored = this.#objects.get(idOf(object));
    if (stored === undefined) throw new RangeError(`there is no ${object.kind} ${object.metadata.name}`);
    this.#objects.delete(idOf(object));
    this.#version++;
    const metadata = { ...stored.metadata, resourceVersion: String(this.#version) };
    this.#changed({ version: this.#version, type: "DELETED", object: { ...stored, metadata } });
  }

  /** From one state of a cluster to another, by single writes. */
  become(objects: readonly ApiObject[]): void {
    const wanted = new Set(objects.map(idOf));
    for (const [id, object] of [...this.#objects]) if (!wanted.has(id)) this.delete(object);
    for (const object of objects) {
      const before = this.#objects.get(idOf(object));
      if (before === undefined || JSON.stringify(bare(before)) !== JSON.stringify(bare(object))) this.put(object);
    }
  }

  get(collection: string, namespace: string | undefined, name: string): ApiObject | undefined {
    return this.list(collection).find(
      (o) => o.metadata.name === name && (namespace ?? o.metadata.namespace) === o.metadata.namespace,
    );
  }

  list(collection: string): ApiObject[] {
    return [...this.#objects.values()].filter((object) => collectionOf(object) === collection);
  }

  /** Undefined if too much was forgotten. */
  since(version: number): readonly ApiChange[] | undefined {
    return version < this.forgotten ? undefined : this.#changes.filter((change) => change.version > version);
  }

  /** What happened so far is kept no longer. */
  compact(): void {
    this.#version++;
    this.forgotten = this.#version;
    this.#changes.length = 0;
  }

  subscribe(listener: (change: ApiChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #changed(change: ApiChange): void {
    this.#changes.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** Another spec is another generation; a status is not. */
function generationOf(before: ApiObject | undefined, written: ApiObject): number {
  const generation = Number(before?.metadata["generation"] ?? 0);
  return JSON.stringify(before?.["spec"]) === JSON.stringify(written["spec"])
    ? Math.max(generation, 1)
    : generation + 1;
}

function idOf(object: ApiObject): string {
  const namespace = NAMESPACED.has(object.kind) ? (object.metadata.namespace ?? "default") : "";
  return `${collectionOf(object)}/${namespace}/${object.metadata.name}`;
}

function bare({ metadata, ...rest }: ApiObject): object {
  const { name, namespace, labels, annotations } = metadata;
  return { ...rest, metadata: { name, namespace, labels, annotations } };
}

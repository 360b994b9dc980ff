/** Calico's resources in a Kubernetes cluster: listed, watched, and told as they change. Nothing is polled. */

import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import type { CalicoOptions } from "../options.ts";
import { KubernetesAccess, type KubernetesOptions } from "./kubernetes-access.ts";
import { calicoApi } from "./kubernetes-api-group.ts";
import { ApiError, reasonOf } from "./kubernetes-error.ts";
import {
  advertisesServices,
  type CalicoApi,
  clusterKinds,
  type ResourceKind,
  resourceName,
  SERVICE_KINDS,
  secretKind,
} from "./kubernetes-kinds.ts";
import { NodeStatusWriter } from "./kubernetes-node-status.ts";
import { Reflector } from "./kubernetes-reflector.ts";
import { ApiClient } from "./kubernetes-request.ts";
import { StatusRequests } from "./kubernetes-status-requests.ts";
import { Backoff, TIMINGS, type Timings } from "./kubernetes-timings.ts";
import { ToldObjects } from "./kubernetes-told.ts";
import { Troubles } from "./kubernetes-troubles.ts";
import type { Datastore, DatastoreEvents } from "./port.ts";

export interface KubernetesContext extends Pick<CalicoOptions, "nodeName" | "advertiseClusterIps"> {
  /** Where the file system of the pod begins; default: at the root. */
  readonly root?: string;
  readonly timings?: Partial<Timings>;
}

interface Followed {
  readonly reflector: Reflector;
  readonly told: ToldObjects;
  readonly resource: string;
}

/** What concerns no single kind needs no name. */
const DISCOVERY = "";

export class KubernetesDatastore implements Datastore {
  readonly #options: KubernetesOptions;
  readonly #context: KubernetesContext;
  readonly #events: DatastoreEvents;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #timings: Timings;
  readonly #client: ApiClient;
  readonly #troubles: Troubles;
  readonly #abort = new AbortController();
  readonly #writer: NodeStatusWriter;
  readonly #cluster: Followed[] = [];
  /** By namespace and name. */
  readonly #secrets = new Map<string, Followed>();
  /** Kinds that have not been listed yet. */
  readonly #awaited = new Set<ResourceKind>();
  #isSynced = false;
  #api: CalicoApi | undefined;
  #statusRequests: StatusRequests | undefined;
  #followsServices = false;
  #starting: Promise<void> | undefined;

  constructor(
    options: KubernetesOptions,
    context: KubernetesContext,
    events: DatastoreEvents,
    clock: Clock,
    log: Logger,
  ) {
    this.#options = options;
    this.#context = context;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
    this.#timings = { ...TIMINGS, ...context.timings };
    this.#client = new ApiClient(new KubernetesAccess(options, context.root), clock);
    this.#writer = new NodeStatusWriter(this.#client, this.#timings, this.#abort.signal);
    this.#troubles = new Troubles(clock, (reason) => events.disturbed(reason));
  }

  start(): void {
    this.#starting ??= this.#start();
  }

  wantSecrets(namespace: string, names: readonly string[]): void {
    const wanted = new Map(names.map((name) => [`${namespace}/${name}`, name]));
    for (const [id, secret] of this.#secrets) {
      if (wanted.has(id)) continue;
      this.#secrets.delete(id);
      this.#troubles.set(secret.resource, undefined);
      this.#events.unreadable(secret.resource, undefined);
      void secret.reflector.close();
      secret.told.forgetAll();
    }
    for (const [id, name] of wanted) {
      if (this.#secrets.has(id) || this.#abort.signal.aborted) continue;
      const secret = this.#follow(secretKind(namespace, name), () => {
        // Whoever waits for it hears that there is none.
        if (secret.told.isEmpty) this.#events.deleted({ group: "kubernetes", kind: "Secret", namespace, name });
      });
      this.#secrets.set(id, secret);
      secret.reflector.start();
    }
  }

  readonly writeNodeStatus = async (
    name: string,
    status: unknown,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void> => {
    if (this.#api === undefined) throw new ApiError("the API server has not been reached yet");
    await this.#writer.write(this.#api, name, status, annotations);
  };

  async close(): Promise<void> {
    this.#abort.abort();
    this.#troubles.close();
    await this.#starting;
    await Promise.all([...this.#cluster, ...this.#secrets.values()].map(({ reflector }) => reflector.close()));
    await this.#statusRequests?.close();
  }

  async #start(): Promise<void> {
    const api = await this.#findApi();
    if (api === undefined) return;
    this.#api = api;
    this.#statusRequests = new StatusRequests({
      client: this.#client,
      api,
      nodeName: this.#context.nodeName,
      events: this.#events,
      clock: this.#clock,
      timings: this.#timings,
      signal: this.#abort.signal,
    });
    this.#followAll(clusterKinds(api, this.#context.nodeName));
    if (this.#context.advertiseClusterIps !== undefined) this.#followServices();
  }

  /** Tries until there is an answer; undefined when all is over before. */
  async #findApi(): Promise<CalicoApi | undefined> {
    if (this.#options.apiGroup !== undefined) return this.#options.apiGroup;
    const backoff = new Backoff(this.#clock, this.#timings, this.#abort.signal);
    while (!this.#abort.signal.aborted) {
      try {
        const api = await calicoApi(this.#client, this.#timings.answer, this.#abort.signal);
        this.#troubles.set(DISCOVERY, undefined);
        this.#log.info({ api }, "calico: resources are read from the Kubernetes API");
        return api;
      } catch (error) {
        this.#troubles.set(DISCOVERY, reasonOf(error));
        await backoff.wait();
      }
    }
    return undefined;
  }

  #followAll(kinds: readonly ResourceKind[]): void {
    for (const kind of kinds) this.#awaited.add(kind);
    for (const kind of kinds) {
      const followed = this.#follow(kind, () => this.#settled(kind));
      this.#cluster.push(followed);
      followed.reflector.start();
    }
  }

  #settled(kind: ResourceKind): void {
    this.#awaited.delete(kind);
    if (this.#awaited.size > 0 || this.#isSynced) return;
    this.#isSynced = true;
    this.#events.synced();
  }

  #follow(kind: ResourceKind, settled: () => void): Followed {
    const resource = resourceName(kind);
    const next = kind.isMetadataOnly ? (this.#statusRequests ?? this.#events) : this.#events;
    const told = new ToldObjects(kind, {
      set: (object, origin) => {
        next.set(object, origin);
        // In the list of BGPConfigurations at the latest: `synced` then waits for the Services as well.
        if (advertisesServices(object)) this.#followServices();
      },
      deleted: (key) => next.deleted(key),
      unreadable: (origin, message) => this.#events.unreadable(origin, message),
    });
    const reflector = new Reflector({
      kind,
      client: this.#client,
      told,
      clock: this.#clock,
      log: this.#log,
      timings: this.#timings,
      events: {
        settled,
        trouble: (message) => this.#troubles.set(resource, message),
        missing: (message) => this.#events.unreadable(resource, message),
      },
    });
    return { reflector, told, resource };
  }

  /** Endpoints are the most and the most restless of all objects: only where Services are advertised they are followed, and then for good. */
  #followServices(): void {
    if (this.#followsServices || this.#abort.signal.aborted) return;
    this.#followsServices = true;
    this.#followAll(SERVICE_KINDS);
  }
}

/** The datastore that is etcd (v3 API), in Calico's layout of keys: read through whichever member answers, and kept while none does. */

import type { Clock, Logger, Timer } from "../../../bgp/model/ports.ts";
import type { ObjectKey } from "../stored-object.ts";
import { EtcdClient } from "./etcd/client.ts";
import { type EtcdOptions, endpointsOf } from "./etcd/endpoints.ts";
import { nodeStatusKey, rangesOf } from "./etcd/keys.ts";
import { KnownKeys } from "./etcd/known-keys.ts";
import { EtcdReader } from "./etcd/reader.ts";
import type { Datastore, DatastoreEvents } from "./port.ts";
import { isFields } from "./stored-form.ts";

/** One that has served this long is not one that accepts and then fails. */
const STABLE_MILLISECONDS = 10_000;
const MIN_PAUSE_MILLISECONDS = 250;
const MAX_PAUSE_MILLISECONDS = 30_000;
/** Between reading a status and writing it others may have written. */
const MAX_WRITES = 5;

export class EtcdDatastore implements Datastore {
  readonly #options: EtcdOptions;
  readonly #events: DatastoreEvents;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #reader: EtcdReader;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #client: EtcdClient | undefined;
  #isSynced = false;
  /** When the last member went away, in words; and what was said of it. */
  #awaySince: string | undefined;
  #disturbance: string | undefined = "etcd has not been reached yet";
  #secrets: ReadonlyMap<string, ObjectKey> = new Map();

  constructor(options: EtcdOptions, nodeName: string, events: DatastoreEvents, clock: Clock, log: Logger) {
    this.#options = options;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
    const reads = { listed: () => this.#listed(), following: () => this.#following() };
    this.#reader = new EtcdReader(rangesOf(nodeName), new KnownKeys(events), reads, clock);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There are none in etcd: Calico too reads them from the Kubernetes API alone. */
  wantSecrets(namespace: string, names: readonly string[]): void {
    const before = this.#secrets;
    const wanted = names.map((name): ObjectKey => ({ group: "kubernetes", kind: "Secret", namespace, name }));
    this.#secrets = new Map(wanted.map((key) => [`Secret ${key.namespace}/${key.name}`, key]));
    for (const [origin, key] of this.#secrets) {
      if (before.has(origin)) continue;
      const message =
        "Secrets exist in the Kubernetes API alone, and the datastore is etcd: the password in it is not known";
      this.#events.unreadable(origin, message);
      this.#events.deleted(key);
    }
    for (const origin of before.keys()) {
      if (!this.#secrets.has(origin)) this.#events.unreadable(origin, undefined);
    }
  }

  async writeNodeStatus(name: string, status: unknown, annotations: Readonly<Record<string, string>>): Promise<void> {
    const key = nodeStatusKey(name);
    for (let n = 0; n < MAX_WRITES; n++) {
      const client = this.#client;
      if (client === undefined) throw new Error(`cannot write CalicoNodeStatus ${name}: ${this.#disturbance}`);
      const { keyValues } = await client.range({ key, end: "", limit: 1, revision: 0 });
      const [found] = keyValues;
      if (found === undefined) throw new Error(`there is no CalicoNodeStatus ${name}`);
      const value = withStatus(found.value, status, annotations);
      if (value === undefined) throw new Error(`CalicoNodeStatus ${name} holds no JSON object`);
      if (await client.compareAndPut({ key, modRevision: found.modRevision, value })) return;
    }
    throw new Error(`CalicoNodeStatus ${name} was written by others each time that it was to be written`);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let rounds = 0;
    let last: string | undefined;
    while (!this.#abort.signal.aborted) {
      const failures = new Map<string, string>();
      let wasStable = false;
      for (const endpoint of after(last, await this.#endpoints(failures))) {
        last = endpoint;
        const started = this.#clock.now();
        failures.set(endpoint, await this.#serve(endpoint));
        if (this.#abort.signal.aborted) return;
        wasStable = this.#clock.now() - started > STABLE_MILLISECONDS;
        // Whoever failed before has had time to come back: all are tried again before anybody is told.
        if (wasStable && failures.size > 1) break;
      }
      if (wasStable) rounds = 0;
      if (wasStable && failures.size > 1) continue;
      this.#away(failures);
      const longest = Math.min(MAX_PAUSE_MILLISECONDS, MIN_PAUSE_MILLISECONDS * 2 ** rounds++);
      await this.#pause(longest * (0.5 + Math.random() / 2));
    }
  }

  async #endpoints(failures: Map<string, string>): Promise<readonly string[]> {
    try {
      return await endpointsOf(this.#options);
    } catch (thrown) {
      failures.set(this.#options.discoverySrv ?? "", messageOf(thrown));
      return [];
    }
  }

  /** Reads from this member until that fails; returns why. */
  async #serve(endpoint: string): Promise<string> {
    let client: EtcdClient | undefined;
    try {
      client = await EtcdClient.open(endpoint, this.#options, this.#abort.signal);
      this.#client = client;
      return await this.#reader.follow(client);
    } catch (thrown) {
      this.#log.debug({ endpoint, reason: messageOf(thrown) }, "etcd connection lost");
      return messageOf(thrown);
    } finally {
      this.#client = undefined;
      client?.close();
    }
  }

  #listed(): void {
    if (this.#isSynced) return;
    this.#isSynced = true;
    this.#events.synced();
  }

  #following(): void {
    this.#awaySince = undefined;
    this.#log.info({ endpoint: this.#client?.endpoint }, "etcd connected");
    this.#disturb(undefined);
  }

  #away(failures: ReadonlyMap<string, string>): void {
    this.#awaySince ??= new Date(this.#clock.wallTime()).toISOString();
    const reasons = [...failures].map(([endpoint, reason]) => `${endpoint}: ${reason}`).sort();
    this.#disturb(`etcd does not serve since ${this.#awaySince}: ${reasons.join("; ")}`);
  }

  #disturb(reason: string | undefined): void {
    if (this.#disturbance === reason || this.#abort.signal.aborted) return;
    this.#disturbance = reason;
    this.#events.disturbed(reason);
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const end = () => {
        timer?.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      timer = this.#clock.after(milliseconds, end);
      signal.addEventListener("abort", end);
      if (signal.aborted) end();
    });
  }
}

/** The same in a circle, beginning behind `last`. */
function after(last: string | undefined, endpoints: readonly string[]): string[] {
  const start = last === undefined ? 0 : endpoints.indexOf(last) + 1;
  return [...endpoints.slice(start), ...endpoints.slice(0, start)];
}

/** The stored resource with another status; undefined if it is none. */
function withStatus(
  stored: Uint8Array,
  status: unknown,
  annotations: Readonly<Record<string, string>>,
): Uint8Array | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(stored).toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isFields(value)) return undefined;
  const metadata = isFields(value["metadata"]) ? value["metadata"] : {};
  const before = isFields(metadata["annotations"]) ? metadata["annotations"] : {};
  const changed = { ...metadata, annotations: { ...before, ...annotations } };
  return Buffer.from(JSON.stringify({ ...value, metadata: changed, status }));
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The datastore that is etcd (v3 API), in Calico's layout of keys. */

import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import type { DatastoreOptions } from "../options.ts";
import type { Datastore, DatastoreEvents } from "./port.ts";

export type EtcdOptions = Extract<DatastoreOptions, { type: "etcd" }>;

export class EtcdDatastore implements Datastore {
  readonly writeNodeStatus = undefined;
  readonly #events: DatastoreEvents;
  constructor(_options: EtcdOptions, _nodeName: string, events: DatastoreEvents, _clock: Clock, _log: Logger) {
    this.#events = events;
  }
  start(): void {
    this.#events.disturbed("etcd is not read yet");
  }
  wantSecrets(): void {}
  async close(): Promise<void> {}
}

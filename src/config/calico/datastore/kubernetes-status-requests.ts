/**
 * CalicoNodeStatus resources that ask about this node. Every node of the cluster writes its own all the time, and the API server
 * cannot select them by node: so their metadata alone is watched, and a resource is read when its spec is another.
 */

import type { Clock } from "../../../bgp/model/ports.ts";
import { CALICO_API } from "../object-key.ts";
import type { ObjectKey, StoredObject } from "../stored-object.ts";
import { ApiError } from "./kubernetes-error.ts";
import { type CalicoApi, keepStatusRequest, pathOf } from "./kubernetes-kinds.ts";
import type { ApiClient } from "./kubernetes-request.ts";
import { Backoff, type Timings } from "./kubernetes-timings.ts";
import type { DatastoreEvents } from "./port.ts";
import { isFields, toStoredForm } from "./stored-form.ts";

export interface StatusRequestParts {
  readonly client: ApiClient;
  readonly api: CalicoApi;
  readonly nodeName: string;
  readonly events: Pick<DatastoreEvents, "set" | "deleted" | "unreadable">;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly signal: AbortSignal;
}

export class StatusRequests {
  readonly #parts: StatusRequestParts;
  /** Those that are to be read, by name: however often one changes meanwhile, once. */
  readonly #wanted = new Map<string, string>();
  /** Those that ask about this node. */
  readonly #told = new Set<string>();
  #reading: Promise<void> | undefined;

  constructor(parts: StatusRequestParts) {
    this.#parts = parts;
  }

  /** What was seen is its metadata, or it with all else where the server knows no other form. */
  set({ metadata }: StoredObject, origin: string): void {
    this.#wanted.set(metadata.name, origin);
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
  }

  deleted(key: ObjectKey): void {
    this.#wanted.delete(key.name);
    if (this.#told.delete(key.name)) this.#parts.events.deleted(key);
  }

  /** Resolves when nothing more will be told. */
  async close(): Promise<void> {
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    const { clock, timings, signal } = this.#parts;
    const backoff = new Backoff(clock, timings, signal);
    for (let next = first(this.#wanted); next !== undefined && !signal.aborted; next = first(this.#wanted)) {
      const [name, origin] = next;
      this.#wanted.delete(name);
      try {
        await this.#read(name, origin);
        backoff.reset();
      } catch (error) {
        // Gone meanwhile, which the watch says as well.
        if (error instanceof ApiError && error.status === 404) continue;
        if (!this.#wanted.has(name)) this.#wanted.set(name, origin);
        await backoff.wait();
      }
    }
  }

  async #read(name: string, origin: string): Promise<void> {
    const { client, api, nodeName, events, timings, signal } = this.#parts;
    const path = `${pathOf({ api, plural: "caliconodestatuses", namespace: undefined })}/${encodeURIComponent(name)}`;
    const form = toStoredForm(await client.json({ method: "GET", path }, timings.answer, signal));
    events.unreadable(origin, form.kind === "wrong" ? form.message : undefined);
    if (form.kind !== "object" || signal.aborted) return;
    const { spec } = form.object;
    if (isFields(spec) && spec["node"] === nodeName) {
      this.#told.add(name);
      events.set(keepStatusRequest({ ...form.object, apiVersion: CALICO_API }), origin);
    } else if (this.#told.delete(name)) events.deleted(form.key);
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | undefined {
  return map.entries().next().value;
}

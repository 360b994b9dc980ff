/** Services with the endpoints they have; a record keeps its identity until something of it changes. */

import { isDeepStrictEqual } from "node:util";
import type { EndpointSlice, Service } from "../resources/service.ts";

export interface ServiceRecord {
  readonly service: Service | undefined;
  readonly slices: readonly EndpointSlice[];
}

const EMPTY: ServiceRecord = { service: undefined, slices: [] };

export class ServiceTable {
  readonly #records = new Map<string, ServiceRecord>();
  readonly #slices = new Map<string, EndpointSlice>();
  #version = 0;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** By "namespace/name". */
  records(): ReadonlyMap<string, ServiceRecord> {
    return this.#records;
  }

  slice(key: string): EndpointSlice | undefined {
    return this.#slices.get(key);
  }

  /** Undefined takes it away. */
  putService(key: string, service: Service | undefined): void {
    const record = this.#records.get(key) ?? EMPTY;
    if (!isDeepStrictEqual(record.service, service)) this.#replace(key, { ...record, service });
  }

  /** Undefined takes it away. */
  putSlice(key: string, slice: EndpointSlice | undefined): void {
    const before = this.#slices.get(key);
    if (isDeepStrictEqual(before, slice)) return;
    if (slice === undefined) this.#slices.delete(key);
    else this.#slices.set(key, slice);
    if (before !== undefined) {
      const record = this.#records.get(before.service) ?? EMPTY;
      this.#replace(before.service, { ...record, slices: record.slices.filter((one) => one !== before) });
    }
    if (slice !== undefined) {
      const record = this.#records.get(slice.service) ?? EMPTY;
      this.#replace(slice.service, { ...record, slices: [...record.slices, slice] });
    }
  }

  #replace(key: string, record: ServiceRecord): void {
    this.#version++;
    if (record.service === undefined && record.slices.length === 0) this.#records.delete(key);
    else this.#records.set(key, record);
  }
}

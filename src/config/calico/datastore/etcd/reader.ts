/** Lists what concerns BGP at one revision, in pages, and follows it from there on; a list that is too old is made anew. */

import type { Clock } from "../../../../bgp/model/ports.ts";
import { GrpcError, GrpcStatus } from "./grpc.ts";
import type { KeyRange } from "./keys.ts";
import type { KnownKeys } from "./known-keys.ts";
import {
  decodeWatch,
  type Header,
  type RangeResponse,
  type rangeRequest,
  type WatchResponse,
  watchRequest,
} from "./messages.ts";

/** What is needed of a connection to a member. */
export interface Member {
  range(range: Parameters<typeof rangeRequest>[0]): Promise<RangeResponse>;
  watch(): { send(message: Uint8Array): void; messages(): AsyncIterable<Uint8Array> };
}

export interface ReaderEvents {
  /** Everything has been listed. */
  listed(): void;
  /** From now on changes are told as they come. */
  following(): void;
}

/** Keys of a page, which is decoded in one go. */
const PAGE_KEYS = 100;
const SLICE_MILLISECONDS = 4;
/** A list that is overtaken by compaction this often needs longer than the administrator keeps revisions. */
const MAX_LISTS = 5;

export class EtcdReader {
  readonly #ranges: readonly KeyRange[];
  readonly #known: KnownKeys;
  readonly #events: ReaderEvents;
  readonly #clock: Clock;
  /** The first revision that each range has not been followed through; undefined before the first list. */
  #next: number[] | undefined;
  /** The newest that was seen, and of which cluster. */
  #seen: Header = { clusterId: 0, revision: 0 };
  #sliceEnd = 0;

  constructor(ranges: readonly KeyRange[], known: KnownKeys, events: ReaderEvents, clock: Clock) {
    this.#ranges = ranges;
    this.#known = known;
    this.#events = events;
    this.#clock = clock;
  }

  /** Until the connection is gone, which it throws. */
  async follow(client: Member): Promise<never> {
    if (await this.#isOtherHistory(client)) this.#next = undefined;
    for (;;) {
      const next = this.#next ?? (await this.#list(client));
      this.#next = next;
      await this.#watch(client, next);
      this.#next = undefined;
    }
  }

  /**
   * After a restore from a backup, or with another cluster in its place, revisions begin again: a watch from where the last one ended
   * would wait for ever, or miss what came before. That the key that was written last still is as it is known tells the same history;
   * where it was written again meanwhile, a list does no harm.
   */
  async #isOtherHistory(client: Member): Promise<boolean> {
    if (this.#next === undefined) return true;
    const newest = this.#known.newest();
    const key = newest ?? this.#ranges[0]?.key ?? "";
    const { header, keyValues } = await client.range({ key, end: "", limit: 1, revision: 0 });
    if (header.clusterId !== this.#seen.clusterId || header.revision < this.#seen.revision) return true;
    return newest !== undefined && !this.#known.agrees(newest, keyValues[0]);
  }

  async #list(client: Member): Promise<number[]> {
    for (let n = 1; ; n++) {
      try {
        return await this.#listOnce(client);
      } catch (thrown) {
        const isCompacted = thrown instanceof GrpcError && thrown.status === GrpcStatus.OutOfRange;
        if (!isCompacted || n === MAX_LISTS) throw thrown;
      }
    }
  }

  async #listOnce(client: Member): Promise<number[]> {
    const present = new Set<string>();
    let revision = 0;
    for (const range of this.#ranges) {
      let key: string | Uint8Array = range.key;
      for (;;) {
        const page: RangeResponse = await client.range({ key, end: range.end, limit: PAGE_KEYS, revision });
        if (revision === 0) {
          revision = page.header.revision;
          this.#seen = page.header;
        }
        for (const keyValue of page.keyValues) {
          present.add(keyValue.key);
          this.#known.put(keyValue);
          await this.#breathe();
        }
        const last = page.keyValues.at(-1);
        if (!page.more || last === undefined) break;
        // The least key that is greater.
        key = Buffer.concat([last.keyOctets, Buffer.from([0])]);
      }
    }
    for (const key of this.#known.keys()) if (!present.has(key)) this.#known.delete(key);
    this.#events.listed();
    return this.#ranges.map(() => revision + 1);
  }

  /** Returns when what would have to be told next is compacted away. */
  async #watch(client: Member, next: number[]): Promise<void> {
    const stream = client.watch();
    for (const [index, range] of this.#ranges.entries()) {
      stream.send(watchRequest({ ...range, startRevision: next[index] ?? 0 }));
    }
    // Watches are numbered in the order in which they were asked for.
    const indexes = new Map<number, number>();
    for await (const message of stream.messages()) {
      const response = decodeWatch(message);
      if (response.canceled) {
        if (response.compactRevision > 0) return;
        throw new GrpcError(GrpcStatus.PermissionDenied, `etcd refuses to tell of changes: ${response.cancelReason}`);
      }
      if (response.created) {
        indexes.set(response.watchId, indexes.size);
        if (indexes.size === this.#ranges.length) this.#events.following();
      } else {
        await this.#apply(response);
        const index = indexes.get(response.watchId);
        if (index !== undefined && !response.isFragment) next[index] = lastRevision(response) + 1;
      }
    }
  }

  async #apply({ header, events }: WatchResponse): Promise<void> {
    if (header.revision > this.#seen.revision) this.#seen = header;
    for (const event of events) {
      this.#known.changed(event);
      await this.#breathe();
    }
  }

  /** Gives everything else its turn when a slice is used up. */
  async #breathe(): Promise<void> {
    if (this.#clock.now() < this.#sliceEnd) return;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#sliceEnd = this.#clock.now() + SLICE_MILLISECONDS;
  }
}

/** Without events it is a note of progress: all up to the store's own revision has been told. */
function lastRevision({ header, events }: WatchResponse): number {
  return events.at(-1)?.keyValue.modRevision ?? header.revision;
}

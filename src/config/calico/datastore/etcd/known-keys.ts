/** What etcd was last seen to hold under the keys that matter: so that after a new list only differences are told. */

import { createHash } from "node:crypto";
import type { ObjectKey } from "../../stored-object.ts";
import type { DatastoreEvents } from "../port.ts";
import { objectAt } from "./keys.ts";
import type { KeyValue, WatchEvent } from "./messages.ts";

interface Known {
  readonly modRevision: number;
  /** Of the value: after a restore from a backup revisions come again, with other values. */
  readonly digest: string;
  /** As which object it was told. */
  readonly key: ObjectKey | undefined;
}

export class KnownKeys {
  readonly #events: DatastoreEvents;
  readonly #known = new Map<string, Known>();
  readonly #unreadable = new Set<string>();

  constructor(events: DatastoreEvents) {
    this.#events = events;
  }

  /** Told by a watch: what is older than what is known, because it is told again, changes nothing. */
  changed({ isDeletion, keyValue }: WatchEvent): void {
    const known = this.#known.get(keyValue.key);
    if (known !== undefined && known.modRevision >= keyValue.modRevision) return;
    if (isDeletion) this.delete(keyValue.key);
    else this.put(keyValue);
  }

  /** Found by a list. */
  put({ key, modRevision, value }: KeyValue): void {
    const digest = digestOf(value);
    const before = this.#known.get(key);
    if (before?.modRevision === modRevision && before.digest === digest) return;
    const form = objectAt(key, value);
    if (form.kind === "wrong") {
      this.#unreadable.add(key);
      this.#events.unreadable(key, form.message);
    } else if (this.#unreadable.delete(key)) this.#events.unreadable(key, undefined);
    // What cannot be read any more stays as it was.
    const told = form.kind === "object" ? form.key : before?.key;
    this.#known.set(key, { modRevision, digest, key: told });
    if (form.kind !== "object" || before?.digest === digest) return;
    this.#events.set(form.object, key);
  }

  /** Whatever stood under the key is gone. */
  delete(key: string): void {
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (this.#unreadable.delete(key)) this.#events.unreadable(key, undefined);
    if (known?.key !== undefined) this.#events.deleted(known.key);
  }

  keys(): string[] {
    return [...this.#known.keys()];
  }

  /** The key that was written last; undefined if there are none. */
  newest(): string | undefined {
    let newest: string | undefined;
    let highest = 0;
    for (const [key, { modRevision }] of this.#known) {
      if (modRevision <= highest) continue;
      highest = modRevision;
      newest = key;
    }
    return newest;
  }

  /** Whether etcd holds under the key what is known of it. */
  agrees(key: string, found: KeyValue | undefined): boolean {
    const known = this.#known.get(key);
    return found !== undefined && known?.modRevision === found.modRevision && known.digest === digestOf(found.value);
  }
}

function digestOf(value: Uint8Array): string {
  return createHash("sha1").update(value).digest("base64");
}

/** What a datastore has told so far, and what it comes to on this node. */

import { Cluster } from "./cluster.ts";
import type { Datastore, DatastoreEvents } from "./datastore/port.ts";
import { keyOf } from "./object-key.ts";
import type { CalicoOptions } from "./options.ts";
import type { ObjectKey, StoredObject } from "./stored-object.ts";
import { type Translation, translate } from "./translate.ts";

const STATUS_KIND = "CalicoNodeStatus";

/** Who answers CalicoNodeStatus resources: they ask, and configure nothing. */
export interface StatusRequests {
  set(object: StoredObject): void;
  deleted(name: string): void;
}

export class CalicoReader implements DatastoreEvents {
  readonly #options: CalicoOptions;
  readonly #cluster = new Cluster();
  readonly #changed: () => void;
  readonly #statuses: StatusRequests | undefined;
  /** Told of what is asked for. */
  datastore: Datastore | undefined;
  #isSynced = false;
  #disturbed: string | undefined;
  /** Names of Secrets whose passwords are in use. */
  #wanted: readonly string[] = [];
  /** Those of them that were asked for and not answered yet. */
  readonly #awaited = new Set<string>();
  /** Secrets that were told of without being asked for: those of files. */
  readonly #toldSecrets = new Set<string>();

  /** `changed`: something was told. */
  constructor(options: CalicoOptions, changed: () => void, statuses?: StatusRequests) {
    this.#options = options;
    this.#changed = changed;
    this.#statuses = statuses;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Why what was told may be out of date, in words. */
  get disturbance(): string | undefined {
    return this.#disturbed;
  }

  get awaitedSecrets(): readonly string[] {
    return [...this.#awaited];
  }

  /** Asks for the Secrets that this needs. */
  translate(): Translation {
    const translation = translate(this.#cluster, this.#options);
    const { namespace, names } = translation.secrets;
    if (names.length !== this.#wanted.length || names.some((name, i) => name !== this.#wanted[i])) {
      for (const name of names)
        if (!this.#wanted.includes(name) && !this.#toldSecrets.has(name)) this.#awaited.add(name);
      for (const name of this.#awaited) if (!names.includes(name)) this.#awaited.delete(name);
      this.#wanted = names;
      this.datastore?.wantSecrets(namespace, names);
    }
    return translation;
  }

  set(object: StoredObject, origin: string): void {
    if (object.kind === STATUS_KIND) {
      this.#statuses?.set(object);
      return;
    }
    this.#cluster.set(object, origin);
    this.#answered(keyOf(object), true);
    this.#changed();
  }

  deleted(key: ObjectKey): void {
    if (key.kind === STATUS_KIND) {
      this.#statuses?.deleted(key.name);
      return;
    }
    this.#cluster.deleted(key);
    this.#answered(key, false);
    this.#changed();
  }

  synced(): void {
    this.#isSynced = true;
    this.#changed();
  }

  unreadable(origin: string, message: string | undefined): void {
    this.#cluster.unreadable(origin, message);
    this.#changed();
  }

  disturbed(reason: string | undefined): void {
    if (reason === this.#disturbed) return;
    this.#disturbed = reason;
    this.#changed();
  }

  #answered({ kind, namespace, name }: ObjectKey, isThere: boolean): void {
    if (kind !== "Secret" || namespace !== this.#options.secretNamespace) return;
    this.#awaited.delete(name);
    if (isThere) this.#toldSecrets.add(name);
    else this.#toldSecrets.delete(name);
  }
}

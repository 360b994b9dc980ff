/** What every datastore tells, whatever it is: objects as they come, change and go. */

import type { ObjectKey, StoredObject } from "../stored-object.ts";

export interface DatastoreEvents {
  /** The object is new or changed. `origin` names the place for people: a file with line, an etcd key, a kind and name. */
  set(object: StoredObject, origin: string): void;
  /** After a new list the datastore itself tells what is gone. */
  deleted(key: ObjectKey): void;
  /** Everything has been told once. Only from here on the picture is whole. */
  synced(): void;
  /** Something at `origin` cannot be read as an object; undefined: it can again. */
  unreadable(origin: string, message: string | undefined): void;
  /** Why what was told may be out of date, in words (the API does not answer, since when); undefined: it is current. */
  disturbed(reason: string | undefined): void;
}

export interface Datastore {
  start(): void;
  /** The Secrets of BGP passwords that are referred to: only these are read. */
  wantSecrets(namespace: string, names: readonly string[]): void;
  /**
   * Writes the status of a CalicoNodeStatus, and what its schema has no room for into annotations; undefined where the datastore cannot.
   * Rejects with an error whose message says what refused it.
   */
  readonly writeNodeStatus:
    | ((name: string, status: unknown, annotations: Readonly<Record<string, string>>) => Promise<void>)
    | undefined;
  close(): Promise<void>;
}

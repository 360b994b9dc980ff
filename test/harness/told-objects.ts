/** A DatastoreEvents that remembers what it was told: the picture as it stands, and every event in order. */

import type { DatastoreEvents } from "../../src/config/calico/datastore/port.ts";
import { keyOf } from "../../src/config/calico/object-key.ts";
import type { ObjectKey, StoredObject } from "../../src/config/calico/stored-object.ts";

export class ToldObjects implements DatastoreEvents {
  /** By "Kind name" or "Kind namespace/name". */
  readonly objects = new Map<string, StoredObject>();
  readonly origins = new Map<string, string>();
  readonly wrong = new Map<string, string>();
  /** "set BGPPeer a", "deleted BGPPeer a", "synced", "disturbed", "current". */
  readonly log: string[] = [];
  isSynced = false;
  disturbance: string | undefined;

  set(object: StoredObject, origin: string): void {
    const name = nameOf(keyOf(object));
    this.objects.set(name, object);
    this.origins.set(name, origin);
    this.log.push(`set ${name}`);
  }

  deleted(key: ObjectKey): void {
    this.objects.delete(nameOf(key));
    this.log.push(`deleted ${nameOf(key)}`);
  }

  synced(): void {
    this.isSynced = true;
    this.log.push("synced");
  }

  unreadable(origin: string, message: string | undefined): void {
    if (message === undefined) this.wrong.delete(origin);
    else this.wrong.set(origin, message);
  }

  disturbed(reason: string | undefined): void {
    this.disturbance = reason;
    this.log.push(reason === undefined ? "current" : "disturbed");
  }

  names(): string[] {
    return [...this.objects.keys()].sort();
  }
}

function nameOf({ group, kind, namespace, name }: ObjectKey): string {
  const place = namespace === "" ? name : `${namespace}/${name}`;
  return group === "kubernetes" && kind === "Node" ? `kubernetes Node ${place}` : `${kind} ${place}`;
}

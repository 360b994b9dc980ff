/** Several sources told as one: whole when all are, disturbed while one is. */

import type { DatastoreEvents } from "./port.ts";

/** The events to hand to each of `count` sources. */
export function joinEvents(events: DatastoreEvents, count: number): DatastoreEvents[] {
  const pending = new Set(Array.from({ length: count }, (_, index) => index));
  const reasons = new Map<number, string>();
  const disturbed = (index: number, reason: string | undefined) => {
    if (reason === undefined) reasons.delete(index);
    else reasons.set(index, reason);
    events.disturbed(reasons.size === 0 ? undefined : [...reasons.values()].join("; "));
  };
  return Array.from({ length: count }, (_, index) => ({
    set: (object, origin) => events.set(object, origin),
    deleted: (key) => events.deleted(key),
    unreadable: (origin, message) => events.unreadable(origin, message),
    disturbed: (reason) => disturbed(index, reason),
    synced: () => {
      if (pending.delete(index) && pending.size === 0) events.synced();
    },
  }));
}

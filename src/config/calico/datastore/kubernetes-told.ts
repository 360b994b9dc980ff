/** What has been told of one kind, so that a new list tells no more than the differences. */

import { createHash } from "node:crypto";
import { keyOf } from "../object-key.ts";
import type { ObjectKey, StoredObject } from "../stored-object.ts";
import type { ResourceKind } from "./kubernetes-kinds.ts";
import type { DatastoreEvents } from "./port.ts";
import { isFields, toStoredForm } from "./stored-form.ts";

interface Told {
  readonly key: ObjectKey;
  /** A hash of what is kept: most changes of a Node are of its status, which is not. */
  readonly print: string;
}

export type ToldEvents = Pick<DatastoreEvents, "set" | "deleted" | "unreadable">;

export class ToldObjects {
  readonly #kind: ResourceKind;
  readonly #events: ToldEvents;
  readonly #told = new Map<string, Told>();
  /** Names of those that cannot be read. What was told of them before stays. */
  readonly #unreadable = new Set<string>();
  /** Names in the list that is being read; undefined outside of one. */
  #listed: Set<string> | undefined;
  /** The list has something whose name is not known: what it does not show may be that. */
  #isListDoubtful = false;

  constructor(kind: ResourceKind, events: ToldEvents) {
    this.#kind = kind;
    this.#events = events;
  }

  get isEmpty(): boolean {
    return this.#told.size === 0;
  }

  beginList(): void {
    this.#listed = new Set();
    this.#isListDoubtful = false;
  }

  /** What the list did not show is gone. */
  endList(): void {
    const listed = this.#listed ?? new Set();
    this.#listed = undefined;
    if (this.#isListDoubtful) return;
    for (const name of new Set([...this.#told.keys(), ...this.#unreadable])) if (!listed.has(name)) this.#gone(name);
    this.#events.unreadable(this.#nameless, undefined);
  }

  /** An object of a list, or new or changed in a watch. */
  seen(value: unknown): void {
    const { kind, api } = this.#kind;
    // Kubernetes' own lists name kind and version once for all items.
    const form = toStoredForm(isFields(value) ? { ...value, apiVersion: api, kind } : value);
    const name = nameOf(value);
    if (name === undefined) {
      this.#isListDoubtful = true;
      this.#events.unreadable(this.#nameless, form.kind === "wrong" ? form.message : "it has no name");
      return;
    }
    this.#listed?.add(name);
    if (form.kind !== "object") {
      this.#unreadable.add(name);
      this.#events.unreadable(this.#origin(name), form.kind === "wrong" ? form.message : `this is not of kind ${kind}`);
      return;
    }
    if (this.#unreadable.delete(name)) this.#events.unreadable(this.#origin(name), undefined);
    const object = this.#kind.keep(form.object);
    if (object === undefined) this.#gone(name);
    else this.#tell(name, object);
  }

  /** Something of which not even the name is known. */
  lost(message: string): void {
    this.#isListDoubtful = true;
    this.#events.unreadable(this.#nameless, message);
  }

  deleted(value: unknown): void {
    const name = nameOf(value);
    if (name !== undefined) this.#gone(name);
  }

  /** Nobody asks for these any more. */
  forgetAll(): void {
    for (const name of new Set([...this.#told.keys(), ...this.#unreadable])) this.#gone(name);
    this.#events.unreadable(this.#nameless, undefined);
  }

  #tell(name: string, object: StoredObject): void {
    const print = createHash("sha256").update(JSON.stringify(object)).digest("base64");
    if (this.#told.get(name)?.print === print) return;
    this.#told.set(name, { key: keyOf(object), print });
    this.#events.set(object, this.#origin(name));
  }

  #gone(name: string): void {
    if (this.#unreadable.delete(name)) this.#events.unreadable(this.#origin(name), undefined);
    const told = this.#told.get(name);
    if (told === undefined) return;
    this.#told.delete(name);
    this.#events.deleted(told.key);
  }

  #origin(name: string): string {
    return `${this.#kind.kind} ${name}`;
  }

  get #nameless(): string {
    return `${this.#kind.plural} of the API server`;
  }
}

/** "default/web", or "node-1" for what belongs to the cluster as a whole. */
function nameOf(value: unknown): string | undefined {
  const metadata = isFields(value) ? value["metadata"] : undefined;
  if (!isFields(metadata) || typeof metadata["name"] !== "string" || metadata["name"] === "") return undefined;
  const { name, namespace } = metadata;
  return typeof namespace === "string" ? `${namespace}/${name}` : name;
}

/** One kind of resource, listed once and then watched: what changes is told as it changes, whatever happens to connections in between. */

import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import { ApiError, isGone, reasonOf } from "./kubernetes-error.ts";
import { pathOf, type ResourceKind, resourceName } from "./kubernetes-kinds.ts";
import type { ApiClient, ApiRequest } from "./kubernetes-request.ts";
import { LineSplitter, ListSplitter } from "./kubernetes-streams.ts";
import { Backoff, type Timings } from "./kubernetes-timings.ts";
import type { ToldObjects } from "./kubernetes-told.ts";
import { isFields } from "./stored-form.ts";

export interface ReflectorEvents {
  /** The kind has been listed, or will not be. Once. */
  settled(): void;
  /** Why what was told may be out of date; undefined: it is current. */
  trouble(message: string | undefined): void;
  /** Why this kind is not there at all; undefined: it is. */
  missing(message: string | undefined): void;
}

export interface ReflectorParts {
  readonly kind: ResourceKind;
  readonly client: ApiClient;
  readonly told: ToldObjects;
  readonly events: ReflectorEvents;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timings: Timings;
}

export class Reflector {
  readonly #parts: ReflectorParts;
  readonly #abort = new AbortController();
  readonly #backoff: Backoff;
  #running: Promise<void> | undefined;
  /** Up to where all is known; undefined: nothing is, or it is too long ago. */
  #version: string | undefined;
  /** The first list may come from the API server's memory; one that follows a loss must be of now. */
  #hasListed = false;
  #isSettled = false;
  /** This server sends bookmarks, once a minute: silence means something. */
  #seesBookmarks = false;

  constructor(parts: ReflectorParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock, parts.timings, this.#abort.signal);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing more will be told. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        else await this.#watch(this.#version);
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        await this.#failed(error instanceof ApiError ? error : new ApiError(reasonOf(error)));
      }
    }
  }

  async #list(): Promise<void> {
    const { told, timings } = this.#parts;
    told.beginList();
    const limit = `limit=${timings.pageSize}`;
    let page = await this.#page(this.#hasListed ? limit : `${limit}&resourceVersion=0`);
    while (page.next !== undefined) {
      try {
        page = await this.#page(`${limit}&continue=${encodeURIComponent(page.next)}`);
      } catch (error) {
        if (!isGone(error)) throw error;
        // The server keeps the rest of a list for some minutes only: all in one, then.
        told.beginList();
        page = await this.#page("");
      }
    }
    told.endList();
    this.#version = page.version;
    this.#hasListed = true;
    this.#isWell();
    this.#settle();
  }

  async #page(query: string): Promise<{ version: string; next: string | undefined }> {
    const { client, told, timings, kind } = this.#parts;
    const splitter = new ListSplitter((text) => {
      const item = text === undefined ? undefined : parsed(text);
      if (text === undefined) told.lost("an object is too long to be read, and was passed over");
      else if (item === undefined) told.lost("an object is not JSON, and was passed over");
      else told.seen(item);
    });
    const request = this.#get(query, "PartialObjectMetadataList");
    try {
      for await (const chunk of client.stream(request, () => timings.answer, this.#abort.signal)) {
        if (this.#abort.signal.aborted) break;
        splitter.push(chunk);
      }
      return envelope(splitter.end());
    } catch (error) {
      if (error instanceof RangeError) throw new ApiError(`the list of ${kind.plural}: ${error.message}`);
      throw error;
    }
  }

  async #watch(from: string): Promise<void> {
    const { client, timings, told, clock, kind } = this.#parts;
    const seconds = Math.round(timings.watchSeconds * (1 + Math.random() / 4));
    const query = `watch=true&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(from)}&timeoutSeconds=${seconds}`;
    let answeredAt = Number.POSITIVE_INFINITY;
    const lines = new LineSplitter((text) => {
      const event = text === undefined ? undefined : parsed(text);
      if (!isFields(event) || !isFields(event["object"])) {
        // What it was about is not known: only a list can tell.
        this.#version = undefined;
        told.lost(text === undefined ? "an event is too long to be read" : "an event is no JSON object");
        throw new ApiError(`the watch of ${kind.plural} sends what is no event`);
      }
      this.#take(event["type"], event["object"]);
    });
    const silence = () => (this.#seesBookmarks ? timings.bookmark : seconds * 1000 + timings.answer);
    const answered = () => {
      answeredAt = clock.now();
      this.#isWell();
    };
    const request = this.#get(query, "PartialObjectMetadata");
    try {
      for await (const chunk of client.stream(request, silence, this.#abort.signal, answered)) {
        if (this.#abort.signal.aborted) return;
        lines.push(chunk);
      }
    } finally {
      if (clock.now() - answeredAt >= timings.shortWatch) this.#backoff.reset();
    }
    // The server ends a watch in its time. One that ends at once would be asked for again at once, for ever.
    if (clock.now() - answeredAt < timings.shortWatch) await this.#backoff.wait();
  }

  #take(type: unknown, object: Readonly<Record<string, unknown>>): void {
    const { told } = this.#parts;
    switch (type) {
      case "ADDED":
      case "MODIFIED":
        told.seen(object);
        break;
      case "DELETED":
        told.deleted(object);
        break;
      case "BOOKMARK":
        this.#seesBookmarks = true;
        break;
      case "ERROR": {
        const { code, message } = object;
        this.#version = undefined;
        throw new ApiError(
          typeof message === "string" ? message.slice(0, 500) : "the watch ended with an error",
          typeof code === "number" ? code : 500,
        );
      }
      default:
        return;
    }
    const metadata = object["metadata"];
    const version = isFields(metadata) ? metadata["resourceVersion"] : undefined;
    if (typeof version === "string" && version !== "") this.#version = version;
    this.#backoff.reset();
  }

  async #failed(error: ApiError): Promise<void> {
    const { events, kind, log, timings } = this.#parts;
    const { status } = error;
    const wasWatching = this.#version !== undefined;
    log.debug({ resource: resourceName(kind), status, reason: error.message }, "calico: list or watch ended");
    if (status === 410) {
      // Changes were missed, which is nothing unusual after a while without connection.
      this.#version = undefined;
      return this.#backoff.wait();
    }
    if (status === 403) return this.#refused(forbidden(kind), !kind.isNeeded);
    if (status === 404) return this.#refused(notServed(kind), !this.#hasListed);
    // A version that the server does not know (it was restored from a backup, or says 400): the list is the truth.
    if (status !== undefined && status !== 401 && status !== 429 && status < 502) this.#version = undefined;
    // A broken connection is mended at once more often than not: it is a trouble when the next attempt fails as well.
    if (this.#backoff.failures > 0 || !wasWatching || status !== undefined) events.trouble(error.message);
    return this.#backoff.wait((error.retryAfterSeconds ?? 0) * 1000, timings.longestWait);
  }

  /** It will hardly be otherwise in a second: asked again now and then, while the others go on. */
  async #refused(message: string, isDispensable: boolean): Promise<void> {
    const { events, timings } = this.#parts;
    if (isDispensable) {
      events.missing(message);
      events.trouble(undefined);
      this.#settle();
    } else events.trouble(message);
    await this.#backoff.wait(timings.refused, timings.refused * 2);
  }

  #isWell(): void {
    this.#parts.events.missing(undefined);
    this.#parts.events.trouble(undefined);
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#parts.events.settled();
  }

  #get(query: string, metadataOnly: string): ApiRequest {
    const { kind } = this.#parts;
    const path = `${pathOf(kind)}?${[query, kind.selector].filter((part) => part !== "").join("&")}`;
    if (!kind.isMetadataOnly) return { method: "GET", path };
    return { method: "GET", path, accept: `application/json;as=${metadataOnly};g=meta.k8s.io;v=v1, application/json` };
  }
}

function forbidden(kind: ResourceKind): string {
  return `forbidden (403): grant get/list/watch on ${resourceName(kind)} to the account that starling runs as`;
}

function notServed(kind: ResourceKind): string {
  return `the API server has no ${resourceName(kind)} (404): install Calico's CustomResourceDefinitions of your release`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function envelope(list: unknown): { version: string; next: string | undefined } {
  const metadata = isFields(list) ? list["metadata"] : undefined;
  const version = isFields(metadata) ? metadata["resourceVersion"] : undefined;
  if (!isFields(metadata) || typeof version !== "string") throw new RangeError("it has no resourceVersion");
  const next = metadata["continue"];
  return { version, next: typeof next === "string" && next !== "" ? next : undefined };
}

/**
 * A double of the Kubernetes API server that speaks real HTTP or HTTPS: lists in pages, watches in chunks with bookmarks, 410 for what it has
 * forgotten, tokens, the status subresource, and faults on demand.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { type ApiChange, type ApiObject, ApiObjects, kindOf } from "./kubernetes-objects.ts";

export interface ApiFault {
  /** Part of the path with its query: "bgppeers", "watch=true". */
  readonly on: string;
  /** Answers with this status; "hang": with nothing, "reset": closes, "raw": with the text and status 200. */
  readonly do: number | "hang" | "reset" | { readonly raw: string };
  readonly retryAfter?: number;
  /** How often; default: until it is taken away. */
  times?: number;
}

interface Watch {
  readonly collection: string;
  readonly response: ServerResponse;
  /** It stays open and sends nothing any more, not even its end. */
  isSilent: boolean;
}

interface Target {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly isStatus: boolean;
  readonly isPartial: boolean;
  readonly query: URLSearchParams;
}

export class KubernetesApi {
  readonly objects = new ApiObjects();
  readonly faults: ApiFault[] = [];
  /** "GET /api/v1/nodes?limit=500", in order. */
  readonly requests: string[] = [];
  /** Bearer tokens that it believes; empty: it asks for none. */
  readonly tokens = new Set<string>();
  groups = ["crd.projectcalico.org/v1"];
  /** How a watch from a version that is forgotten is refused. */
  goneAs: "status" | "event" = "status";
  /** To who asks for that. */
  givesMetadataOnly = true;
  /** False: as with definitions that have none. */
  hasStatusSubresource = true;
  bookmarkMilliseconds = 50;
  /** Called before a write is done, so that another may come first. */
  beforeWrite: () => void = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watches = new Set<Watch>();
  readonly #snapshots = new Map<string, { readonly version: number; readonly rest: readonly ApiObject[] }>();
  readonly #isTls: boolean;
  #port = 0;

  private constructor(tls: { readonly key: string; readonly cert: string } | undefined) {
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response);
    this.#isTls = tls !== undefined;
    this.#server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
    });
  }

  static async start(tls?: { readonly key: string; readonly cert: string }): Promise<KubernetesApi> {
    const api = new KubernetesApi(tls);
    await api.listen();
    return api;
  }

  /** After a close: at the port that it had, so that a restart can be played. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#isTls ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  /** Of collections that are being watched, sorted: "v1/nodes". */
  get watched(): string[] {
    return [...this.#watches].map(({ collection }) => collection).sort();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Every connection breaks, as when a load balancer forgets them. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The watches that there are become dead connections: nothing comes of them, and nothing ends them. */
  silence(): void {
    for (const watch of this.#watches) watch.isSilent = true;
  }

  /** Into the watches of a collection, as it is. */
  sendRaw(collection: string, text: string): void {
    for (const watch of this.#watches) if (watch.collection === collection) watch.response.write(text);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const path = request.url ?? "/";
    this.requests.push(`${request.method} ${path}`);
    if (this.#fails(path, response)) return undefined;
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    if (this.tokens.size > 0 && !this.tokens.has(token ?? "")) return refuse(response, 401, "Unauthorized");
    if (path === "/apis") return reply(response, 200, { kind: "APIGroupList", groups: this.groups.map(group) });
    const target = parse(
      path,
      this.givesMetadataOnly && request.headers.accept?.includes("PartialObjectMetadata") === true,
    );
    if (target === undefined) return refuse(response, 404, `the server could not find ${path}`);
    const body = await text(request);
    if (target.name !== undefined) return this.#object(request.method ?? "GET", target, body, response);
    if (target.query.get("watch") === "true") return this.#watch(target, response);
    return this.#list(target, response);
  }

  #fails(path: string, response: ServerResponse): boolean {
    const fault = this.faults.find(({ on, times }) => path.includes(on) && times !== 0);
    if (fault === undefined) return false;
    if (fault.times !== undefined) fault.times--;
    if (fault.do === "reset") response.socket?.destroy();
    else if (typeof fault.do === "number") {
      if (fault.retryAfter !== undefined) response.setHeader("Retry-After", fault.retryAfter);
      refuse(response, fault.do, `fault on ${fault.on}`);
    } else if (fault.do !== "hang") response.end(fault.do.raw);
    return true;
  }

  #list(target: Target, response: ServerResponse): ServerResponse {
    const { query, collection } = target;
    const limit = Number(query.get("limit") ?? 0);
    const token = query.get("continue");
    const snapshot = token === null ? undefined : this.#snapshots.get(token);
    if (token !== null && (snapshot === undefined || snapshot.version < this.objects.forgotten))
      return refuse(response, 410, "The provided continue parameter is too old", "Expired");
    const version = snapshot?.version ?? this.objects.version;
    const all = snapshot?.rest ?? this.objects.list(collection).filter((object) => isWanted(object, target));
    const items = limit > 0 ? all.slice(0, limit) : all;
    const metadata: Record<string, unknown> = { resourceVersion: String(version) };
    if (items.length < all.length) {
      metadata["continue"] = `page-${version}-${this.#snapshots.size}`;
      metadata["remainingItemCount"] = all.length - items.length;
      this.#snapshots.set(metadata["continue"] as string, { version, rest: all.slice(limit) });
    }
    const kind = `${kindOf(collection)}List`;
    const apiVersion = collection.slice(0, collection.lastIndexOf("/"));
    // As Go writes them: Kubernetes' own kinds in the order of the struct, without kind and version in items; others sorted by name.
    if (target.isPartial)
      return reply(response, 200, {
        kind: "PartialObjectMetadataList",
        apiVersion,
        metadata,
        items: items.map(partial),
      });
    if (apiVersion.includes("projectcalico")) return reply(response, 200, { apiVersion, items, kind, metadata });
    const plain = items.map(({ kind: _, apiVersion: __, ...item }) => item);
    return reply(response, 200, { kind, apiVersion, metadata, items: plain });
  }

  #watch(target: Target, response: ServerResponse): ServerResponse {
    const from = Number(target.query.get("resourceVersion") ?? 0);
    const missed = this.objects.since(from);
    if (missed === undefined && this.goneAs === "status")
      return refuse(response, 410, `too old resource version: ${from} (${this.objects.forgotten})`, "Expired");
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    const watch: Watch = { collection: target.collection, response, isSilent: false };
    const send = (event: object) => {
      if (!watch.isSilent) response.write(`${JSON.stringify(event)}\n`);
    };
    if (missed === undefined) {
      send({ type: "ERROR", object: status(410, `too old resource version: ${from}`, "Expired") });
      return response.end();
    }
    const tell = ({ type, object }: ApiChange) => {
      if (`${object.apiVersion}/` === `${target.collection.slice(0, target.collection.lastIndexOf("/"))}/`)
        if (kindOf(target.collection) === object.kind && isWanted(object, target))
          send({ type, object: target.isPartial ? partial(object) : object });
    };
    for (const change of missed) tell(change);
    this.#watches.add(watch);
    const unsubscribe = this.objects.subscribe(tell);
    const bookmarks = setInterval(() => {
      const metadata = { resourceVersion: String(this.objects.version), creationTimestamp: null };
      if (target.query.get("allowWatchBookmarks") === "true")
        send({ type: "BOOKMARK", object: { kind: kindOf(target.collection), metadata } });
    }, this.bookmarkMilliseconds);
    const seconds = Number(target.query.get("timeoutSeconds") ?? 1800);
    const end = setTimeout(() => {
      if (!watch.isSilent) response.end();
    }, seconds * 1000);
    response.on("close", () => {
      unsubscribe();
      clearInterval(bookmarks);
      clearTimeout(end);
      this.#watches.delete(watch);
    });
    return response;
  }

  #object(
    method: string,
    { collection, namespace, name, isStatus }: Target,
    body: string,
    response: ServerResponse,
  ): ServerResponse {
    if (method !== "GET") this.beforeWrite();
    const current = this.objects.get(collection, namespace, name ?? "");
    if (current === undefined) return refuse(response, 404, `"${name}" not found`);
    if (isStatus && !this.hasStatusSubresource) return refuse(response, 404, "the server could not find it");
    if (method === "GET") return reply(response, 200, current);
    const written = JSON.parse(body) as ApiObject;
    if (method === "PATCH") {
      const { annotations } = written.metadata as { annotations?: object };
      const present = (current.metadata["annotations"] ?? {}) as object;
      const metadata = { ...current.metadata, annotations: { ...present, ...annotations } };
      return reply(response, 200, this.objects.put({ ...current, metadata }));
    }
    // The subresource takes the status alone, and the object without it everything else.
    const next = isStatus
      ? {
          ...current,
          metadata: { ...current.metadata, resourceVersion: written.metadata["resourceVersion"] },
          status: written["status"],
        }
      : this.hasStatusSubresource
        ? { ...written, status: current["status"] }
        : written;
    const stored = this.objects.replace(next);
    if (stored === undefined)
      return refuse(response, 409, "the object has been modified; please apply your changes to the latest version");
    return reply(response, 200, stored);
  }
}

function group(groupVersion: string): object {
  const [name, version] = groupVersion.split("/");
  return { name, versions: [{ groupVersion, version }] };
}

/** "/apis/GROUP/VERSION[/namespaces/NS]/PLURAL[/NAME[/status]]", or "/api/v1/...". */
function parse(path: string, isPartial: boolean): Target | undefined {
  const url = new URL(path, "http://double");
  const match =
    /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+)(\/status)?)?$/.exec(
      url.pathname,
    );
  if (match === null) return undefined;
  const [, core, grouped, namespace, plural, name, statusPart] = match;
  return {
    collection: `${core ?? grouped}/${plural}`,
    namespace,
    name: name === undefined ? undefined : decodeURIComponent(name),
    isStatus: statusPart !== undefined,
    isPartial,
    query: url.searchParams,
  };
}

function isWanted({ metadata }: ApiObject, { namespace, query }: Target): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const field = query.get("fieldSelector");
  if (field !== null && field !== `metadata.name=${metadata.name}`) return false;
  const labels = (metadata["labels"] ?? {}) as Record<string, string>;
  return (query.get("labelSelector") ?? "")
    .split(",")
    .every((term) => (term.startsWith("!") ? !(term.slice(1) in labels) : term === "" || term in labels));
}

function partial({ metadata }: ApiObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}

function status(code: number, message: string, reason: string): object {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
}

function refuse(response: ServerResponse, code: number, message: string, reason = "Unknown"): ServerResponse {
  return reply(response, code, status(code, message, reason));
}

function reply(response: ServerResponse, code: number, body: unknown): ServerResponse {
  response.writeHead(code, { "Content-Type": "application/json" });
  return response.end(JSON.stringify(body));
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** The HTTP endpoints: one table, which the 404 text and docs/commands.md list too. */

import type { ServerResponse } from "node:http";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import { existingPeer } from "./answers.ts";
import type { EventStream } from "./http-events.ts";
import { HttpError, JSON_TYPE, send, sendJson, startBody } from "./http-reply.ts";
import { parseRouteFilter, viewFlag } from "./route-filter.ts";
import type { RoutePages } from "./route-pages.ts";
import { collectRows, streamRows } from "./row-stream.ts";
import type { DaemonView, RouteView } from "./views.ts";

const NDJSON_TYPE = "application/x-ndjson; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const MAX_PAGE = 10_000;

export interface HttpContext {
  readonly view: DaemonView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventStream;
  readonly pages: RoutePages;
}

export interface HttpCall {
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What follows the endpoint's path: a name, or nothing. */
  readonly rest: string;
  readonly headOnly: boolean;
}

export interface Endpoint {
  readonly path: string;
  readonly summary: string;
  /** The rest of the path if it is this endpoint's. */
  readonly match: (pathname: string) => string | undefined;
  readonly serve: (call: HttpCall, context: HttpContext) => Promise<void> | void;
}

export const ENDPOINTS: readonly Endpoint[] = [
  {
    path: "/metrics",
    summary: "Prometheus metrics",
    match: exactly("/metrics"),
    serve: async ({ response }, { view }) => send(response, 200, METRICS_TYPE, await view.metrics()),
  },
  {
    path: "/healthz",
    summary: "200 while the process is live",
    match: exactly("/healthz"),
    serve: ({ response }) => sendJson(response, 200, { live: true }),
  },
  {
    path: "/readyz",
    summary: "200 when ready, otherwise 503 and what is missing",
    match: exactly("/readyz"),
    serve: ({ response }, { view }) => {
      const missing = view.readiness();
      sendJson(response, missing.length === 0 ? 200 : 503, { ready: missing.length === 0, missing });
    },
  },
  {
    path: "/api/v1/summary",
    summary: "the speaker as a whole",
    match: exactly("/api/v1/summary"),
    serve: ({ response }, { view }) => sendJson(response, 200, view.summary()),
  },
  {
    path: "/api/v1/peers",
    summary: "every session",
    match: exactly("/api/v1/peers"),
    serve: ({ response }, { view }) => sendJson(response, 200, view.peers()),
  },
  {
    path: "/api/v1/peers/NAME",
    summary: "one session",
    match: (pathname) => (pathname.startsWith("/api/v1/peers/") ? pathname.slice("/api/v1/peers/".length) : undefined),
    serve: servePeer,
  },
  {
    path: "/api/v1/routes",
    summary: "routes as NDJSON, or in pages with limit and cursor",
    match: exactly("/api/v1/routes"),
    serve: serveRoutes,
  },
  {
    path: "/api/v1/events",
    summary: "session and route changes as server-sent events",
    match: exactly("/api/v1/events"),
    serve: serveEvents,
  },
];

function exactly(path: string): Endpoint["match"] {
  return (pathname) => (pathname === path || pathname === `${path}/` ? "" : undefined);
}

function servePeer({ response, rest }: HttpCall, { view }: HttpContext): void {
  let name: string;
  try {
    name = decodeURIComponent(rest);
  } catch {
    throw new HttpError(400, "the peer's name in the URL is not percent-encoded UTF-8");
  }
  if (view.peer(name) === undefined) {
    try {
      existingPeer(view, name);
    } catch (error) {
      throw new HttpError(404, error instanceof Error ? error.message : `no peer named ${name}`);
    }
  }
  sendJson(response, 200, existingPeer(view, name));
}

async function serveRoutes(call: HttpCall, context: HttpContext): Promise<void> {
  const { response, headOnly } = call;
  const { filter, limit, cursor, count } = routeQuery(call.query);
  if (count) return sendJson(response, 200, { count: await context.view.countRoutes(parseRouteFilter(filter)) });
  if (limit !== undefined) {
    const rows = cursor === undefined ? context.view.routes(parseRouteFilter(filter)) : context.pages.take(cursor);
    if (rows === undefined) throw new HttpError(410, "this cursor was used or has expired; start again without it");
    return servePage(response, rows, limit, context);
  }
  const rows = started(context.view.routes(parseRouteFilter(filter)));
  startBody(response, NDJSON_TYPE);
  if (headOnly) {
    rows.return?.();
    response.end();
    return;
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  if (response.destroyed) gone.abort();
  await streamRows(rows, (row) => `${JSON.stringify(row)}\n`, response, context.clock, gone.signal);
  response.end();
}

async function servePage(
  response: ServerResponse,
  rows: Iterator<RouteView | undefined, void>,
  limit: number,
  context: HttpContext,
): Promise<void> {
  const page = await collectRows(rows, limit, context.clock);
  const lines = page.rows.map((row) => JSON.stringify(row));
  const next = page.finished ? null : context.pages.park(rows);
  send(response, 200, JSON_TYPE, `{"routes":[${lines.join(",\n")}],"next":${JSON.stringify(next)}}\n`);
}

function serveEvents({ response, query, headOnly }: HttpCall, { events }: HttpContext): void {
  const kind = query.get("kind") ?? undefined;
  if (kind !== undefined && kind !== "session" && kind !== "route") {
    throw new HttpError(400, "kind is session or route");
  }
  startBody(response, "text/event-stream; charset=utf-8");
  if (headOnly) response.end();
  else events.add(response, kind);
}

function routeQuery(query: URLSearchParams): {
  filter: Record<string, unknown>;
  limit: number | undefined;
  cursor: string | undefined;
  count: boolean;
} {
  const filter: Record<string, unknown> = {};
  let limit: number | undefined;
  let cursor: string | undefined;
  let count = false;
  for (const [key, value] of query) {
    const view = viewFlag(key);
    if (view !== undefined) {
      if (flag(key, value)) filter["view"] = view;
    } else if (key === "longer") filter[key] = flag(key, value);
    else if (key === "count") count = flag(key, value);
    else if (key === "limit") limit = pageSize(value);
    else if (key === "cursor") cursor = value;
    else filter[key] = value;
  }
  // A cursor alone goes on with pages of the default size.
  if (cursor !== undefined) limit ??= 1_000;
  return { filter, limit, cursor, count };
}

function flag(key: string, value: string): boolean {
  if (value === "" || value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new HttpError(400, `${key} is true or false`);
}

function pageSize(value: string): number {
  const size = Number(value);
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE) {
    throw new HttpError(400, `limit is a whole number from 1 to ${MAX_PAGE}`);
  }
  return size;
}

/** Pulls the first row now, while the answer can still become an error with a status of its own. */
function started(rows: Iterator<RouteView | undefined, void>): Iterator<RouteView | undefined, void> {
  let first: IteratorResult<RouteView | undefined, void> | undefined = rows.next();
  return {
    next(): IteratorResult<RouteView | undefined, void> {
      const next = first ?? rows.next();
      first = undefined;
      return next;
    },
    return(): IteratorResult<RouteView | undefined, void> {
      return rows.return?.() ?? { done: true, value: undefined };
    },
  };
}

/** The HTTP listener: read-only, loopback unless told otherwise, with bounds on everything that a client may send or hold. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import { EventStream } from "./http-events.ts";
import { HttpError, sendJson, sendText } from "./http-reply.ts";
import { ENDPOINTS, type HttpContext } from "./http-routes.ts";
import { RequestQueue } from "./request-queue.ts";
import { RoutePages } from "./route-pages.ts";
import { type DaemonView, UsageError } from "./views.ts";

const MAX_CONNECTIONS = 128;
const MAX_HEADER_BYTES = 8 * 1024;
/** A connection on which nothing moves, in either direction, is closed: also that of a client which stopped reading. */
const IDLE_MILLISECONDS = 120_000;
/** Then the client is told to connect anew: with what it may have sent ahead, this bounds what can wait. */
const MAX_REQUESTS_PER_CONNECTION = 50;

export interface HttpServerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly view: DaemonView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxConnections?: number;
}

export interface HttpServer {
  readonly address: string;
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Throws UsageError, with what to do, when the address cannot be had. */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { view, clock, log } = options;
  const events = new EventStream(view, clock, log);
  const pages = new RoutePages(clock);
  const context: HttpContext = { view, clock, log, events, pages };
  const checkHost = isLoopback(options.address);
  const requests = new RequestQueue(clock);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 2_000,
    },
    (request, response) => requests.add(() => void serve(request, response, context, checkHost)),
  );
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
  server.timeout = IDLE_MILLISECONDS;
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  const port = await listen(server, options);
  server.on("error", (error) => log.error({ err: error }, "http server failed"));
  return {
    address: options.address,
    port,
    async close(): Promise<void> {
      events.close();
      pages.close();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  context: HttpContext,
  checkHost: boolean,
): Promise<void> {
  // A client that goes away ends the work through "close"; that it did so is nothing to report.
  response.on("error", () => undefined);
  request.resume();
  if (response.destroyed) return;
  try {
    if (checkHost) refuseForeignHost(request);
    await dispatch(request, response, context);
  } catch (error) {
    fail(request, response, error, context.log);
  }
}

async function dispatch(request: IncomingMessage, response: ServerResponse, context: HttpContext): Promise<void> {
  const url = parseUrl(request.url ?? "/");
  for (const endpoint of ENDPOINTS) {
    const rest = endpoint.match(url.pathname);
    if (rest === undefined) continue;
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      throw new HttpError(405, `${request.method} is not possible: this interface only shows`);
    }
    await endpoint.serve({ response, query: url.searchParams, rest, headOnly: request.method === "HEAD" }, context);
    return;
  }
  if (url.pathname.startsWith("/api/")) throw new HttpError(404, `nothing is at ${url.pathname}`);
  const list = ENDPOINTS.map((endpoint) => `  ${endpoint.path.padEnd(24)} ${endpoint.summary}`).join("\n");
  sendText(response, 404, `Nothing is at ${url.pathname}. starling answers at:\n\n${list}\n`);
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown, log: Logger): void {
  const known = error instanceof HttpError || error instanceof UsageError;
  if (!known) log.error({ err: error, url: request.url?.slice(0, 200) }, "http request failed");
  if (response.headersSent) {
    // Too late for a status: cutting the chunked body short is how the client learns of it.
    response.destroy();
    return;
  }
  const status = error instanceof HttpError ? error.status : known ? 400 : 500;
  sendJson(response, status, { error: known ? error.message : "starling failed to answer; its log says why" });
}

/**
 * A page of some web site may make its own host name point here (DNS rebinding) and would then be let in by the browser as of
 * the same origin. On loopback there is no reason for a name other than localhost.
 */
function refuseForeignHost(request: IncomingMessage): void {
  const host = (request.headers.host ?? "localhost").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (host !== "localhost" && isIP(host) === 0)
    throw new HttpError(403, "name this server by its address or as localhost");
}

function parseUrl(url: string): URL {
  try {
    return new URL(url, "http://localhost");
  } catch {
    throw new HttpError(400, "the request's URL cannot be read");
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || address.startsWith("127.");
}

function listen(server: Server, options: HttpServerOptions): Promise<number> {
  const { address, port } = options;
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why =
        error.code === "EADDRINUSE"
          ? "another process listens there"
          : error.code === "EACCES"
            ? "permission denied"
            : error.code;
      reject(new UsageError(`cannot serve HTTP on ${address} port ${port}: ${why}; set http.port, or http: false`));
    });
    server.listen(port, address, () => {
      server.removeAllListeners("error");
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : port);
    });
  });
}

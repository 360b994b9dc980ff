/**
 * The control socket's language. The client writes one line, `{"method": ..., "params": {...}}`, and reads lines until the daemon
 * closes: any number of `{"row":...}` and then exactly one of `{"result":...}`, `{"end":{"rows":N}}` or `{"error":{...}}`. A stream
 * that stops without that last line was cut off.
 */

import { didYouMean } from "./nearest.ts";
import { UsageError } from "./views.ts";

export const METHODS = [
  "summary",
  "peers",
  "peer",
  "routes",
  "count",
  "kernel",
  "readiness",
  "configuration",
  "reload",
  "peerAction",
  "cleanup",
] as const;
export type Method = (typeof METHODS)[number];

export type Params = Readonly<Record<string, unknown>>;

export interface ControlRequest {
  readonly method: Method;
  readonly params: Params;
}

export const MAX_REQUEST_BYTES = 64 * 1024;

/** usage: the request makes no sense; busy: too many clients; internal: starling's own fault. */
export type ErrorKind = "usage" | "busy" | "internal";

export type Frame =
  /** `json` is the row's text as it came, so that a client which only passes it on need not parse it. */
  | { readonly kind: "row"; readonly json: string }
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "end"; readonly rows: number }
  | { readonly kind: "error"; readonly error: ErrorKind; readonly message: string };

export const requestLine = (method: Method, params: Params): string => `${JSON.stringify({ method, params })}\n`;
export const rowFrame = (json: string): string => `{"row":${json}}\n`;
export const resultFrame = (json: string): string => `{"result":${json}}\n`;
export const endFrame = (rows: number): string => `{"end":{"rows":${rows}}}\n`;
export const errorFrame = (kind: ErrorKind, message: string): string =>
  `${JSON.stringify({ error: { kind, message } })}\n`;

export function parseRequest(line: string): ControlRequest {
  const request = parseJson(line);
  if (!isRecord(request)) throw new UsageError("a request is one JSON object on one line");
  const method = request["method"];
  const params = request["params"] ?? {};
  if (typeof method !== "string") throw new UsageError('a request names its "method"');
  if (!isMethod(method)) {
    throw new UsageError(`unknown method ${JSON.stringify(method.slice(0, 64))}${didYouMean(method, METHODS)}`);
  }
  if (!isRecord(params)) throw new UsageError('"params" is a JSON object');
  return { method, params };
}

/** Undefined for a line that no daemon of this protocol sends. */
export function parseFrame(line: string): Frame | undefined {
  if (line.startsWith('{"row":') && line.endsWith("}")) return { kind: "row", json: line.slice(7, -1) };
  let frame: unknown;
  try {
    frame = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isRecord(frame)) return undefined;
  if ("result" in frame) return { kind: "result", value: frame["result"] };
  const end = frame["end"];
  if (isRecord(end)) return { kind: "end", rows: Number(end["rows"]) };
  const error = frame["error"];
  if (!isRecord(error)) return undefined;
  const kind = error["kind"];
  return {
    kind: "error",
    error: kind === "usage" || kind === "busy" ? kind : "internal",
    message: String(error["message"]),
  };
}

function isRecord(value: unknown): value is Params {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMethod(name: string): name is Method {
  return (METHODS as readonly string[]).includes(name);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("the request is not JSON");
  }
}

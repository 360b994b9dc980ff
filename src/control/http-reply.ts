/** Whole HTTP answers: JSON and text, never cached, never sniffed. */

import type { ServerResponse } from "node:http";
import { redacted } from "./redact.ts";

/** The client asked for what is not there or not possible. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const JSON_TYPE = "application/json; charset=utf-8";

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, JSON_TYPE, `${JSON.stringify(value, redacted)}\n`);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", text);
}

export function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...commonHeaders(type), "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

/** For a body whose length is not known beforehand. */
export function startBody(response: ServerResponse, type: string): void {
  response.writeHead(200, commonHeaders(type));
  response.flushHeaders();
}

function commonHeaders(type: string): Record<string, string> {
  return { "Content-Type": type, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };
}

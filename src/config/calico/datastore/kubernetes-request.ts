/** Requests to the API server whose answers are streams: bounded, watched for silence, and never read as a whole. */

import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Clock } from "../../../bgp/model/ports.ts";
import type { ApiServer, KubernetesAccess } from "./kubernetes-access.ts";
import { ApiError, reasonOf } from "./kubernetes-error.ts";

export interface ApiRequest {
  readonly method: "GET" | "PUT" | "PATCH";
  /** With query. */
  readonly path: string;
  /** The form of the answer; default: JSON. */
  readonly accept?: string;
  readonly body?: { readonly type: string; readonly text: string };
}

/** Octets of an answer that is read as a whole: an object, or why there is none. */
const MAX_ANSWER = 4 * 1024 * 1024;
/** The kernel asks after a peer that has been silent for so long, and gives it up ten seconds later. */
const KEEPALIVE_MILLISECONDS = 30_000;

export class ApiClient {
  readonly #access: KubernetesAccess;
  readonly #clock: Clock;

  constructor(access: KubernetesAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /**
   * The octets of an answer as they come. `silence` gives the milliseconds in which something must come, and is asked anew
   * each time. Throws an ApiError for any status but 200 and 201, and for an answer that breaks off.
   */
  async *stream(
    request: ApiRequest,
    silence: () => number,
    signal: AbortSignal,
    answered: () => void = () => undefined,
  ): AsyncGenerator<Buffer, void> {
    const { url, options } = await this.#login(silence(), signal);
    const sent = this.#send(request, url, options);
    // What is open: of a request whose answer has begun, the answer, or the reason for its end would be lost.
    let open: ClientRequest | IncomingMessage = sent;
    const abort = () => void open.destroy(new ApiError("given up"));
    signal.addEventListener("abort", abort, { once: true });
    try {
      const response = await this.#within(silence(), sent, answerOf(sent));
      open = response;
      if (response.statusCode !== 200 && response.statusCode !== 201) {
        if (response.statusCode === 401) this.#access.forget();
        throw await this.#refusal(response);
      }
      answered();
      const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
      for (;;) {
        const { done, value } = await this.#within(silence(), response, chunks.next());
        if (done) return;
        yield value;
        // A fast server would have a list of thousands read in one turn of the event loop.
        await new Promise<void>((resolve) => this.#clock.soon(resolve));
      }
    } catch (error) {
      throw error instanceof ApiError ? error : new ApiError(`${url}: ${reasonOf(error)}`);
    } finally {
      signal.removeEventListener("abort", abort);
      open.destroy();
    }
  }

  /** An answer that is one JSON document. */
  async json(request: ApiRequest, silence: number, signal: AbortSignal): Promise<unknown> {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.stream(request, () => silence, signal)) {
      length += chunk.length;
      if (length > MAX_ANSWER) throw new ApiError(`the answer to ${request.path} is longer than ${MAX_ANSWER} octets`);
      parts.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(parts).toString("utf8"));
    } catch {
      throw new ApiError(`the answer to ${request.path} is not JSON`);
    }
  }

  /** A kubeconfig may name a program that gives the token: that it hangs must not go unsaid, nor keep the daemon from ending. */
  #login(milliseconds: number, signal: AbortSignal): Promise<ApiServer> {
    return new Promise((resolve, reject) => {
      const seconds = Math.round(milliseconds / 1000);
      const timer = this.#clock.after(milliseconds, () => {
        end();
        reject(new ApiError(`what the kubeconfig has for logging in did not answer for ${seconds} s`));
      });
      const abort = () => {
        end();
        reject(new ApiError("given up"));
      };
      const end = () => {
        timer.cancel();
        signal.removeEventListener("abort", abort);
      };
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      this.#access.server().finally(end).then(resolve, reject);
    });
  }

  #send({ method, path, accept = "application/json", body }: ApiRequest, url: string, options: object): ClientRequest {
    const { pathname, origin } = new URL(url);
    const base = pathname.replace(/\/$/, "");
    const target = new URL(origin + base + path);
    const own = "headers" in options ? (options.headers as Record<string, string>) : {};
    const headers: Record<string, string | number> = { ...own, Accept: accept, "User-Agent": "starling" };
    if (body !== undefined) {
      headers["Content-Type"] = body.type;
      headers["Content-Length"] = Buffer.byteLength(body.text);
    }
    const send = target.protocol === "http:" ? httpRequest : httpsRequest;
    const sent = send(target, { ...options, method, headers });
    sent.on("socket", (socket) => socket.setKeepAlive(true, KEEPALIVE_MILLISECONDS));
    // Whoever waits for it hears of it too; without a listener it would end the process.
    sent.on("error", () => undefined);
    sent.end(body?.text);
    return sent;
  }

  /** A connection that is dead at the other end says nothing: silence ends it. */
  async #within<T>(milliseconds: number, open: ClientRequest | IncomingMessage, awaited: Promise<T>): Promise<T> {
    const watchdog = this.#clock.after(milliseconds, () => {
      open.destroy(new ApiError(`nothing came from the API server for ${Math.round(milliseconds / 1000)} s`));
    });
    try {
      return await awaited;
    } finally {
      watchdog.cancel();
    }
  }

  async #refusal(response: IncomingMessage): Promise<ApiError> {
    const status = response.statusCode ?? 0;
    let text = "";
    const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
    try {
      while (text.length < MAX_REFUSAL) {
        const { done, value } = await this.#within(REFUSAL_MILLISECONDS, response, chunks.next());
        if (done) break;
        text += value.toString("utf8");
      }
    } catch {
      // The status says enough.
    }
    const seconds = Number(response.headers["retry-after"]);
    const retryAfter = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
    return new ApiError(`HTTP ${status}${messageOf(text)}`, status, retryAfter);
  }
}

const MAX_REFUSAL = 16 * 1024;
const REFUSAL_MILLISECONDS = 5_000;
const MAX_RETRY_AFTER_SECONDS = 120;

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
    sent.once("close", () => reject(new ApiError("the connection was closed before an answer came")));
  });
}

/** The `message` of a Status object, as far as it is one. */
function messageOf(text: string): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status !== "object" || status === null || !("message" in status)) return "";
    return typeof status.message === "string" ? `: ${status.message.slice(0, 500)}` : "";
  } catch {
    return "";
  }
}

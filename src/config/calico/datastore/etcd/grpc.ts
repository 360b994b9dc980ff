/**
 * gRPC over HTTP/2 (the protocol's PROTOCOL-HTTP2 document), as much of it as a client of etcd needs: one connection, unary calls, and
 * streams in both directions, uncompressed. The one door to node:http2.
 */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { Clock, Timer } from "../../../../bgp/model/ports.ts";

/** gRPC's status codes that matter here. */
export const GrpcStatus = {
  Unknown: 2,
  InvalidArgument: 3,
  PermissionDenied: 7,
  FailedPrecondition: 9,
  OutOfRange: 11,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

/** What the server said, or what kept it from saying anything. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export type Metadata = Readonly<Record<string, string>>;

const CONNECT_MILLISECONDS = 5000;
/** For one unary call; the server is told of it, so that it gives up too. */
const CALL_SECONDS = 15;
/** Below 5 s etcd takes a client for an attacker. An answer must come before the next ping is due. */
const PING_MILLISECONDS = 10_000;
const MAX_MESSAGE_OCTETS = 32 * 1024 * 1024;
const WINDOW_OCTETS = 1024 * 1024;

export class GrpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  #ping: Timer | undefined;
  #failure: GrpcError | undefined;
  readonly #signal: AbortSignal;
  readonly #stop = () => this.close();

  /** Throws GrpcError. `tls`: PEM texts. The signal ends the connection, whether it stands already or not. */
  static async open(endpoint: string, tls: TlsFiles, clock: Clock, signal: AbortSignal): Promise<GrpcConnection> {
    if (signal.aborted) throw new GrpcError(GrpcStatus.Unavailable, "closed");
    const session = connect(endpoint, {
      settings: { enablePush: false, initialWindowSize: WINDOW_OCTETS },
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
    });
    let timer: Timer | undefined;
    let stop = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        timer = clock.after(CONNECT_MILLISECONDS, () => reject(new Error("no connection within 5 seconds")));
        stop = () => reject(new Error("closed"));
        signal.addEventListener("abort", stop);
        session.once("connect", () => resolve());
        session.once("error", reject);
        session.once("close", () => reject(new Error("the connection was closed")));
      });
    } catch (thrown) {
      session.on("error", () => undefined);
      session.destroy();
      throw unavailable(thrown);
    } finally {
      timer?.cancel();
      signal.removeEventListener("abort", stop);
    }
    return new GrpcConnection(session, clock, signal);
  }

  private constructor(session: ClientHttp2Session, clock: Clock, signal: AbortSignal) {
    this.#session = session;
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", this.#stop);
    session.setLocalWindowSize(WINDOW_OCTETS);
    session.on("error", (error) => this.#fail(unavailable(error)));
    session.on("close", () => this.#fail(new GrpcError(GrpcStatus.Unavailable, "the connection was closed")));
    session.on("goaway", () => this.#fail(new GrpcError(GrpcStatus.Unavailable, "the server ends the connection")));
    this.#keepAlive();
  }

  close(): void {
    this.#fail(new GrpcError(GrpcStatus.Unavailable, "closed"));
  }

  /** Throws GrpcError. */
  async call(path: string, message: Uint8Array, metadata: Metadata = {}): Promise<Uint8Array> {
    const stream = this.stream(path, { ...metadata, "grpc-timeout": `${CALL_SECONDS}S` });
    const late = this.#clock.after(CALL_SECONDS * 1000, () => stream.abort("no answer within 15 seconds"));
    try {
      stream.send(message);
      stream.end();
      let answer: Uint8Array | undefined;
      for await (const received of stream.messages()) answer = received;
      if (answer === undefined) throw new GrpcError(GrpcStatus.Unknown, "the answer holds no message");
      return answer;
    } finally {
      late.cancel();
    }
  }

  /** Throws GrpcError if the connection is gone. */
  stream(path: string, metadata: Metadata = {}): GrpcStream {
    if (this.#failure !== undefined) throw this.#failure;
    const headers = {
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    };
    return new GrpcStream(this.#session.request(headers), () => this.#failure);
  }

  #keepAlive(): void {
    let isAnswered = true;
    const ping = () => {
      if (!isAnswered) return this.#fail(new GrpcError(GrpcStatus.Unavailable, "no answer to a ping for 10 seconds"));
      isAnswered = false;
      if (this.#session.destroyed) return; // `close` is about to be told
      this.#session.ping(() => {
        isAnswered = true;
      });
      this.#ping = this.#clock.after(PING_MILLISECONDS, ping);
    };
    this.#ping = this.#clock.after(PING_MILLISECONDS, ping);
  }

  #fail(error: GrpcError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#ping?.cancel();
    this.#signal.removeEventListener("abort", this.#stop);
    this.#session.destroy();
  }
}

export class GrpcStream {
  readonly #stream: ClientHttp2Stream;
  readonly #connectionFailure: () => GrpcError | undefined;
  #status: GrpcError | undefined;
  #isOver = false;

  constructor(stream: ClientHttp2Stream, connectionFailure: () => GrpcError | undefined) {
    this.#stream = stream;
    this.#connectionFailure = connectionFailure;
    stream.on("error", () => undefined); // `messages` throws it
    stream.on("response", (headers) => this.#noteStatus(headers));
    stream.on("trailers", (headers) => this.#noteStatus(headers));
  }

  send(message: Uint8Array): void {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([prefix, message]));
  }

  end(): void {
    this.#stream.end();
  }

  abort(reason: string): void {
    this.#status ??= new GrpcError(GrpcStatus.Unavailable, reason);
    this.#stream.destroy();
  }

  /** Each message as it comes; the stream waits while one is being worked on. Throws GrpcError unless it ends well. */
  async *messages(): AsyncGenerator<Uint8Array, void> {
    const frames = new Frames();
    try {
      for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
        frames.push(chunk);
        for (let message = frames.next(); message !== undefined; message = frames.next()) yield message;
      }
    } catch (thrown) {
      if (thrown instanceof GrpcError) throw thrown;
      throw this.#connectionFailure() ?? this.#status ?? unavailable(thrown);
    } finally {
      this.#stream.destroy();
    }
    const failure = this.#connectionFailure() ?? this.#status;
    if (failure !== undefined) throw failure;
    if (!this.#isOver) throw new GrpcError(GrpcStatus.Unavailable, "the answer ends without a status");
  }

  /** Trailers, or headers alone where the server refuses at once. */
  #noteStatus(headers: IncomingHttpHeaders & { ":status"?: number | undefined }): void {
    const http = headers[":status"];
    if (http !== undefined && http !== 200) {
      this.#status ??= new GrpcError(
        GrpcStatus.Unavailable,
        `HTTP status ${http}: this is no etcd, or not its client port`,
      );
    }
    const status = headers["grpc-status"];
    if (status === undefined) return;
    this.#isOver = true;
    if (status === "0") return;
    const message = decodeURIComponentSafely(String(headers["grpc-message"] ?? `status ${status}`));
    this.#status ??= new GrpcError(Number(status), message);
  }
}

/** Messages within a stream of octets: a flag, four octets of length, the message. */
class Frames {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Throws GrpcError for a message that is compressed, or too large to be held. */
  next(): Uint8Array | undefined {
    if (this.#length < 5) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < 5) this.#join();
    const [first] = this.#chunks;
    if (first === undefined) return undefined;
    const length = first.readUInt32BE(1);
    if (first[0] !== 0) throw new GrpcError(GrpcStatus.Unknown, "a message is compressed, which was not asked for");
    if (length > MAX_MESSAGE_OCTETS) {
      throw new GrpcError(
        GrpcStatus.Unknown,
        `a message has ${length} octets; accepted: at most ${MAX_MESSAGE_OCTETS}`,
      );
    }
    if (this.#length < 5 + length) return undefined;
    const all = this.#join();
    this.#chunks = all.length > 5 + length ? [all.subarray(5 + length)] : [];
    this.#length -= 5 + length;
    return all.subarray(5, 5 + length);
  }

  #join(): Buffer {
    const [first = Buffer.alloc(0)] = this.#chunks;
    const all = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    this.#chunks = [all];
    return all;
  }
}

function unavailable(thrown: unknown): GrpcError {
  if (thrown instanceof GrpcError) return thrown;
  return new GrpcError(GrpcStatus.Unavailable, thrown instanceof Error ? thrown.message : String(thrown));
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

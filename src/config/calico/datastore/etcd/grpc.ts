/**
 * gRPC as a client of etcd needs it: one connection to one member, unary calls, and streams in both directions. The one door to
 * @grpc/grpc-js, which would rather connect again by itself: here a connection that is lost stays lost, since the member may be
 * another one afterwards (`reader.ts`), and another member may answer sooner.
 */

import { isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import {
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  connectivityState,
  Metadata as GrpcMetadata,
  InterceptingCall,
  logVerbosity,
  type ServiceError,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";

/** gRPC's status codes that matter here. */
export const GrpcStatus = {
  Unknown: status.UNKNOWN,
  PermissionDenied: status.PERMISSION_DENIED,
  OutOfRange: status.OUT_OF_RANGE,
  Unavailable: status.UNAVAILABLE,
  Unauthenticated: status.UNAUTHENTICATED,
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
const CALL_MILLISECONDS = 15_000;

/** The library does not tell which. */
const LOST = "the connection was lost: the server has ended it, or gave no answer to a ping within 10 seconds";

const CHANNEL_OPTIONS = {
  // Below 5 s etcd takes a client for an attacker. Without a call nobody waits, and etcd wants no pings.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": 32 * 1024 * 1024,
  "grpc-node.flow_control_window": 1024 * 1024,
  // MB, as Node has it; the library lifts the bound.
  "grpc-node.max_session_memory": 10,
  // Whoever calls knows what may be tried again, and where.
  "grpc.enable_retries": 0,
  // Each connection reads its certificates anew: it shares nothing with the one before.
  "grpc.use_local_subchannel_pool": 1,
  // Nothing from the environment or from DNS decides where to go.
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  // The library's own statistics.
  "grpc.enable_channelz": 0,
};

// It would write to standard error what is told here as an error.
setLogVerbosity(logVerbosity.NONE);

export class GrpcConnection {
  readonly #client: Client;
  readonly #sockets: Sockets;
  readonly #calls = new Set<{ cancel(): void }>();
  #failure: GrpcError | undefined;
  readonly #signal: AbortSignal;
  readonly #stop = () => this.close();

  /** Throws GrpcError. `tls`: PEM texts. The signal ends the connection, whether it stands already or not. */
  static async open(endpoint: string, tls: TlsFiles, signal: AbortSignal): Promise<GrpcConnection> {
    if (signal.aborted) throw new GrpcError(GrpcStatus.Unavailable, "closed");
    let connection: GrpcConnection | undefined;
    try {
      connection = new GrpcConnection(new URL(endpoint), tls, signal);
      await connection.#connect();
      return connection;
    } catch (thrown) {
      connection?.close();
      if (thrown instanceof GrpcError) throw thrown;
      throw new GrpcError(GrpcStatus.Unavailable, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  private constructor({ protocol, hostname, port }: URL, tls: TlsFiles, signal: AbortSignal) {
    const isSecure = protocol === "https:";
    this.#sockets = new Sockets(hostname, isSecure ? tls : undefined);
    const target = `dns:${hostname}:${port || (isSecure ? 443 : 80)}`;
    this.#client = new Client(target, this.#sockets, CHANNEL_OPTIONS);
    this.#signal = signal;
    signal.addEventListener("abort", this.#stop);
  }

  close(): void {
    this.#fail("closed");
  }

  /** Throws GrpcError. */
  call(path: string, message: Uint8Array, metadata: Metadata = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      const deadline = Date.now() + CALL_MILLISECONDS;
      const headers = headersOf(metadata);
      const call: ClientUnaryCall = this.#client.makeUnaryRequest(
        path,
        asBuffer,
        asItIs,
        message,
        headers,
        { deadline },
        (error: ServiceError | null, answer = new Uint8Array(0)) => {
          this.#calls.delete(call);
          if (error === null) resolve(answer);
          else reject(this.#failure ?? errorOf(error));
        },
      );
      this.#calls.add(call);
    });
  }

  /** Throws GrpcError if the connection is gone. */
  stream(path: string, metadata: Metadata = {}): GrpcStream {
    if (this.#failure !== undefined) throw this.#failure;
    let reads: Reads | undefined;
    const call = this.#client.makeBidiStreamRequest(path, asBuffer, asItIs, headersOf(metadata), {
      interceptors: [
        (options, next) => {
          reads = new Reads(next(options));
          return reads;
        },
      ],
    });
    this.#calls.add(call);
    call.on("close", () => this.#calls.delete(call));
    return new GrpcStream(
      call,
      () => reads?.want(),
      () => this.#failure,
    );
  }

  /** Until it stands. Throws the first reason why it does not, where the library would try again. */
  async #connect(): Promise<void> {
    const channel = this.#client.getChannel();
    const deadline = Date.now() + CONNECT_MILLISECONDS;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) break;
      // A call alone is told the reason.
      if (state === connectivityState.TRANSIENT_FAILURE) await this.call("/", new Uint8Array(0));
      await new Promise<void>((resolve, reject) => {
        channel.watchConnectivityState(state, deadline, (late) =>
          late === undefined ? resolve() : reject(new Error("no connection within 5 seconds")),
        );
      });
    }
    channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, () => this.#fail(LOST));
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new GrpcError(GrpcStatus.Unavailable, reason);
    this.#signal.removeEventListener("abort", this.#stop);
    this.#client.close();
    for (const call of this.#calls) call.cancel();
    this.#sockets.destroy();
  }
}

export class GrpcStream {
  readonly #call: ClientDuplexStream<Uint8Array, Uint8Array>;
  readonly #want: () => void;
  readonly #connectionFailure: () => GrpcError | undefined;
  #error: ServiceError | undefined;

  /** `want` lets one more message in. */
  constructor(
    call: ClientDuplexStream<Uint8Array, Uint8Array>,
    want: () => void,
    connectionFailure: () => GrpcError | undefined,
  ) {
    this.#call = call;
    this.#want = want;
    this.#connectionFailure = connectionFailure;
    // `messages` throws it.
    call.on("error", (error: ServiceError) => {
      this.#error = error;
    });
  }

  send(message: Uint8Array): void {
    this.#call.write(message);
  }

  /** Each message as it comes; the stream waits while one is being worked on. Throws GrpcError unless it ends well. */
  async *messages(): AsyncGenerator<Uint8Array, void> {
    try {
      this.#want();
      for await (const message of this.#call as AsyncIterable<Uint8Array>) {
        yield message;
        this.#want();
      }
    } catch (thrown) {
      if (this.#error === undefined) throw thrown;
    } finally {
      this.#call.cancel();
    }
    const failure = this.#connectionFailure() ?? (this.#error && errorOf(this.#error));
    if (failure !== undefined) throw failure;
  }
}

/** Reads a message when it is wanted: left alone, the library reads 16 ahead, each as large as a message may be. */
class Reads extends InterceptingCall {
  #isWanted = false;
  #isDue = false;

  want(): void {
    this.#isWanted = true;
    this.#read();
  }

  override startRead(): void {
    this.#isDue = true;
    this.#read();
  }

  #read(): void {
    if (!this.#isWanted || !this.#isDue) return;
    this.#isWanted = false;
    this.#isDue = false;
    super.startRead();
  }
}

/**
 * What the library's own credentials would do, and two things that they do not: sockets are destroyed with the connection (to a
 * server that accepts and then says nothing the library leaves one open, each time), and a server that is named by its
 * address is not asked for under that name (RFC 6066 §3; Node warns of it).
 */
class Sockets extends ChannelCredentials {
  readonly #host: string;
  readonly #tls: TlsFiles | undefined;
  readonly #sockets = new Set<Socket>();
  #isOver = false;

  constructor(hostname: string, tls: TlsFiles | undefined) {
    super();
    this.#host = hostname.replace(/^\[(.*)\]$/, "$1");
    this.#tls = tls;
  }

  destroy(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  _isSecure(): boolean {
    return this.#tls !== undefined;
  }

  _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  _createSecureConnector(...target: Parameters<ChannelCredentials["_createSecureConnector"]>) {
    const plain = ChannelCredentials.createInsecure()._createSecureConnector(...target);
    return { ...plain, connect: (socket: Socket) => this.#connect(socket) };
  }

  async #connect(socket: Socket): Promise<{ socket: Socket; secure: boolean }> {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    if (this.#isOver) socket.destroy();
    if (this.#tls === undefined) return { socket, secure: false };
    const { ca, cert, key } = this.#tls;
    const servername = isIP(this.#host) === 0 ? this.#host : "";
    const files = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
    const secured = connectTls({ socket, host: this.#host, servername, ALPNProtocols: ["h2"], ...files });
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", resolve);
      secured.on("error", reject);
      secured.once("close", () => reject(new Error("the connection was closed")));
    });
    return { socket: secured, secure: true };
  }
}

/** Throws GrpcError; the value, a token, is a secret. */
function headersOf(metadata: Metadata): GrpcMetadata {
  const headers = new GrpcMetadata();
  for (const [name, value] of Object.entries(metadata)) {
    try {
      headers.set(name, value);
    } catch {
      throw new GrpcError(GrpcStatus.Unknown, `${name} holds characters that a header cannot hold`);
    }
  }
  return headers;
}

/** Of a message that cannot be decompressed the library tells neither status nor details. */
function errorOf({ code, details }: { readonly code?: number; readonly details?: string }): GrpcError {
  if (code === status.DEADLINE_EXCEEDED) return new GrpcError(code, "no answer within 15 seconds");
  return new GrpcError(code ?? GrpcStatus.Unknown, reasonIn(details ?? "a message cannot be decompressed"));
}

/** The reason alone, and without the time of day: the same reason again is the same text again. */
function reasonIn(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (?:Error: )?/, "")
    .replace(/\. Resolution note: .*$/s, "")
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g, "");
}

function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}

function asItIs(message: Buffer): Uint8Array {
  return message;
}

/** A connection to one member of etcd, with the token of a user where there is one. */

import { type EtcdOptions, readTlsFiles } from "./endpoints.ts";
import { GrpcConnection, GrpcError, GrpcStatus, type GrpcStream, type Metadata } from "./grpc.ts";
import {
  authenticateRequest,
  compareAndPutRequest,
  decodeAuthenticate,
  decodeRange,
  decodeTransaction,
  type RangeResponse,
  rangeRequest,
} from "./messages.ts";

export class EtcdClient {
  readonly endpoint: string;
  readonly #connection: GrpcConnection;
  readonly #options: EtcdOptions;
  #token: string | undefined;

  /** Throws an Error that says what kept it from connecting, or whom etcd does not let in. */
  static async open(endpoint: string, options: EtcdOptions, signal: AbortSignal): Promise<EtcdClient> {
    const connection = await GrpcConnection.open(endpoint, readTlsFiles(options), signal);
    const client = new EtcdClient(endpoint, connection, options);
    try {
      await client.#authenticate();
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
    return client;
  }

  private constructor(endpoint: string, connection: GrpcConnection, options: EtcdOptions) {
    this.endpoint = endpoint;
    this.#connection = connection;
    this.#options = options;
  }

  close(): void {
    this.#connection.close();
  }

  /** Linearizable: a member that is cut off from the others does not answer. */
  async range(range: Parameters<typeof rangeRequest>[0]): Promise<RangeResponse> {
    return decodeRange(await this.#call("/etcdserverpb.KV/Range", rangeRequest(range)));
  }

  /** False if the key has been written since. */
  async compareAndPut(put: Parameters<typeof compareAndPutRequest>[0]): Promise<boolean> {
    return decodeTransaction(await this.#call("/etcdserverpb.KV/Txn", compareAndPutRequest(put)));
  }

  /** `hasleader`: the member ends the stream when it loses the others, instead of telling nothing more. */
  watch(): GrpcStream {
    return this.#connection.stream("/etcdserverpb.Watch/Watch", { ...this.#metadata(), hasleader: "true" });
  }

  async #call(path: string, message: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#connection.call(path, message, this.#metadata());
    } catch (thrown) {
      if (!isTokenRefused(thrown) || this.#options.username === undefined) throw thrown;
      // Tokens end after a while without use, and with every change of users and roles.
      await this.#authenticate();
      return await this.#connection.call(path, message, this.#metadata());
    }
  }

  async #authenticate(): Promise<void> {
    const { username, password } = this.#options;
    if (username === undefined) return;
    try {
      const request = authenticateRequest(username, password ?? "");
      this.#token = decodeAuthenticate(await this.#connection.call("/etcdserverpb.Auth/Authenticate", request));
    } catch (thrown) {
      // As etcd's own clients do: a user who is not needed does no harm.
      if (thrown instanceof GrpcError && /authentication is not enabled/.test(thrown.message)) return;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new GrpcError(GrpcStatus.Unauthenticated, `user ${username} cannot log in: ${why}`);
    }
  }

  #metadata(): Metadata {
    return this.#token === undefined ? {} : { token: this.#token };
  }
}

function isTokenRefused(thrown: unknown): boolean {
  if (!(thrown instanceof GrpcError)) return false;
  return thrown.status === GrpcStatus.Unauthenticated || /invalid auth token|auth store is old/.test(thrown.message);
}

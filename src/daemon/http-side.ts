/** The HTTP server, which moves when a reload says so: the old one goes when the new one stands. */

import { isDeepStrictEqual } from "node:util";
import { formatAddress } from "../bgp/model/address.ts";
import { UsageError } from "../bgp/model/errors.ts";
import type { Clock } from "../bgp/model/ports.ts";
import type { HttpConfig } from "../config/model.ts";
import { type HttpServer, openHttpServer } from "../control/http-server.ts";
import type { DaemonLogger } from "../control/log.ts";
import type { DaemonView } from "../control/views.ts";

export class HttpSide {
  readonly #view: DaemonView;
  readonly #clock: Clock;
  readonly #logger: DaemonLogger;
  #server: HttpServer | undefined;
  /** Where it is, which is not where it should be if a reload could not move it. */
  #served: HttpConfig | undefined;

  constructor(view: DaemonView, clock: Clock, logger: DaemonLogger) {
    this.#view = view;
    this.#clock = clock;
    this.#logger = logger;
  }

  get server(): HttpServer | undefined {
    return this.#server;
  }

  /** Throws UsageError when the address cannot be had. */
  async open(http: HttpConfig | undefined): Promise<void> {
    this.#server = http === undefined ? undefined : await this.#serve(http);
    this.#served = http;
  }

  /** If the old server is in the way, it goes first. Returns why it stays where it was, in words. */
  async move(next: HttpConfig | undefined): Promise<string | undefined> {
    if (isDeepStrictEqual(this.#served, next)) return undefined;
    const before = { server: this.#server, http: this.#served };
    try {
      await this.open(next);
      await before.server?.close();
      return undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      if (before.server === undefined || before.http?.port !== next?.port) return this.#stays(error);
    }
    await before.server.close();
    try {
      await this.open(next);
      return undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      await this.open(before.http);
      return this.#stays(error);
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #stays({ message }: UsageError): string {
    this.#logger.error({ reason: message }, "http stays where it was");
    return message;
  }

  #serve({ address, port }: HttpConfig): Promise<HttpServer> {
    return openHttpServer({
      address: formatAddress(address),
      port,
      view: this.#view,
      clock: this.#clock,
      log: this.#logger,
    });
  }
}

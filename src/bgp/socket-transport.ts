/** TCP through node:net, with the options that only libc can set (RFC 2385, RFC 5082). */

import { createServer, type Server, type Socket } from "node:net";
import { savedSyn, saveSyn } from "../sys/saved-syn.ts";
import { descriptorOf, openTcpSocket, setMinTtl, setTcpMd5, setTos, setTtl } from "../sys/tcp-options.ts";
import { formatAddress, type IpAddress, parseAddress } from "./model/address.ts";
import { Family } from "./model/family.ts";
import type { Clock, Logger } from "./model/ports.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";
import { describeSocketError, SocketConnection } from "./socket-connection.ts";
import {
  type Admission,
  type DialHandler,
  type DialRequest,
  type Doorman,
  ListenError,
  type Listening,
  type Transport,
} from "./transport.ts";

/** DSCP CS6, network control (RFC 4594 §3.1). */
const TOS = 0xc0;
/** Peers with GTSM drop what comes with less, the answer to their SYN included. */
const LISTEN_TTL = 255;
/** What came while the listener was being made ready has been accepted by then. */
const EARLY_MILLISECONDS = 1000;
/** Many peers may come at once when we start. */
const BACKLOG = 4096;

export class SocketTransport implements Transport {
  readonly #clock: Clock;
  readonly #acceptFailures: RateLimitedLog<Error>;
  readonly #turnedAway: RateLimitedLog<{ readonly address: IpAddress; readonly reason: string }>;
  readonly #open = new Set<Socket>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#acceptFailures = new RateLimitedLog(clock, (error, count) =>
      logger.error({ reason: describeSocketError(error), count }, "cannot accept a connection"),
    );
    this.#turnedAway = new RateLimitedLog(clock, ({ address, reason }, count) =>
      logger.warn({ address: formatAddress(address), reason, count }, "connection refused"),
    );
  }

  dial(request: DialRequest, handler: DialHandler): { cancel(): void } {
    let isCancelled = false;
    let socket: Socket;
    try {
      socket = this.#socketFor(request);
    } catch (error) {
      this.#clock.soon(() => {
        if (!isCancelled) handler.failed(error instanceof Error ? describeSocketError(error) : String(error));
      });
      return { cancel: () => (isCancelled = true) };
    }
    this.#track(socket);
    const fail = (error: Error) => {
      socket.destroy();
      if (!isCancelled) handler.failed(describeSocketError(error));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.removeListener("error", fail);
      socket.pause();
      const local = parseZoned(socket.localAddress);
      if (isCancelled || local === undefined) {
        socket.destroy();
        if (!isCancelled) handler.failed("the connection was gone at once");
        return;
      }
      const ends = { local: local.address, remote: request.address, interface: request.interface };
      handler.connected(new SocketConnection(socket, ends, this.#clock));
    });
    const host = formatAddress(request.address);
    socket.connect({
      host: request.interface === undefined ? host : `${host}%${request.interface}`,
      port: request.port,
    });
    return {
      cancel: () => {
        isCancelled = true;
        socket.destroy();
      },
    };
  }

  listen(address: IpAddress, port: number, doorman: Doorman): Promise<Listening> {
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#greet(socket, doorman, this.#clock.now() < settledAt),
    );
    let settledAt = Number.POSITIVE_INFINITY;
    return new Promise((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, address, port)));
      server.listen(
        {
          host: formatAddress(address),
          port,
          ipv6Only: address.family === Family.Ipv6,
          backlog: BACKLOG,
          exclusive: true,
        },
        () => {
          server.removeAllListeners("error");
          // A failed accept (too many open files) must not end the process; the next one may work.
          server.on("error", (error) => this.#acceptFailures.note(error));
          applyQuietly(server, LISTEN_TTL);
          rememberSyns(server);
          settledAt = this.#clock.now() + EARLY_MILLISECONDS;
          resolve(listeningOn(server, address));
        },
      );
    });
  }

  async settled(): Promise<void> {
    await Promise.all(
      [...this.#open].map((socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))),
    );
  }

  #socketFor(request: DialRequest): Socket {
    const { address, localAddress, password, ttl, minTtl } = request;
    const socket = openTcpSocket(address.family, {
      localAddress,
      interface: request.interface,
      md5: password === undefined ? undefined : { address, key: password },
      ttl,
      minTtl,
      tos: TOS,
    });
    socket.allowHalfOpen = true;
    return socket;
  }

  #greet(socket: Socket, doorman: Doorman, isEarly: boolean): void {
    const remote = parseZoned(socket.remoteAddress);
    const local = parseZoned(socket.localAddress);
    const settings =
      remote === undefined || local === undefined
        ? undefined
        : doorman.admits(remote.address, remote.zone, local.address);
    const objection = settings === undefined ? undefined : objectionTo(socket, settings, isEarly);
    if (remote !== undefined && objection !== undefined)
      this.#turnedAway.note({ address: remote.address, reason: objection });
    if (
      remote === undefined ||
      local === undefined ||
      settings === undefined ||
      objection !== undefined ||
      !apply(socket, settings)
    ) {
      // A reset leaves nothing behind on our side.
      socket.on("error", () => {});
      socket.resetAndDestroy();
      return;
    }
    this.#track(socket);
    const ends = { local: local.address, remote: remote.address, interface: remote.zone };
    doorman.accept(new SocketConnection(socket, ends, this.#clock));
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }
}

function listeningOn(server: Server, address: IpAddress): Listening {
  const bound = server.address();
  return {
    address,
    port: typeof bound === "object" && bound !== null ? bound.port : 0,
    setKey(remote, prefixLength, key) {
      const fd = descriptorOf(server);
      if (fd !== undefined && remote.family === address.family) setTcpMd5(fd, remote, prefixLength, key);
    },
    close: () => server.close(),
  };
}

/** False where what keeps others out could not be set; the rest is a courtesy. */
function apply(socket: Socket, settings: Admission): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined) return false;
  try {
    if (settings.minTtl !== undefined) setMinTtl(fd, settings.minTtl);
  } catch {
    return false;
  }
  applyQuietly(socket, settings.ttl);
  return true;
}

/** Without it only what comes after `apply` is checked. */
function rememberSyns(server: Server): void {
  const fd = descriptorOf(server);
  try {
    if (fd !== undefined) saveSyn(fd);
  } catch {
    // Without libc there are neither keys nor a least TTL.
  }
}

/**
 * What is set on sockets holds from then on, and by then the peer's OPEN may be waiting: the segment that opened the connection tells
 * for those before. RFC 5082 §3: it must not have lost more hops. RFC 2385 §2: it must be signed, also if it came before the key was
 * set; `isEarly`: it may have come before the kernel remembered such segments.
 */
function objectionTo(socket: Socket, { minTtl, isSigned }: Admission, isEarly: boolean): string | undefined {
  const fd = minTtl === undefined && !isSigned ? undefined : descriptorOf(socket);
  if (fd === undefined) return undefined;
  const syn = savedSyn(fd);
  if (minTtl !== undefined && syn !== undefined && syn.ttl < minTtl) return "from further away than ttlSecurity allows";
  return isSigned && (syn === undefined ? isEarly : !syn.isSigned) ? "without a TCP MD5 signature" : undefined;
}

function applyQuietly(holder: Server | Socket, ttl: number): void {
  const fd = descriptorOf(holder);
  if (fd === undefined) return;
  try {
    setTtl(fd, ttl);
    setTos(fd, TOS);
  } catch {
    // Without libc a session works all the same, with the system's own TTL.
  }
}

/** "fe80::1%eth0", as Node writes the ends of a socket; IPv4 on an IPv6 socket does not occur, since those are IPv6 only. */
function parseZoned(text: string | undefined): { address: IpAddress; zone: string | undefined } | undefined {
  if (text === undefined) return undefined;
  const [host = "", zone] = text.split("%");
  const address = parseAddress(host);
  return address === undefined ? undefined : { address, zone };
}

function listenError(error: NodeJS.ErrnoException, address: IpAddress, port: number): ListenError {
  const where = `${formatAddress(address)} port ${port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return new ListenError(
        error.code,
        `${where} is in use by another program: stop that one, or choose another port`,
      );
    case "EACCES":
      return new ListenError(
        error.code,
        `not allowed to listen on ${where}: run as root, grant CAP_NET_BIND_SERVICE, or choose a port above 1023`,
      );
    case "EADDRNOTAVAIL":
      return new ListenError(error.code, `cannot listen on ${where}: no interface has that address`);
    default:
      return new ListenError(error.code ?? "unknown", `cannot listen on ${where}: ${describeSocketError(error)}`);
  }
}

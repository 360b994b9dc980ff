/** A way to a TCP port that a test can cut, or have fall silent, while the port itself lives on. */

import { connect, createServer, type Server, type Socket } from "node:net";

export class TcpRelay {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #isSilent = false;
  /** Connections that were made through it. */
  count = 0;

  static async to(target: number): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    await relay.mend();
    return relay;
  }

  private constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return this.#port;
  }

  /** Refuses and resets. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** Nothing gets through in either direction, and nobody is told: as when a cable is pulled. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets everything through again, on the same port; what fell silent stays lost. */
  async mend(): Promise<void> {
    if (this.#isSilent) await this.cut();
    this.#isSilent = false;
    if (this.#server !== undefined) return;
    const server = createServer((client) => this.#join(client));
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    const address = server.address();
    if (address !== null && typeof address !== "string") this.#port = address.port;
    this.#server = server;
  }

  #join(client: Socket): void {
    this.count++;
    const upstream = connect(this.#target, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("data", (chunk) => other.write(chunk));
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      if (this.#isSilent) socket.pause();
    }
  }
}

/** A whole daemon in memory: its sessions over a MemoryNetwork, its routes in a MemoryFib, its time a VirtualClock's. */

import type { IpAddress } from "../../src/bgp/model/address.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import type { Config } from "../../src/config/model.ts";
import { Daemon } from "../../src/daemon/daemon.ts";
import { KernelSide } from "../../src/daemon/kernel-side.ts";
import { Links } from "../../src/daemon/links.ts";
import { routes } from "../../src/rib/routes.ts";
import { EVERY_ROUTE } from "./every-route.ts";
import { MemoryFib } from "./memory-fib.ts";
import { MemoryLog } from "./memory-log.ts";
import type { MemoryNetwork } from "./memory-transport.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export class MemoryDaemon {
  readonly daemon: Daemon;
  readonly kernel: KernelSide;
  readonly log = new MemoryLog();
  fib: MemoryFib | undefined;

  constructor(at: IpAddress, network: MemoryNetwork, clock: VirtualClock, config: Config, restarting = false) {
    const links = new Links(() => []);
    const logger = Object.assign(this.log, { setLevels: () => {}, flush: () => {} });
    this.kernel = new KernelSide({
      open: (_options, fibClock, _logger, events) => {
        this.fib = new MemoryFib(fibClock, events);
        return this.fib;
      },
      clock,
      logger,
      links,
      settled: () => {},
    });
    this.daemon = new Daemon(config, {
      clock,
      logger,
      transport: network.host(at),
      random: () => 0.5,
      links,
      kernel: this.kernel,
      hostName: "memory",
      restarting,
      observeConvergence: () => {},
    });
  }

  /** "10.1.0.0/16 from b", those of its own without a name. */
  routes(): string[] {
    const all = routes(this.daemon.rib, EVERY_ROUTE);
    return [...all].flatMap((route) =>
      route === undefined
        ? []
        : [`${formatPrefix(route.prefix)} from ${this.daemon.ids.nameOf(route.peer) ?? route.source}`],
    );
  }

  /** "name state", sorted. */
  sessions(): string[] {
    return this.daemon
      .peerOptions()
      .flatMap(({ id, name }) => {
        const session = this.daemon.speaker.peer(id);
        return session === undefined ? [] : [`${name} ${session.state}`];
      })
      .sort();
  }
}

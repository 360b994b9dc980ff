/** Keeps what is known of the kernel true: reads it whole at first and after overruns, follows notifications in between. */

import { FAMILIES, Family } from "../bgp/model/family.ts";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import { Errno, errnoName } from "../sys/errno.ts";
import type { FibTarget } from "./fib.ts";
import type { ForeignRoutes } from "./foreign-routes.ts";
import type { Links } from "./links.ts";
import { Flag, MessageType, RTM_F_CLONED } from "./netlink/constants.ts";
import { addressDump, linkDump, routeDump } from "./netlink/dump-request.ts";
import { Dumper, type DumpStep } from "./netlink/dumper.ts";
import { decodeAddress, decodeLink } from "./netlink/link-message.ts";
import { MessageCursor } from "./netlink/message.ts";
import type { NotificationHandler } from "./netlink/notifications.ts";
import { RouteMessage } from "./netlink/route-message.ts";
import type { RequestPort } from "./netlink/socket.ts";
import { decodeTarget } from "./netlink/target-codec.ts";
import type { FibOptions } from "./options.ts";
import type { Presence } from "./presence.ts";
import { TargetCache } from "./target-cache.ts";

/** What one family's routes are told to. */
export interface FamilyMirror {
  readonly presence: Presence;
  readonly foreign: ForeignRoutes;
}

export interface MirrorHooks {
  /** Nothing may be written until `read`; `start` when nothing is under way. */
  reading(start: () => void): void;
  /** All has been read; `first`: for the first time. */
  read(first: boolean): void;
  /** A route of ours or of others changed by somebody else's hand. */
  routesChanged(): void;
}

/** A second look for what one did not explain waits this long, and longer if it comes again soon. */
const SECOND_LOOK_MILLISECONDS = 200;
const REPEATED_LOOK_MILLISECONDS = 5000;

export class KernelMirror implements NotificationHandler {
  readonly #table: number;
  readonly #protocol: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #links: Links;
  readonly #families: Readonly<Record<Family, FamilyMirror>>;
  readonly #hooks: MirrorHooks;
  readonly #dumper: Dumper;
  readonly #route = new RouteMessage();
  readonly #targets = new TargetCache();
  #cursor: MessageCursor | undefined;
  #running = false;
  #again = false;
  #readBefore = false;
  #closed = false;
  #lookAgain: Timer | undefined;
  #lastLook = Number.NEGATIVE_INFINITY;

  constructor(
    options: FibOptions,
    socket: RequestPort,
    clock: Clock,
    log: Logger,
    links: Links,
    families: Readonly<Record<Family, FamilyMirror>>,
    hooks: MirrorHooks,
  ) {
    this.#table = options.table;
    this.#protocol = options.protocol;
    this.#clock = clock;
    this.#log = log;
    this.#links = links;
    this.#families = families;
    this.#hooks = hooks;
    this.#dumper = new Dumper(socket, clock, (what, errno) => {
      // EINTR: the table changed under the reader. Ordinary.
      const event = "kernel table is read once more";
      if (errno === Errno.EINTR) log.debug({ what }, event);
      else log.warn({ what, reason: errnoName(errno) }, event);
    });
  }

  /** Reads everything. While it is at it, once more after that. */
  read(): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    const started = this.#clock.now();
    this.#hooks.reading(() => this.#dumper.run(this.#steps(), () => this.#finished(started)));
  }

  #finished(started: number): void {
    this.#running = false;
    this.#targets.clear();
    const milliseconds = Math.round(this.#clock.now() - started);
    this.#log.info({ milliseconds }, "kernel tables read");
    if (this.#again) {
      this.#again = false;
      this.read();
      return;
    }
    const first = !this.#readBefore;
    this.#readBefore = true;
    this.#hooks.read(first);
  }

  /** The kernel answered in a way that what is known does not explain. */
  lookAgain(): void {
    if (this.#lookAgain !== undefined || this.#running || this.#closed) return;
    const recently = this.#clock.now() - this.#lastLook < 2 * REPEATED_LOOK_MILLISECONDS;
    this.#lookAgain = this.#clock.after(recently ? REPEATED_LOOK_MILLISECONDS : SECOND_LOOK_MILLISECONDS, () => {
      this.#lookAgain = undefined;
      this.#lastLook = this.#clock.now();
      this.read();
    });
  }

  received(bytes: Uint8Array, length: number): void {
    if (this.#closed) return;
    if (this.#cursor?.bytes !== bytes) this.#cursor = new MessageCursor(bytes);
    const cursor = this.#cursor;
    cursor.reset(length);
    while (cursor.next()) this.#notified(cursor);
  }

  overrun(): void {
    this.#log.warn({}, "kernel notifications lost: reading its tables anew");
    this.read();
  }

  failed(error: Error): void {
    this.#log.error({ reason: error.message }, "kernel notifications failed");
  }

  close(): void {
    this.#closed = true;
    this.#lookAgain?.cancel();
    this.#dumper.close();
  }

  #notified(cursor: MessageCursor): void {
    switch (cursor.type) {
      case MessageType.NewLink:
      case MessageType.DelLink: {
        const link = decodeLink(cursor);
        if (link === undefined) return;
        if (cursor.type === MessageType.NewLink) this.#links.linkChanged(link);
        else this.#links.linkRemoved(link.index);
        return;
      }
      case MessageType.NewAddr:
      case MessageType.DelAddr: {
        const address = decodeAddress(cursor);
        if (address === undefined) return;
        if (cursor.type === MessageType.NewAddr) this.#links.addressChanged(address);
        else this.#links.addressRemoved(address);
        return;
      }
      case MessageType.NewRoute:
      case MessageType.DelRoute:
        this.#routeNotified(cursor, cursor.type === MessageType.NewRoute);
        return;
      case MessageType.Overrun:
        this.overrun();
        return;
    }
  }

  #routeNotified(cursor: MessageCursor, isNew: boolean): void {
    const route = this.#route;
    if (!this.#decode(cursor)) return;
    const flags = cursor.flags;
    const target = decodeTarget(route, cursor);
    const { presence, foreign } = this.#families[route.family];
    if (route.protocol === this.#protocol && target !== undefined) {
      if (route.tos !== 0) return;
      if (isNew) {
        foreign.replacedByOurs(route, flags);
        presence.written(route, target);
      } else presence.deleted(route, target);
    } else if (isNew) {
      foreign.added(route, target, flags);
      if (route.tos === 0 && presence.contested(route, (flags & Flag.Replace) !== 0)) this.lookAgain();
    } else if (foreign.removed(route, target)) {
      presence.vacated(route);
    }
    this.#hooks.routesChanged();
  }

  /** False for routes of other tables, and for those that the kernel keeps for itself. */
  #decode(cursor: MessageCursor): boolean {
    const route = this.#route;
    return route.decode(cursor) && route.table === this.#table && (route.flags & RTM_F_CLONED) === 0;
  }

  #steps(): DumpStep[] {
    const links = this.#links;
    return [
      {
        name: "links",
        request: linkDump,
        begin: () => links.beginLinkDump(),
        message: (cursor) => {
          const link = cursor.type === MessageType.NewLink ? decodeLink(cursor) : undefined;
          if (link !== undefined) links.linkChanged(link);
        },
        end: (next) => {
          links.endLinkDump();
          next();
        },
      },
      {
        name: "addresses",
        request: addressDump,
        begin: () => links.beginAddressDump(),
        message: (cursor) => {
          const address = cursor.type === MessageType.NewAddr ? decodeAddress(cursor) : undefined;
          if (address !== undefined) links.addressChanged(address);
        },
        end: (next) => {
          links.endAddressDump();
          next();
        },
      },
      ...FAMILIES.map((family) => this.#routeStep(family)),
    ];
  }

  #routeStep(family: Family): DumpStep {
    const { presence, foreign } = this.#families[family];
    return {
      name: family === Family.Ipv4 ? "IPv4 routes" : "IPv6 routes",
      request: (sequence) => routeDump(family, this.#table, sequence),
      begin: () => {
        presence.beginDump();
        foreign.beginDump();
      },
      message: (cursor) => {
        const route = this.#route;
        if (cursor.type !== MessageType.NewRoute || !this.#decode(cursor)) return;
        const target: FibTarget | undefined = this.#targets.decode(route, cursor);
        if (route.protocol !== this.#protocol || target === undefined) foreign.added(route, target, 0);
        else if (route.tos === 0) presence.dumped(route, target);
      },
      end: (next) => {
        foreign.endDump((prefix) => presence.vacated(prefix));
        presence.endDump(next);
      },
    };
  }
}

/**
 * A kernel of the test's own behind real netlink messages: a route table by prefix, TOS 0 and metric, as fib_trie.c and ip6_fib.c keep
 * it. Requests are worked off when their time comes, notifications wait until they are delivered or lost.
 */

import { Family } from "../../../src/bgp/model/family.ts";
import type { Clock } from "../../../src/bgp/model/ports.ts";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import { Flag, MessageType } from "../../../src/fib/netlink/constants.ts";
import { MessageCursor } from "../../../src/fib/netlink/message.ts";
import type { NotificationHandler } from "../../../src/fib/netlink/notifications.ts";
import { RouteMessage } from "../../../src/fib/netlink/route-message.ts";
import type { RequestPort } from "../../../src/fib/netlink/socket.ts";
import type { KernelPorts } from "../../../src/fib/netlink-fib.ts";

const EAGAIN = 11;
const ENETUNREACH = 101;

interface Route {
  readonly prefix: string;
  readonly family: Family;
  readonly metric: number;
  readonly protocol: number;
  /** Header and attributes of the message that made it. */
  readonly body: Uint8Array;
}

export class FakeKernel {
  readonly #clock: Clock;
  readonly routes = new Map<string, Route>();
  /** Requests whose bytes contain one of these (a gateway) are refused. */
  readonly refused = new Set<string>();
  #handler: NotificationHandler | undefined;
  #waiting: Uint8Array[] = [];
  #overrun = false;
  /** The next so many batches lose their acknowledgement. */
  loseAnswers = 0;
  /** The next so many sends fail. */
  failSends = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ports(): KernelPorts {
    return {
      requests: this.#port(),
      dumps: this.#port(),
      listen: (handler) => {
        this.#handler = handler;
        return () => {
          this.#handler = undefined;
        };
      },
    };
  }

  /** Somebody else's request: what it changes is notified. The errno. */
  other(message: Uint8Array): number {
    return this.#execute(message, true);
  }

  /** Routes vanish without a word. */
  vanish(matches: (route: Route) => boolean): void {
    for (const [key, route] of this.routes) if (matches(route)) this.routes.delete(key);
  }

  deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#overrun) {
      this.#overrun = false;
      this.#handler?.overrun();
      return;
    }
    for (const message of waiting) {
      const buffer = new Uint8Array(message.length);
      buffer.set(message);
      this.#handler?.received(buffer, buffer.length);
    }
  }

  /** What waits is dropped; the next delivery says so. */
  lose(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = [];
    this.#overrun = true;
  }

  #port(): RequestPort {
    let answers: Uint8Array[] = [];
    const receive = (into: Uint8Array): number => {
      const answer = answers.shift();
      if (answer === undefined) return -EAGAIN;
      into.set(answer);
      return answer.length;
    };
    return {
      send: (bytes, length, done) => {
        this.#clock.soon(() => {
          if (this.failSends > 0) {
            this.failSends--;
            this.#clock.soon(() => done(105));
            return;
          }
          answers = this.#work(bytes.slice(0, length));
          // The other thread is done; the event loop hears of it later.
          this.#clock.soon(() => done(0));
        });
      },
      receive,
      receiveLater: (into, done) => this.#clock.soon(() => done(receive(into))),
    };
  }

  #work(bytes: Uint8Array): Uint8Array[] {
    const cursor = new MessageCursor(bytes);
    cursor.reset(bytes.length);
    const answers: Uint8Array[] = [];
    while (cursor.next()) {
      const message = bytes.slice(cursor.payload - 16, cursor.end);
      if ((cursor.flags & Flag.Dump) === Flag.Dump && cursor.type !== MessageType.NewRoute) {
        return this.#dump(cursor.type, cursor.sequence, message[16] === 2 ? Family.Ipv4 : Family.Ipv6);
      }
      const asked = (cursor.flags & Flag.Ack) !== 0;
      const errno = this.#execute(message, false);
      if (asked && this.loseAnswers > 0) this.loseAnswers--;
      else if (errno !== 0 || asked) answers.push(errorMessage(cursor.sequence, errno));
    }
    return answers;
  }

  #dump(type: number, sequence: number, family: Family): Uint8Array[] {
    const parts: Uint8Array[] = [];
    if (type === MessageType.GetRoute) {
      for (const route of this.routes.values()) {
        if (route.family === family) parts.push(framed(MessageType.NewRoute, Flag.Multi, sequence, route.body));
      }
    }
    return [...parts, framed(MessageType.Done, Flag.Multi, sequence, new Uint8Array(4))];
  }

  #execute(message: Uint8Array, notify: boolean): number {
    const cursor = new MessageCursor(message);
    cursor.reset(message.length);
    const asked = new RouteMessage();
    if (!cursor.next() || !asked.decode(cursor)) return 22;
    const body = message.slice(16);
    const prefix = formatPrefix(asked);
    if (cursor.type === MessageType.DelRoute) return this.#delete(asked, prefix, notify);
    const text = Buffer.from(body).toString("hex");
    for (const refused of this.refused) if (text.includes(refused)) return ENETUNREACH;
    const key = `${prefix} ${asked.metric}`;
    const there = this.routes.has(key);
    if (there && (cursor.flags & Flag.Exclusive) !== 0) return 17;
    const { family, metric, protocol } = asked;
    this.routes.set(key, { prefix, family, metric, protocol, body });
    if (notify) this.#waiting.push(framed(MessageType.NewRoute, there ? Flag.Replace : 0, 0, body));
    return 0;
  }

  #delete(asked: RouteMessage, prefix: string, notify: boolean): number {
    const candidates = [...this.routes.values()].filter(
      (route) =>
        route.prefix === prefix &&
        (asked.protocol === 0 || route.protocol === asked.protocol) &&
        (asked.metric === 0 || route.metric === asked.metric),
    );
    const [route] = candidates.sort((a, b) => a.metric - b.metric);
    if (route === undefined) return 3;
    this.routes.delete(`${prefix} ${route.metric}`);
    if (notify) this.#waiting.push(framed(MessageType.DelRoute, 0, 0, route.body));
    return 0;
  }
}

function framed(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(16 + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  message.set(body, 16);
  return message;
}

function errorMessage(sequence: number, errno: number): Uint8Array {
  const body = new Uint8Array(20);
  new DataView(body.buffer).setInt32(0, -errno, true);
  return framed(MessageType.Error, 0, sequence, body);
}

/** The other end of a session by hand: sends bytes, keeps the messages that come. */

import type { IpAddress } from "../../src/bgp/model/address.ts";
import { routerId } from "../../src/bgp/model/ids.ts";
import { MessageType, type OpenMessage } from "../../src/bgp/model/messages.ts";
import { buildOpen } from "../../src/bgp/negotiation.ts";
import type { PeerOptions } from "../../src/bgp/options.ts";
import type { Connection, Transport } from "../../src/bgp/transport.ts";
import { Framer } from "../../src/bgp/wire/framer.ts";
import { encodeKeepalive } from "../../src/bgp/wire/keepalive.ts";
import { decodeNotification } from "../../src/bgp/wire/notification.ts";
import { describeNotification } from "../../src/bgp/wire/notification-text.ts";
import { decodeOpen, encodeOpen } from "../../src/bgp/wire/open.ts";
import { peerOptions } from "./peer-options.ts";

export class ScriptedPeer {
  /** "OPEN", "UPDATE", "KEEPALIVE", "NOTIFICATION ...", "closed: ...". */
  readonly heard: string[] = [];
  readonly opens: OpenMessage[] = [];
  connection: Connection | undefined;
  #framer = new Framer(65535);

  /** Connects to a speaker; await nothing, let the clock run. */
  dial(transport: Transport, to: IpAddress): void {
    transport.dial(
      {
        address: to,
        interface: undefined,
        port: 179,
        localAddress: undefined,
        password: undefined,
        ttl: 64,
        minTtl: undefined,
      },
      { connected: (c) => this.adopt(c), failed: (reason) => this.heard.push(`failed: ${reason}`) },
    );
  }

  /** Waits for a speaker to connect. */
  async listen(transport: Transport, at: IpAddress): Promise<void> {
    await transport.listen(at, 179, {
      admits: () => ({ ttl: 64, minTtl: undefined, isSigned: false }),
      accept: (c) => this.adopt(c),
    });
  }

  adopt(connection: Connection): void {
    this.connection = connection;
    this.#framer = new Framer(65535);
    connection.start({
      received: (chunk) => this.#read(chunk),
      drained: () => {},
      closed: (reason) => {
        this.heard.push(`closed: ${reason}`);
        this.connection = undefined;
      },
    });
  }

  send(bytes: Uint8Array | string): void {
    this.connection?.write(typeof bytes === "string" ? Buffer.from(bytes.replace(/\s/g, ""), "hex") : bytes);
  }

  sendOpen(options: PeerOptions = peerOptions(), identifier = 0x0a000009, more: Partial<OpenMessage> = {}): void {
    const facts = { routerId: routerId(identifier), hostName: "raw", restarting: false };
    this.send(encodeOpen({ ...buildOpen(options, facts, false), ...more }));
  }

  sendKeepalive(): void {
    this.send(encodeKeepalive());
  }

  #read(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) {
      if (frame.type === MessageType.Open) {
        this.opens.push(decodeOpen(frame.body));
        this.heard.push("OPEN");
      } else if (frame.type === MessageType.Notification) {
        const { code, subcode, data } = decodeNotification(frame.body);
        this.heard.push(`NOTIFICATION ${code}/${subcode} ${describeNotification(code, subcode, data)}`);
      } else
        this.heard.push(
          frame.type === MessageType.Update
            ? "UPDATE"
            : frame.type === MessageType.Keepalive
              ? "KEEPALIVE"
              : "ROUTE-REFRESH",
        );
    }
  }
}

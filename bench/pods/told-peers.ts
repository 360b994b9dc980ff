/**
 * Peers of a node, in a process of their own: `told-peers.ts NODE AS ADDRESS...` listens at each address for the node's session, and
 * says "up ADDRESS" and, of every prefix that it is told, "ADDRESS PREFIX MILLISECONDS", as Date.now() counts.
 */

import { type IpAddress, parseAddress } from "../../src/bgp/model/address.ts";
import { asn, routerId } from "../../src/bgp/model/ids.ts";
import type { RibSink } from "../../src/bgp/model/ports.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import { SocketTransport } from "../../src/bgp/socket-transport.ts";
import { Speaker } from "../../src/bgp/speaker.ts";
import { peerOptions } from "../../test/harness/peer-options.ts";
import { silentLogger } from "../../test/harness/silent-logger.ts";
import { systemClock } from "../../test/harness/system-clock.ts";

/** What is said is written now and then: a write for each route would hold up those that follow. */
const SAY_MILLISECONDS = 100;

const [node = "", as = "", ...addresses] = process.argv.slice(2);
const asNumber = asn(Number(as));
let said = "";
setInterval(() => {
  process.stdout.write(said);
  said = "";
}, SAY_MILLISECONDS);

for (const text of addresses) {
  const address = parseAddress(text) as IpAddress;
  const speaker = new Speaker({
    options: {
      asNumber,
      routerId: routerId(address.w0),
      hostName: text,
      listen: [{ address, port: 179 }],
      restarting: false,
    },
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    transport: new SocketTransport(systemClock, silentLogger),
    rib: tellingOf(text),
    events: { stateChanged: () => {}, acceptDynamic: () => undefined, dynamicGone: () => {} },
  });
  speaker.addPeer(
    peerOptions({ to: node, localAddress: address, passive: true, remoteAs: [asNumber], localAs: asNumber }),
  );
  await speaker.start();
}

function tellingOf(address: string): RibSink {
  return {
    peerUp: () => {
      said += `up ${address}\n`;
    },
    announce: (_peer, _attributes, prefixes) => {
      const now = (performance.timeOrigin + performance.now()).toFixed(3);
      for (let i = 0; i < prefixes.count; i++) said += `${address} ${formatPrefix(prefixes.prefixAt(i))} ${now}\n`;
    },
    peerDown: () => {},
    withdraw: () => {},
    endOfRib: () => {},
    refreshRequested: () => {},
    refreshBegin: () => {},
    refreshEnd: () => {},
  };
}

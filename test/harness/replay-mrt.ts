/** A process of its own that plays all peers of a table: `replay-mrt.ts FILE HOST [HOST6]`; says "sent" and waits to be killed. */

import { setTimeout as sleep } from "node:timers/promises";
import { Family } from "../../src/bgp/model/family.ts";
import { feedsOf, ReplayPeer } from "./bgp-replayer.ts";
import { readWhole } from "./mrt.ts";
import { replay } from "./mrt-updates.ts";

const [file = "", host = "", host6 = host] = process.argv.slice(2);
const peers = feedsOf(replay(readWhole(file))).map(
  (feed) => new ReplayPeer(feed, { host: feed.family === Family.Ipv6 ? host6 : host, port: 179 }),
);
for (const peer of peers) await peer.established();
// The daemon, too, has to see the session as Established.
await sleep(500);
await Promise.all(peers.map((peer) => peer.send()));
process.stdout.write("sent\n");
setInterval(() => {
  for (const peer of peers) if (peer.end !== undefined) process.stdout.write(`${peer.feed.address}: ${peer.end}\n`);
}, 1000);

/** `starling show routes` on a million routes: it streams, and no session notices. */

import { expect, it } from "vitest";
import { AttackedDaemon, ownAs } from "../harness/attacked-daemon.ts";
import { rawAttributes, rawTable } from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";
import { waitFor } from "../harness/wait-for.ts";

const MILLION = 1_000_000;
const MIB = 1024 * 1024;
const FIRST = 0x14000000;
const address = "127.6.0.1";

it("a million routes are listed and counted while sessions with a hold time of 3 s stand", async () => {
  const feeder = { name: "feeder", address, asNumber: ownAs, passive: true, routeReflectorClient: true };
  await using daemon = await AttackedDaemon.start("million", { peers: [feeder] });
  const peer = await RawTcpPeer.establish({ port: daemon.port, localAddress: address, asNumber: ownAs });
  peer.keepAlive();
  for (let done = 0; done < MILLION; done += 100_000)
    peer.send(rawTable(100_000, FIRST + done * 256, rawAttributes("192.0.2.1", [], 100 + done / 100_000)));
  await waitFor(async () => (await daemon.summary()).prefixes.ipv4 > MILLION, { what: "the routes", timeout: 60_000 });
  const before = daemon.memory();
  const started = performance.now();
  let listed = 0;
  for await (const rows of daemon.client.rows("routes", {})) listed += rows.length;
  const seconds = (performance.now() - started) / 1000;
  const grown = (daemon.memory() - before) / MIB;
  console.log(`listed ${listed} routes in ${seconds.toFixed(1)} s; resident memory +${grown.toFixed(0)} MiB`);
  expect(listed).toBeGreaterThan(MILLION);
  expect(grown).toBeLessThan(150);
  // The healthy peer has a hold time of 3 s: had it been neglected, it would say so.
  await daemon.expectUnharmed(600 * MIB);
  peer.close();
});

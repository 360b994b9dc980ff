import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Starling } from "../harness/daemons/starling.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

/** Connects from eight sockets again and again, and tells how often that went well and whether anything was said to it. */
const impostor = `
const net = require("node:net");
let connected = 0;
let heard = 0;
function connect() {
  const socket = net.connect({ host: "10.0.0.1", port: 179 });
  socket.on("connect", () => connected++);
  socket.on("data", () => heard++);
  socket.on("error", () => {});
  socket.on("close", () => setImmediate(connect));
  setTimeout(() => socket.destroy(), 300);
}
for (let i = 0; i < 8; i++) connect();
setInterval(() => console.log(connected + " connected, " + heard + " heard"), 100);
`;

describe.skipIf(!canMakeNetworks())("a peer with a password, RFC 2385 §2", () => {
  it("is never heard unsigned, not even in the moment between listening and having the key", async () => {
    await using lab = await Lab.create("unsigned");
    const [s, d] = await lab.nodes("s", "d");
    await lab.link(s, d, { addresses: [["10.0.0.1/24"], ["10.0.0.2/24"]] });
    const starling = new Starling(s, {
      asNumber: 65001,
      routerId: "10.0.0.1",
      peers: [{ address: "10.0.0.2", asNumber: 65002, password: "secret" }],
    });
    const stranger = d.spawn([process.execPath, "-e", impostor], "impostor");
    await waitFor(() => stranger.output().includes("0 connected"), { what: "the first attempts" });
    for (let start = 0; start < 3; start++) {
      await starling.start();
      await sleep(1200);
      expect(await starling.peers()).toMatchObject([{ state: expect.stringMatching(/^(Connect|Active)$/) }]);
      await starling.kill();
    }
    expect(stranger.output().trimEnd().split("\n").at(-1)).toMatch(/^\d+ connected, 0 heard$/);
  });
});

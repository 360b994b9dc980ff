import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Bird } from "../harness/daemons/bird.ts";
import { Starling } from "../harness/daemons/starling.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const AS = 64512;

async function cable(lab: Lab) {
  const [left, right] = await lab.nodes("left", "right");
  await lab.link(left, right, { addresses: [[`${A}/24`], [`${B}/24`]] });
  await left.stub("pod0", "192.0.2.1/32");
  await right.stub("pod0", "198.51.100.1/32");
  return { left, right };
}

const peer = (address: string, password: string | undefined) => ({
  address,
  asNumber: AS,
  gracefulRestart: 60,
  ...(password === undefined ? {} : { password }),
});

describe.skipIf(!canMakeNetworks())("a password that changes while the session stands", () => {
  it("between two of ours: comes, changes and goes, and no packet is lost", async () => {
    await using lab = await Lab.create("password");
    const { left, right } = await cable(lab);
    const spec = (at: string, to: string, prefix: string) => ({
      asNumber: AS,
      routerId: at,
      kernel: true,
      peers: [peer(to, undefined)],
      routes: [{ prefix }],
    });
    const a = new Starling(left, spec(A, B, "192.0.2.0/26"));
    const b = new Starling(right, spec(B, A, "198.51.100.0/26"));
    await Promise.all([a.start(), b.start()]);
    await waitFor(() => left.pings("198.51.100.1", "192.0.2.1"), { what: "a first echo", timeout: 20_000 });
    const ping = left.spawn(["ping", "-n", "-i", "0.02", "-W", "1", "-I", "192.0.2.1", "198.51.100.1"], "ping");
    for (const password of ["first", "second", undefined]) {
      const [one, other] = password === "second" ? ([b, a] as const) : ([a, b] as const);
      const said = await one.reload({ peers: [peer(one === a ? B : A, password)] });
      expect(said).toMatch(/updated \(.*password/);
      await sleep(500);
      await other.reload({ peers: [peer(other === a ? B : A, password)] });
      // A route that is new crosses by the new key, and longer than one side waits for the other.
      await a.announce({ prefix: `203.0.113.${password?.length ?? 0}/32` });
      await waitFor(
        async () => (await b.routes("ipv4")).some(({ prefix }) => prefix === `203.0.113.${password?.length ?? 0}/32`),
        {
          what: "the new route",
        },
      );
      await sleep(5500);
    }
    await ping.stop("SIGINT");
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(ping.output()) ?? [];
    expect(Number(sent)).toBeGreaterThan(100);
    expect(received).toBe(sent);
    for (const one of [a, b]) expect(await one.peers()).toMatchObject([{ state: "Established", transitions: 1 }]);
  });

  it("with BIRD, which begins anew without being able to say so: it is met again by the new one", async () => {
    await using lab = await Lab.create("password-bird");
    const { left, right } = await cable(lab);
    const a = new Starling(left, { asNumber: AS, routerId: A, kernel: true, peers: [peer(B, "first")], routes: [] });
    const b = new Bird(right, {
      asNumber: AS,
      routerId: B,
      peers: [{ ...peer(A, "first"), passive: true }],
      routes: [{ prefix: "198.51.100.0/26" }],
    });
    await Promise.all([a.start(), b.start()]);
    const present = async () => (await left.routes("ipv4")).some(({ dst }) => dst === "198.51.100.0/26");
    await waitFor(present, { what: "the route", timeout: 20_000 });
    await a.reload({ peers: [peer(B, "second")] });
    await b.reconfigure({ peers: [{ ...peer(A, "second"), passive: true }] });
    await waitFor(async () => (await a.peers())[0]?.transitions === 2 && (await a.sessions())[0]?.established, {
      what: "the session with the new password",
      timeout: 30_000,
    });
    await waitFor(present, { what: "the route" });
  });
});

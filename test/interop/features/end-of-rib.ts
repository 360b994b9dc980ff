/** End-of-RIB (RFC 4724 §2) and what a NOTIFICATION means for routes when both sides have RFC 8538. */

import { expect } from "vitest";
import { Exabgp } from "../../harness/daemons/exabgp.ts";
import { Gobgp } from "../../harness/daemons/gobgp.ts";
import { Openbgpd } from "../../harness/daemons/openbgpd.ts";
import { asJson, asList, DaemonError, type Speaker } from "../../harness/daemons/speaker.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { establishedWith, gone, here, makePair, otherAs, pathsOf, routeFrom, staysFor, there } from "./pair.ts";

/** Whether the daemon says that starling's End-of-RIB came. */
async function heardEndOfRib(speaker: Speaker): Promise<boolean> {
  if (speaker instanceof Gobgp) {
    const neighbor = asJson(JSON.parse(await speaker.command("neighbor", here, "-j")));
    const families = asList(neighbor["afi_safis"]).map(asJson);
    return families.every((family) => asJson(asJson(family["mp_graceful_restart"])["state"])["end_of_rib_received"]);
  }
  if (speaker instanceof Openbgpd) {
    const [neighbor] = asList(asJson(await speaker.command("show", "neighbor"))["neighbors"]).map(asJson);
    const update = asJson(asJson(neighbor?.["stats"])["update"]);
    return Number(asJson(update["received"])["eor"]) > 0;
  }
  if (speaker instanceof Exabgp) return speaker.events().some((event) => "eor" in asJson(messageOf(event)));
  throw new DaemonError(`${speaker.daemon} does not show an End-of-RIB`);
}

const messageOf = (event: unknown) => asJson(asJson(event)["neighbor"])["message"];

const endOfRib: Feature = {
  name: "End-of-RIB, both ways: with it starling gives up what an earlier run left in the kernel",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "eor", context, {
      session: { gracefulRestart: 60 },
      starling: { kernel: true },
      other: { routes: [{ prefix: "203.0.113.0/24" }] },
    });
    const left = ["198.18.0.0/24", "203.0.113.0/24"];
    for (const prefix of left) await pair.starlingNode.ip("route", "add", prefix, "via", there, "proto", "bird");
    await pair.starling.start();
    const inKernel = async () => (await pair.starlingNode.routes("ipv4")).map((route) => route.dst);
    // Nobody has said yet that this is all.
    await staysFor(1000, async () => (await inKernel()).filter((prefix) => left.includes(prefix)).length, 2);
    await pair.other.start();
    await pair.established();
    // Long before the 240 s after which it would go without a word.
    await waitFor(async () => !(await inKernel()).includes("198.18.0.0/24"), { what: "the stale route to go" });
    expect(await inKernel()).toContain("203.0.113.0/24");
    await waitFor(() => heardEndOfRib(pair.other), { what: `${daemon} to hear starling's End-of-RIB` });
  },
};

const prefix = "203.0.113.0/24";
const ownPrefix = "192.0.2.0/24";

const notifications: Feature = {
  name: "notification support (RFC 8538): a NOTIFICATION of either side keeps the routes, a hard reset does not",
  unsupported: { openbgpd: "it does not have it", exabgp: "it does not have it" },
  async test(daemon, context) {
    await using pair = await makePair(daemon, "rfc8538", context, {
      session: { gracefulRestart: 60 },
      starling: { routes: [{ prefix: ownPrefix }] },
      other: { routes: [{ prefix }] },
    });
    const { starling, other } = pair;
    await pair.establish();
    expect((await pair.view()).negotiated?.gracefulRestart?.notification).toBe(true);
    await routeFrom(starling, prefix, there);
    await routeFrom(other, ownPrefix, here);

    // Sent by starling, whose configuration is another now: the other keeps the route until it has it again.
    const peer = { address: there, localAddress: here, asNumber: otherAs, gracefulRestart: 60, holdTime: 30 };
    await starling.reload({ peers: [peer] });
    await staysFor(500, async () => (await pathsOf(other, ownPrefix)).length, 1);
    expect((await pair.view()).lastError).toMatch(/configuration change/);
    await waitFor(async () => (await pair.view()).transitions === 2, { what: "the second session" });
    await pair.established();
    await routeFrom(starling, prefix, there);
    expect(await pathsOf(other, ownPrefix)).toHaveLength(1);

    // A shutdown is a hard reset: nothing is kept.
    await starling.command("peer", there, "disable");
    await gone(other, ownPrefix);
    await gone(starling, prefix);
    await starling.command("peer", there, "enable");
    await establishedWith(starling, there);
    await routeFrom(starling, prefix, there);

    // Sent by the other, with a text, which its reset alone carries.
    if (!(other instanceof Gobgp)) throw new DaemonError(`${daemon}: how it resets a session is not known here`);
    await other.command("neighbor", here, "reset", "--reason", "tea");
    await waitFor(async () => (await pair.view()).state !== "Established", { what: "the reset to arrive" });
    const isStale = async () => (await starling.routeViews(prefix)).map((view) => view.stale);
    expect(await isStale()).toEqual([true]);
    expect((await pair.view()).lastError).toMatch(/administrative reset: tea/);
  },
};

export const endOfRibFeatures: readonly Feature[] = [endOfRib, notifications];

import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import { Links } from "../../../src/daemon/links.ts";
import type { Link } from "../../../src/fib/fib.ts";
import { facts } from "../../harness/rib-bench.ts";
import { address } from "../rib/sample.ts";

const link = (index: number, up: boolean, ...addresses: string[]): Link => ({
  index,
  name: `cali${index}`,
  up,
  addresses: addresses.map((text) => {
    const [host = "", length = ""] = text.split("/");
    return { address: address(host), length: Number(length) };
  }),
});
const session = (local: string) => facts(1 as never, { localAddress: address(local) });

describe("links", () => {
  it("that nobody told of are up, as long as nobody tells of any", () => {
    const links = new Links(() => []);
    expect(links.isLinkUp(7)).toBe(true);
    links.set(link(1, true, "10.0.0.1/24"));
    expect([1, 7].map((index) => links.isLinkUp(index))).toEqual([true, false]);
  });

  it("are remembered as they were", () => {
    const links = new Links(() => []);
    expect(links.set(link(1, true))).toBeUndefined();
    expect(links.set(link(1, false))?.up).toBe(true);
  });

  it("that came and went do not pile up", () => {
    const links = new Links(() => []);
    links.set(link(1, true, "10.0.0.1/24"));
    links.set(link(2, false, "10.0.2.1/24"));
    for (let index = 3; index < 5000; index++) {
      links.set(link(index, true, "169.254.1.1/32"));
      links.set(link(index, false));
    }
    const known = Array.from({ length: 5000 }, (_, index) => links.interfaceName(index)).filter((name) => name);
    expect(known.length).toBe(1026);
    expect([1, 2, 4999].map((index) => links.interfaceName(index))).toEqual(["cali1", "cali2", "cali4999"]);
    expect(links.isLinkUp(3)).toBe(false);
  });

  it("that the operating system told lately are not asked for again, but for an address that was not among them", () => {
    let now = 0;
    let reads = 0;
    const present = [link(0, true, "10.0.0.1/24", "2001:db8::1/64")];
    const read = () => {
      reads++;
      return present;
    };
    const links = new Links(read, { now: () => now });
    const isKnown = (local: string) => links.localAddress(session(local), Family.Ipv4) !== undefined;
    expect([isKnown("10.0.0.1"), isKnown("10.0.0.1"), reads]).toEqual([true, true, 1]);
    expect([isKnown("10.0.7.1"), reads]).toEqual([false, 2]);
    present.push(link(0, true, "10.0.7.1/24"));
    expect([isKnown("10.0.7.1"), reads]).toEqual([true, 3]);
    now = 500;
    expect([isKnown("10.0.0.1"), reads]).toEqual([true, 4]);
  });

  it("tell what addresses a session has beside its own", () => {
    const links = new Links(() => []);
    links.set(link(3, true, "10.0.0.1/24", "fe80::1/64", "2001:db8::1/64"));
    const over = session("10.0.0.1");
    expect(links.sessionInterface(over)).toBe(3);
    expect(links.localAddress(over, Family.Ipv6)).toEqual(address("2001:db8::1"));
    expect(links.linkLocal(address("10.0.0.1"), address("10.0.0.9"))).toEqual(address("fe80::1"));
    expect(links.linkLocal(address("10.0.0.1"), address("10.0.9.9"))).toBeUndefined();
    expect(links.isOwnAddress(address("2001:db8::1"))).toBe(true);
    expect(links.sessionInterface(session("10.0.0.2"))).toBe(0);
  });
});

/** Addresses and prefixes as people write them, read by the library for it; the one door to ip-address. */

import { Address4, Address6 } from "ip-address";
import { type IpAddress, ipv4, ipv6 } from "../bgp/model/address.ts";
import { type Prefix, prefixOf } from "../bgp/model/prefix.ts";

/** Undefined for anything that is not one address: no prefix length, no zone. */
export function parseAddress(text: string): IpAddress | undefined {
  return /[/%]/.test(text) ? undefined : addressOf(read(text));
}

/** "10.0.0.0/8", or a bare address for a host's own prefix. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const parsed = text.includes("%") ? undefined : read(text);
  const address = addressOf(parsed);
  return address === undefined || parsed === undefined ? undefined : prefixOf(address, parsed.subnetMask);
}

function read(text: string): Address4 | Address6 | undefined {
  try {
    return text.includes(":") ? new Address6(text) : new Address4(text);
  } catch {
    // The library says by an exception that it is none; which of its reasons it was, the caller does not ask.
    return undefined;
  }
}

function addressOf(parsed: Address4 | Address6 | undefined): IpAddress | undefined {
  if (parsed === undefined) return undefined;
  const bits = parsed.bigInt();
  const word = (n: bigint): number => Number((bits >> (n * 32n)) & 0xffffffffn);
  return parsed instanceof Address4 ? ipv4(word(0n)) : ipv6(word(3n), word(2n), word(1n), word(0n));
}

/** Address families: the AFI and SAFI pairs that starling routes (RFC 4760 §3, IANA). */

export const Family = { Ipv4: 1, Ipv6: 2 } as const;
/** Unicast always; the number is the AFI. */
export type Family = (typeof Family)[keyof typeof Family];

export const SAFI_UNICAST = 1;
export const FAMILIES: readonly Family[] = [Family.Ipv4, Family.Ipv6];

export type FamilyName = "ipv4" | "ipv6";

export function familyName(family: Family): FamilyName {
  return family === Family.Ipv4 ? "ipv4" : "ipv6";
}

export function familyOf(name: FamilyName): Family {
  return name === "ipv4" ? Family.Ipv4 : Family.Ipv6;
}

/** Bits of an address: 32 or 128. */
export function addressBits(family: Family): number {
  return family === Family.Ipv4 ? 32 : 128;
}

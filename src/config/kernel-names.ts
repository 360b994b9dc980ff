/** The names of routing tables and protocols, as iproute2 and linux/rtnetlink.h have them. */

/** `local` is the kernel's own and not for us. */
export const ROUTE_TABLES: ReadonlyMap<string, number> = new Map([
  ["default", 253],
  ["main", 254],
]);

export const ROUTE_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["redirect", 1],
  ["kernel", 2],
  ["boot", 3],
  ["static", 4],
  ["gated", 8],
  ["ra", 9],
  ["mrt", 10],
  ["zebra", 11],
  ["bird", 12],
  ["dnrouted", 13],
  ["xorp", 14],
  ["ntk", 15],
  ["dhcp", 16],
  ["keepalived", 18],
  ["babel", 42],
  ["openr", 99],
  ["bgp", 186],
  ["isis", 187],
  ["ospf", 188],
  ["rip", 189],
  ["eigrp", 192],
]);

export function formatRouteTable(table: number): string {
  for (const [name, number] of ROUTE_TABLES) if (number === table) return name;
  return String(table);
}

export function formatRouteProtocol(protocol: number): string {
  for (const [name, number] of ROUTE_PROTOCOLS) if (number === protocol) return name;
  return String(protocol);
}

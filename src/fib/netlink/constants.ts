/** Numbers of rtnetlink(7) and netlink(7), by the names of linux/netlink.h and linux/rtnetlink.h without their prefixes. */

export const AF_INET = 2;
export const AF_INET6 = 10;

export const MessageType = {
  Error: 2,
  Done: 3,
  Overrun: 4,
  NewLink: 16,
  DelLink: 17,
  GetLink: 18,
  NewAddr: 20,
  DelAddr: 21,
  GetAddr: 22,
  NewRoute: 24,
  DelRoute: 25,
  GetRoute: 26,
} as const;

export const Flag = {
  Request: 0x1,
  Multi: 0x2,
  Ack: 0x4,
  /** The table changed while it was being dumped. */
  DumpInterrupted: 0x10,
  Dump: 0x300,
  Replace: 0x100,
  Exclusive: 0x200,
  Create: 0x400,
  Append: 0x800,
  /** In an error message: the request's payload is left out; attributes follow. */
  Capped: 0x100,
  AckTlvs: 0x200,
} as const;

export const RouteAttribute = {
  Destination: 1,
  OutInterface: 4,
  Gateway: 5,
  Priority: 6,
  PreferredSource: 7,
  Multipath: 9,
  Table: 15,
  Via: 18,
} as const;

export const RouteType = { Unicast: 1, Blackhole: 6, Unreachable: 7, Prohibit: 8 } as const;

export const RouteScope = { Universe: 0, Link: 253, Nowhere: 255 } as const;

/** rtm_table of a table above 255; its number is in the attribute Table alone. */
export const TABLE_COMPAT = 252;
export const RTM_F_CLONED = 0x200;
/** Flags of a next hop; those of a single one are in rtm_flags. */
export const NEXT_HOP_ONLINK = 4;

/** rtm_protocol of routes that the kernel made itself, and of redirects. */
export const RouteProtocol = { Unspecified: 0, Redirect: 1, Kernel: 2 } as const;

export const LinkAttribute = { Name: 3, ExtendedMask: 29 } as const;
export const LINK_SKIP_STATISTICS = 8;
export const LinkFlag = { Up: 0x1, LowerUp: 0x10000 } as const;

export const AddressAttribute = { Address: 1, Local: 2, Flags: 8 } as const;
/** Tentative until duplicate address detection is done, unless optimistic (RFC 4429); and failed at it. */
export const AddressFlag = { Optimistic: 0x04, DadFailed: 0x08, Tentative: 0x40 } as const;

/** Multicast groups as bits of sockaddr_nl.nl_groups: link, IPv4 and IPv6 addresses, IPv4 and IPv6 routes. */
export const NOTIFICATION_GROUPS = (1 << 0) | (1 << 4) | (1 << 8) | (1 << 6) | (1 << 10);

export const HEADER_BYTES = 16;
export const ROUTE_HEADER_BYTES = 12;

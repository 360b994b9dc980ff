/** Interfaces and their addresses as the kernel tells them: RTM_NEWLINK, RTM_NEWADDR and their opposites (rtnetlink(7)). */

import type { IpAddress } from "../../bgp/model/address.ts";
import { addressBits, Family } from "../../bgp/model/family.ts";
import { AddressAttribute, AddressFlag, AF_INET, AF_INET6, LinkAttribute, LinkFlag } from "./constants.ts";
import type { MessageCursor } from "./message.ts";
import { addressAt } from "./target-codec.ts";

const LINK_HEADER_BYTES = 16;
const ADDRESS_HEADER_BYTES = 8;

export interface LinkMessage {
  readonly index: number;
  readonly name: string;
  /** Switched on by its owner (IFF_UP): without it the kernel drops its routes. */
  readonly enabled: boolean;
  /** Enabled and with a carrier. */
  readonly up: boolean;
}

export interface AddressMessage {
  readonly interface: number;
  /** Our own address. */
  readonly address: IpAddress;
  /** What is connected: the subnet, or the other end of a point-to-point link. */
  readonly network: IpAddress;
  readonly length: number;
  /** False while duplicate address detection is going on, or after it has failed (RFC 4862 §5.4). */
  readonly usable: boolean;
}

/** Undefined for what is not a whole link (bridges tell of their ports with another family; those are not links). */
export function decodeLink(cursor: MessageCursor): LinkMessage | undefined {
  const { payload, view } = cursor;
  if (payload + LINK_HEADER_BYTES > cursor.end || view.getUint8(payload) !== 0) return undefined;
  const flags = view.getUint32(payload + 8, true);
  cursor.parseAttributes(payload + LINK_HEADER_BYTES);
  const name = cursor.text(LinkAttribute.Name);
  if (name === undefined) return undefined;
  const enabled = (flags & LinkFlag.Up) !== 0;
  return { index: view.getUint32(payload + 4, true), name, enabled, up: enabled && (flags & LinkFlag.LowerUp) !== 0 };
}

export function decodeAddress(cursor: MessageCursor): AddressMessage | undefined {
  const { payload, view } = cursor;
  if (payload + ADDRESS_HEADER_BYTES > cursor.end) return undefined;
  const afi = view.getUint8(payload);
  if (afi !== AF_INET && afi !== AF_INET6) return undefined;
  const family = afi === AF_INET ? Family.Ipv4 : Family.Ipv6;
  const length = view.getUint8(payload + 1);
  cursor.parseAttributes(payload + ADDRESS_HEADER_BYTES);
  const bytes = addressBits(family) / 8;
  const network = cursor.attribute(AddressAttribute.Address, bytes);
  const local = cursor.attribute(AddressAttribute.Local, bytes) || network;
  if (local === 0 || length > addressBits(family)) return undefined;
  const flags = cursor.u32(AddressAttribute.Flags, view.getUint8(payload + 2));
  return {
    interface: view.getUint32(payload + 4, true),
    address: addressAt(view, local, family),
    network: addressAt(view, network || local, family),
    length,
    usable:
      (flags & AddressFlag.DadFailed) === 0 &&
      ((flags & AddressFlag.Tentative) === 0 || (flags & AddressFlag.Optimistic) !== 0),
  };
}

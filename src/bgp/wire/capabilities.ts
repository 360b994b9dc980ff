/** Capabilities of an OPEN as code, length and value (RFC 5492 §4); each kind's value is laid out in its own RFC. */

import { type AddPathMode, type Capability, CapabilityCode } from "../model/capability.ts";
import { assertNever } from "../model/errors.ts";
import type { Asn } from "../model/ids.ts";
import type { Reader } from "./reader.ts";
import { decodeText, encodeText } from "./text.ts";
import type { Writer } from "./writer.ts";

/** All capabilities of one optional parameter. Throws Truncated; false when a known one has a length that its RFC forbids. */
export function decodeCapabilities(r: Reader, into: Capability[]): boolean {
  while (r.remaining > 0) {
    const code = r.u8();
    const value = r.slice(r.u8());
    const capability = decodeValue(code, value);
    if (capability === undefined || value.remaining > 0) return false;
    into.push(capability);
  }
  return true;
}

export function encodeCapability(capability: Capability, w: Writer): void {
  w.u8(codeOf(capability));
  const lengthAt = w.reserve(1);
  encodeValue(capability, w);
  w.patch8(lengthAt, w.length - lengthAt - 1);
}

function codeOf(capability: Capability): number {
  switch (capability.kind) {
    case "multiprotocol":
      return CapabilityCode.Multiprotocol;
    case "routeRefresh":
      return CapabilityCode.RouteRefresh;
    case "extendedNextHop":
      return CapabilityCode.ExtendedNextHop;
    case "extendedMessage":
      return CapabilityCode.ExtendedMessage;
    case "role":
      return CapabilityCode.Role;
    case "gracefulRestart":
      return CapabilityCode.GracefulRestart;
    case "fourOctetAs":
      return CapabilityCode.FourOctetAs;
    case "addPath":
      return CapabilityCode.AddPath;
    case "enhancedRouteRefresh":
      return CapabilityCode.EnhancedRouteRefresh;
    case "longLivedGracefulRestart":
      return CapabilityCode.LongLivedGracefulRestart;
    case "fqdn":
      return CapabilityCode.Fqdn;
    case "unknown":
      return capability.code;
    default:
      return assertNever(capability);
  }
}

/** What is left in `r` afterwards, or undefined, means that the length is wrong. */
function decodeValue(code: number, r: Reader): Capability | undefined {
  switch (code) {
    case CapabilityCode.Multiprotocol: {
      const afi = r.u16();
      r.u8(); // Reserved: ignored by the receiver (RFC 4760 §8).
      return { kind: "multiprotocol", afi, safi: r.u8() };
    }
    case CapabilityCode.RouteRefresh:
      return { kind: "routeRefresh" };
    case CapabilityCode.ExtendedNextHop: {
      // RFC 8950 §4: the SAFI takes two octets here.
      const tuples = tuplesOf(r, 6, () => ({ afi: r.u16(), safi: r.u16(), nextHopAfi: r.u16() }));
      return tuples && { kind: "extendedNextHop", tuples };
    }
    case CapabilityCode.ExtendedMessage:
      return { kind: "extendedMessage" };
    case CapabilityCode.Role:
      return { kind: "role", role: r.u8() };
    case CapabilityCode.GracefulRestart:
      return decodeGracefulRestart(r);
    case CapabilityCode.FourOctetAs:
      return { kind: "fourOctetAs", asNumber: r.u32() as Asn };
    case CapabilityCode.AddPath: {
      const tuples = tuplesOf(r, 4, () => ({ afi: r.u16(), safi: r.u8(), mode: r.u8() }));
      // RFC 7911 §4: a tuple with another value of Send/Receive is ignored.
      return tuples && { kind: "addPath", tuples: tuples.filter(isAddPathTuple) };
    }
    case CapabilityCode.EnhancedRouteRefresh:
      return { kind: "enhancedRouteRefresh" };
    case CapabilityCode.LongLivedGracefulRestart: {
      const tuples = tuplesOf(r, 7, () => ({
        afi: r.u16(),
        safi: r.u8(),
        forwardingPreserved: (r.u8() & FORWARDING) !== 0,
        staleTimeSeconds: r.u24(),
      }));
      return tuples && { kind: "longLivedGracefulRestart", tuples };
    }
    case CapabilityCode.Fqdn: {
      const hostName = decodeText(r.bytes(r.u8())) ?? "";
      // Some senders leave the domain name out.
      const domainName = r.remaining > 0 ? decodeText(r.bytes(r.u8())) : "";
      return { kind: "fqdn", hostName, domainName: domainName ?? "" };
    }
    default:
      return { kind: "unknown", code, value: r.bytes(r.remaining).slice() };
  }
}

function encodeValue(capability: Capability, w: Writer): void {
  switch (capability.kind) {
    case "multiprotocol":
      w.u16(capability.afi);
      w.u8(0);
      w.u8(capability.safi);
      return;
    case "extendedNextHop":
      for (const { afi, safi, nextHopAfi } of capability.tuples) {
        w.u16(afi);
        w.u16(safi);
        w.u16(nextHopAfi);
      }
      return;
    case "role":
      w.u8(capability.role);
      return;
    case "gracefulRestart":
      encodeGracefulRestart(capability, w);
      return;
    case "fourOctetAs":
      w.u32(capability.asNumber);
      return;
    case "addPath":
      for (const { afi, safi, mode } of capability.tuples) {
        w.u16(afi);
        w.u8(safi);
        w.u8(mode);
      }
      return;
    case "longLivedGracefulRestart":
      for (const { afi, safi, forwardingPreserved, staleTimeSeconds } of capability.tuples) {
        w.u16(afi);
        w.u8(safi);
        w.u8(forwardingPreserved ? FORWARDING : 0);
        w.u24(staleTimeSeconds);
      }
      return;
    case "fqdn":
      // Both names fit the capability's one octet of length.
      for (const name of [capability.hostName, capability.domainName]) {
        const bytes = encodeText(name, 64);
        w.u8(bytes.length);
        w.bytes(bytes);
      }
      return;
    case "unknown":
      w.bytes(capability.value);
      return;
    case "routeRefresh":
    case "extendedMessage":
    case "enhancedRouteRefresh":
      return;
    default:
      assertNever(capability);
  }
}

/** The F bit of RFC 4724 §3 and RFC 9494 §3.1. */
const FORWARDING = 0x80;
const RESTARTED = 0x8000;
/** RFC 8538 §2. */
const NOTIFICATION = 0x4000;

function decodeGracefulRestart(r: Reader): Capability | undefined {
  const flagsAndTime = r.u16();
  const families = tuplesOf(r, 4, () => ({
    afi: r.u16(),
    safi: r.u8(),
    forwardingPreserved: (r.u8() & FORWARDING) !== 0,
  }));
  return (
    families && {
      kind: "gracefulRestart",
      restarted: (flagsAndTime & RESTARTED) !== 0,
      notification: (flagsAndTime & NOTIFICATION) !== 0,
      timeSeconds: flagsAndTime & 0xfff,
      families,
    }
  );
}

function encodeGracefulRestart(capability: Capability & { kind: "gracefulRestart" }, w: Writer): void {
  const { restarted, notification, timeSeconds, families } = capability;
  w.u16((restarted ? RESTARTED : 0) | (notification ? NOTIFICATION : 0) | Math.min(timeSeconds, 0xfff));
  for (const { afi, safi, forwardingPreserved } of families) {
    w.u16(afi);
    w.u8(safi);
    w.u8(forwardingPreserved ? FORWARDING : 0);
  }
}

function tuplesOf<T>(r: Reader, size: number, read: () => T): T[] | undefined {
  if (r.remaining % size !== 0) return undefined;
  const tuples: T[] = [];
  while (r.remaining > 0) tuples.push(read());
  return tuples;
}

function isAddPathTuple(t: { afi: number; safi: number; mode: number }): t is typeof t & { mode: AddPathMode } {
  return t.mode >= 1 && t.mode <= 3;
}

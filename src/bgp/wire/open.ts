/** OPEN (RFC 4271 §4.2, §6.2), with optional parameters in the short form and in the long one (RFC 9072). */

import type { Capability } from "../model/capability.ts";
import type { RouterId } from "../model/ids.ts";
import { MessageType, NotificationCode, NotificationError, type OpenMessage, OpenSubcode } from "../model/messages.ts";
import { decodeCapabilities, encodeCapability } from "./capabilities.ts";
import { beginMessage, endMessage } from "./header.ts";
import { Reader, Truncated } from "./reader.ts";
import { Writer } from "./writer.ts";

const BGP_VERSION = 4;
const PARAMETER_CAPABILITIES = 2;
/** As a length and as the first parameter's type: the extended form follows (RFC 9072 §2). */
const EXTENDED = 255;

/** Throws NotificationError: what RFC 4271 §6.2 finds wrong without knowing how the peer is configured. */
export function decodeOpen(body: Uint8Array): OpenMessage {
  const r = new Reader(body);
  try {
    const version = r.u8();
    if (version !== BGP_VERSION) {
      // RFC 4271 §6.2: the data field holds the nearest version that we do support.
      throw openError(
        OpenSubcode.UnsupportedVersion,
        `version ${version} is not supported`,
        Uint8Array.of(0, BGP_VERSION),
      );
    }
    const myAs = r.u16();
    const holdTimeSeconds = r.u16();
    const bgpIdentifier = r.u32() as RouterId;
    const capabilities = decodeParameters(r);
    checkAs(myAs, capabilities);
    if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
      throw openError(OpenSubcode.UnacceptableHoldTime, `hold time ${holdTimeSeconds} s is neither 0 nor at least 3 s`);
    }
    // RFC 6286 §2.2: any value but zero.
    if (bgpIdentifier === 0) throw openError(OpenSubcode.BadBgpIdentifier, "the BGP Identifier is zero");
    return { version, myAs, holdTimeSeconds, bgpIdentifier, capabilities };
  } catch (error) {
    if (error instanceof Truncated) throw malformed("it ends inside a field");
    throw error;
  }
}

/** The whole message. All capabilities go into one parameter; the long form is used only where the short one has no room. */
export function encodeOpen(open: OpenMessage): Uint8Array {
  const capabilities = new Writer();
  for (const capability of open.capabilities) encodeCapability(capability, capabilities);

  const w = new Writer();
  beginMessage(w, MessageType.Open);
  w.u8(open.version);
  w.u16(open.myAs);
  w.u16(open.holdTimeSeconds);
  w.u32(open.bgpIdentifier);
  const length = capabilities.length;
  if (length === 0) {
    w.u8(0);
  } else if (length + 2 < EXTENDED) {
    w.u8(length + 2);
    w.u8(PARAMETER_CAPABILITIES);
    w.u8(length);
  } else {
    w.u8(EXTENDED);
    w.u8(EXTENDED);
    w.u16(length + 3);
    w.u8(PARAMETER_CAPABILITIES);
    w.u16(length);
  }
  w.bytes(capabilities.view());
  return endMessage(w);
}

function decodeParameters(r: Reader): readonly Capability[] {
  const length = r.u8();
  const capabilities: Capability[] = [];
  if (length === 0) {
    if (r.remaining > 0) throw malformed("octets follow an empty list of optional parameters");
    return capabilities;
  }
  let type = r.u8();
  // RFC 9072 §2: in the long form the one-octet length says nothing but that it is not zero.
  const extended = type === EXTENDED;
  const parameters = extended ? r.slice(r.u16()) : undefined;
  if (extended ? r.remaining > 0 : r.remaining !== length - 1) {
    throw malformed("the length of the optional parameters is not that of the message");
  }
  const p = parameters ?? r;
  if (extended) {
    if (p.remaining === 0) return capabilities;
    type = p.u8();
  }
  for (;;) {
    const value = p.slice(extended ? p.u16() : p.u8());
    if (type !== PARAMETER_CAPABILITIES) {
      throw openError(OpenSubcode.UnsupportedOptionalParameter, `optional parameter ${type} is not supported`);
    }
    if (!decodeCapabilities(value, capabilities)) throw malformed("a capability has a wrong length");
    if (p.remaining === 0) return capabilities;
    type = p.u8();
  }
}

/** RFC 7607 §2: AS 0 is nobody's, in the two-octet field or in the capability. */
function checkAs(myAs: number, capabilities: readonly Capability[]): void {
  const zero = capabilities.some((c) => c.kind === "fourOctetAs" && c.asNumber === 0);
  if (myAs === 0 || zero) throw openError(OpenSubcode.BadPeerAs, "the AS number is zero");
}

/** RFC 4271 §6.2: a parameter that is recognized but malformed has the subcode 0. */
function malformed(what: string): NotificationError {
  return openError(OpenSubcode.Unspecific, `the OPEN is malformed: ${what}`);
}

function openError(subcode: number, message: string, data?: Uint8Array): NotificationError {
  return new NotificationError(NotificationCode.Open, subcode, message, data);
}

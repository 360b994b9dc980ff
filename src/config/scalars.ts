/** The values that keys take, as zod types: text in, the model's own types out; each says what it accepts. */

import * as z from "zod";
import { type IpAddress, isLinkLocal, isUnspecified } from "../bgp/model/address.ts";
import { addressBits, Family } from "../bgp/model/family.ts";
import { AS_TRANS, type Asn, asn, type RouterId, routerId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import { parseAddress, parsePrefix } from "./addresses.ts";
import { formatDuration, parseDuration } from "./durations.ts";
import { suggestion } from "./nearest.ts";

/** How a wrong value is called in messages; never its content where that may be a secret. */
export function nameValue(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
    case "number":
    case "boolean":
    case "bigint":
      return `\`${value}\``;
    case "object":
      return "a mapping";
    default:
      return "nothing";
  }
}

/** What a message says of a value that a schema refuses. */
function refused(issue: { readonly input?: unknown }, accepted: string, guess = ""): string {
  const what = issue.input === undefined ? "is missing" : `${nameValue(issue.input)} is not accepted`;
  return `${what}${guess}; accepted: ${accepted}`;
}

type Parse<T> = (text: string, written: string) => T | undefined | Refusal;

/** A text read by `parse`, trimmed (or as written); undefined or a Refusal refuses it. */
export function scalar<T extends string | number | object>(accepted: string, parse: Parse<T>) {
  return reading(z.string({ error: (issue) => refused(issue, accepted) }), accepted, parse);
}

/** The same for values that YAML may take for a number. */
export function numericScalar<T extends string | number | object>(accepted: string, parse: Parse<T>) {
  const input = z.union([z.string(), z.number()], { error: (issue) => refused(issue, accepted) });
  return reading(input, accepted, parse);
}

/** The JSON Schema says in its $comment what is accepted; docs/configuration.md shows it as the type. */
function reading<T extends string | number | object, I extends string | number>(
  input: z.ZodType<I>,
  accepted: string,
  parse: Parse<T>,
) {
  return input
    .transform((raw, context): T => {
      const result = parse(String(raw).trim(), String(raw));
      if (result !== undefined && !(result instanceof Refusal)) return result;
      const reason = result === undefined ? `${nameValue(raw)} is not accepted` : result.reason;
      context.issues.push({ code: "custom", input: raw, message: `${reason}; accepted: ${accepted}` });
      return z.NEVER;
    })
    .meta({ $comment: accepted });
}

/** Says better what is wrong than "not accepted". */
export class Refusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Text alone: a number or a boolean means that the quotes are missing. */
export function text(accepted: string, maxLength = 255) {
  return z
    .string({
      error: (issue) =>
        typeof issue.input === "number" || typeof issue.input === "boolean"
          ? `\`${issue.input}\` is a ${typeof issue.input}, not text: put it in quotes`
          : refused(issue, accepted),
    })
    .min(1, { error: `empty; accepted: ${accepted}` })
    .max(maxLength, { error: `longer than ${maxLength} characters; accepted: ${accepted}` })
    .meta({ $comment: accepted });
}

/** One of several shapes. */
export function union<const T extends readonly [z.ZodType, ...z.ZodType[]]>(shapes: T, accepted: string) {
  return z.union(shapes, { error: (issue) => refused(issue, accepted) });
}

/** Text that no message repeats. */
export function secret(accepted: string) {
  return z
    .string({ error: `this value is not text: put it in quotes; accepted: ${accepted}` })
    .min(1, { error: `empty; accepted: ${accepted}` })
    .meta({ $comment: accepted });
}

export function boolean() {
  return z.boolean({ error: (issue) => refused(issue, "true or false") });
}

export function integer(min: number, max: number) {
  const error = (issue: { readonly input?: unknown }) => refused(issue, `a whole number from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, {
    error: (issue) => {
      const guess = typeof issue.input === "string" ? suggestion(issue.input, values) : "";
      return refused(issue, values.join(", "), guess);
    },
  });
}

/** Milliseconds. `whole`: seconds without a fraction, because a protocol field holds them. */
export function duration(bounds: { readonly min: number; readonly max: number; readonly whole?: boolean }) {
  const kind =
    bounds.whole === true
      ? "whole seconds, such as 90s or 2m"
      : "a duration such as 90s, 300ms or 2m (a bare number is seconds)";
  const accepted = `${kind}, from ${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}`;
  return numericScalar(accepted, (value) => {
    const milliseconds = parseDuration(value);
    if (milliseconds === undefined || milliseconds < bounds.min || milliseconds > bounds.max) return undefined;
    return bounds.whole === true && milliseconds % 1000 !== 0 ? undefined : milliseconds;
  });
}

export const AS_ACCEPTED = "an AS number from 1 to 4294967295, or asdot such as 1.10";

/** RFC 5396: asplain, or asdot. */
function parseAsNumber(value: string): Asn | undefined {
  if (/^\d{1,10}$/.test(value)) return Number(value) <= 0xffffffff ? asn(Number(value)) : undefined;
  const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(value);
  if (dotted === null) return undefined;
  const [high, low] = [Number(dotted[1]), Number(dotted[2])];
  return high > 0xffff || low > 0xffff ? undefined : asn(high * 0x10000 + low);
}

/** AS 0 (RFC 7607), AS_TRANS (RFC 6793) and the last AS numbers (RFC 7300) belong to nobody. */
function usableAsNumber(value: string): Asn | Refusal | undefined {
  const number = parseAsNumber(value);
  if (number === undefined) return undefined;
  if (number === 0) return new Refusal("AS 0 is nobody's (RFC 7607)");
  if (number === AS_TRANS) return new Refusal("AS 23456 is reserved (AS_TRANS, RFC 6793)");
  if (number === 0xffff || number === 0xffffffff) return new Refusal(`AS ${number} is reserved (RFC 7300)`);
  return number;
}

export function asNumber() {
  return numericScalar(AS_ACCEPTED, usableAsNumber);
}

const AS_WORDS = ["internal", "external"] as const;

/** A peer's AS number, or which kind of peer it is. */
export function peerAsNumber() {
  const accepted = `${AS_ACCEPTED}, internal (our own AS), external (any other), or for a range a list of AS numbers`;
  return numericScalar(accepted, (value) => {
    const word = AS_WORDS.find((each) => each === value);
    if (word !== undefined || /^[\d.]+$/.test(value)) return word ?? usableAsNumber(value);
    return new Refusal(`${nameValue(value)} is not accepted${suggestion(value, AS_WORDS)}`);
  });
}

/** A BGP Identifier: four octets in dotted form, or the number; not 0 (RFC 6286 §2.1). */
export function identifier() {
  return numericScalar("four octets such as 10.0.0.1, not 0.0.0.0", (value): RouterId | undefined => {
    const address = parseAddress(value);
    const number = /^\d{1,10}$/.test(value) ? Number(value) : address?.family === Family.Ipv4 ? address.w0 : 0;
    return number === 0 || number > 0xffffffff ? undefined : routerId(number);
  });
}

export function anyAddress() {
  return scalar("an IPv4 or IPv6 address", (value) => parseAddress(value));
}

/** What a policy may put in for the next hop. */
export function nextHopChange() {
  return scalar("self, or an IPv4 or IPv6 address", (value) => (value === "self" ? value : parseAddress(value)));
}

/** An address that packets can be sent to; multicast, broadcast and the unspecified address are none. */
export function unicastAddress() {
  return scalar("the IPv4 or IPv6 address of one machine", (value) => {
    const address = parseAddress(value);
    return address !== undefined && isUnicast(address) ? address : undefined;
  });
}

export interface PeerAddress {
  readonly address: IpAddress;
  readonly interface: string | undefined;
}

/** An address, or `fe80::1%eth0`; the zone belongs to link-local addresses alone. */
export function parsePeerAddress(value: string): PeerAddress | undefined {
  const [before = "", zone, ...more] = value.split("%");
  const address = parseAddress(before);
  if (address === undefined || more.length > 0 || !isUnicast(address)) return undefined;
  if (zone !== undefined && !(isLinkLocal(address) && isInterfaceName(zone))) return undefined;
  return { address, interface: zone };
}

/** A link-local address means nothing without its interface (RFC 4007 §6). */
export function peerAddress() {
  return scalar("the IPv4 or IPv6 address of one machine; link-local ones as fe80::1%eth0", (value) => {
    const result = parsePeerAddress(value);
    if (result === undefined || result.interface !== undefined || !isLinkLocal(result.address)) return result;
    return new Refusal(`${value} is link-local: name its interface`);
  });
}

export function isUnicast(a: IpAddress): boolean {
  if (isUnspecified(a)) return false;
  return a.family === Family.Ipv4 ? a.w0 >>> 28 < 0xe : a.w0 >>> 24 !== 0xff;
}

/** Host bits are cleared; a bare address is a host prefix. */
export function prefix() {
  return scalar("a prefix such as 10.0.0.0/16 or 2001:db8::/32", (value): Prefix | undefined => parsePrefix(value));
}

/** A prefix that does not say all that was written: `10.0.0.1/16`. */
export function hasHostBits(value: string): boolean {
  const [before = "", length] = value.split("/");
  const address = parseAddress(before);
  const canonical = parsePrefix(value);
  if (address === undefined || canonical === undefined || length === undefined) return false;
  const { w0, w1, w2, w3 } = canonical;
  const isHost = Number(length) === addressBits(address.family);
  return !isHost && (w0 !== address.w0 || w1 !== address.w1 || w2 !== address.w2 || w3 !== address.w3);
}

function isInterfaceName(value: string): boolean {
  return value.length <= 15 && /^[^\s/:%]+$/.test(value) && value !== "." && value !== "..";
}

export function interfaceName() {
  return numericScalar("an interface name of at most 15 characters", (value) =>
    isInterfaceName(value) ? value : undefined,
  );
}

/** `*` and `?`; the glob itself, for those who match. */
export function glob() {
  return text('an interface glob such as "eth*"', 64).regex(/^[^\s/]+$/, {
    error: 'no blanks or slashes; accepted: an interface glob such as "eth*"',
  });
}

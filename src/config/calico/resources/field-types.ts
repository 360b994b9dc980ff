/** The kinds of values that Calico's resources are made of. */

import { formatAddress } from "../../../bgp/model/address.ts";
import { Family } from "../../../bgp/model/family.ts";
import { formatPrefix, type Prefix } from "../../../bgp/model/prefix.ts";
import { parseAddress, parsePrefix } from "../../addresses.ts";
import { nameValue } from "../../scalars.ts";
import { type Selector, selectorOf } from "../selector/selector.ts";
import { SelectorSyntaxError } from "../selector/selector-parser.ts";
import { type Field, integer, isMap, map, mapTo, name, notAccepted, required, text } from "./fields.ts";

/** The number that stands for priorities in LOCAL_PREF: LOCAL_PREF = this - priority. */
const MAX_PRIORITY = 2147483646;
const MAX_ASN = 4294967295;

/** A whole number, or the text that the API takes too: "65000", "1.10". Zero is what Go's types have for none. */
export function asNumber(): Field<number> {
  const accepts = `an AS number from 1 to ${MAX_ASN}, or as text "1.10"`;
  return {
    accepts,
    read: (value, place) => {
      const number = typeof value === "string" ? parseAsNumber(value) : value;
      if (number === 0) return undefined;
      return typeof number === "number" && Number.isInteger(number) && number > 0 && number <= MAX_ASN
        ? number
        : place.refuse(notAccepted(value, accepts));
    },
  };
}

function parseAsNumber(written: string): number | undefined {
  const dotted = /^(\d{1,5})\.(\d{1,5})$/.exec(written);
  if (dotted !== null) {
    const [high, low] = [Number(dotted[1]), Number(dotted[2])];
    return high <= 0xffff && low <= 0xffff ? high * 0x10000 + low : undefined;
  }
  return /^\d{1,10}$/.test(written) ? Number(written) : undefined;
}

export function priority(): Field<number> {
  return integer(1, MAX_PRIORITY);
}

export function port(): Field<number> {
  return integer(1, 65535);
}

/** In its canonical form. */
export function cidr(): Field<string> {
  return text("a CIDR such as 10.96.0.0/12 or fd00:96::/112", (written) => {
    const prefix = writtenCidr(written);
    return prefix === undefined ? undefined : formatPrefix(prefix);
  });
}

/** Undefined unless the length is written too. */
export function writtenCidr(written: string): Prefix | undefined {
  return written.includes("/") ? parsePrefix(written) : undefined;
}

export function familyOf(prefixOrAddress: string): Family {
  return prefixOrAddress.includes(":") ? Family.Ipv6 : Family.Ipv4;
}

export function canonicalAddress(written: string): string | undefined {
  const address = parseAddress(written);
  return address === undefined ? undefined : formatAddress(address);
}

export function address(): Field<string> {
  return text("an IPv4 or IPv6 address", canonicalAddress, 64);
}

/** Seconds, rounded. */
export function duration(): Field<number> {
  return text('a duration such as "120s" or "1m30s"', parseDuration, 64);
}

const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };

function parseDuration(written: string): number | undefined {
  if (written === "0") return 0;
  if (!/^((\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns))+$/.test(written)) return undefined;
  let seconds = 0;
  for (const [, amount, unit = "s"] of written.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    seconds += Number(amount) * (UNITS[unit] ?? 0);
  }
  return Number.isFinite(seconds) ? Math.round(seconds) : undefined;
}

export function selector(): Field<Selector> {
  const accepts = "a selector such as has(rack) && rack != 'rack-1'";
  return {
    accepts,
    read: (value, place) => {
      if (typeof value !== "string") return place.refuse(notAccepted(value, accepts));
      try {
        return selectorOf(value);
      } catch (thrown) {
        if (!(thrown instanceof SelectorSyntaxError)) throw thrown;
        return place.refuse(`${nameValue(value)}: ${thrown.message}; accepted: ${accepts}`);
      }
    },
  };
}

export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

/** `secretKeyRef`, as Kubernetes has it. */
export function secretReference(): Field<SecretKey> {
  const reference = map({
    name: required(name("the name of a Secret")),
    key: required(name("a key of the Secret")),
    optional: { accepts: "true or false", read: () => undefined },
  });
  const password = mapTo({ secretKeyRef: required(unquoted(reference)) }, ({ secretKeyRef }) =>
    secretKeyRef?.name === undefined || secretKeyRef.key === undefined
      ? undefined
      : { name: secretKeyRef.name, key: secretKeyRef.key },
  );
  return unquoted(password);
}

/** People write the password itself where the place of it belongs: no message repeats that. */
function unquoted<T>(field: Field<T>): Field<T> {
  return {
    ...field,
    read: (value, place) =>
      isMap(value) ? field.read(value, place) : place.refuse(`names no Secret; accepted: ${field.accepts}`),
  };
}

/** "65000:100" (two octets each) or "65000:100:1" (four octets each), without leading zeros. */
export function community(): Field<string> {
  return text("a community such as 65000:100 or 65000:100:1", parseCommunityText, 40);
}

export function parseCommunityText(written: string): string | undefined {
  if (!/^\d{1,10}:\d{1,10}(:\d{1,10})?$/.test(written)) return undefined;
  const parts = written.split(":").map(Number);
  const max = parts.length === 2 ? 0xffff : 0xffffffff;
  return parts.every((part) => part <= max) ? parts.join(":") : undefined;
}

/** How the fields of resources are described, and how unknown JSON is read by such a description. */

import { suggestion } from "../../nearest.ts";
import { nameValue } from "../../scalars.ts";
import type { Place } from "../problem.ts";

export interface Field<T> {
  /** In words, for messages. */
  readonly accepts: string;
  /** Undefined: refused, and the place has been told why. Never called with null, undefined or an empty text. */
  readonly read: (value: unknown, place: Place) => T | undefined;
  readonly required?: true;
  /** The texts that a choice takes; the fields of a map; what a list is made of. */
  readonly choices?: readonly string[];
  readonly fields?: Fields;
  readonly items?: Field<unknown>;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T | undefined : never };

type Json = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An empty text says as little as no text: so Calico's own types have it. */
export function isAbsent(value: unknown): value is undefined | null | "" {
  return value === undefined || value === null || value === "";
}

export function notAccepted(value: unknown, accepts: string): string {
  return `${nameValue(value)} is not accepted; accepted: ${accepts}`;
}

/** Whatever `value` is: fields that are refused are undefined, as those that are absent. */
export function readFields<F extends Fields>(fields: F, value: unknown, place: Place): Values<F> {
  const values: Record<string, unknown> = {};
  if (isMap(value)) {
    for (const key of Object.keys(value)) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field === undefined) {
        if (!place.isFull) place.at(key).warn(unknownField(key.slice(0, MAX_NAME_LENGTH), fields));
      } else if (!isAbsent(value[key])) {
        values[key] = field.read(value[key], place.at(key));
      }
    }
  } else if (!isAbsent(value)) {
    place.refuse(notAccepted(value, "a map of fields"));
  }
  for (const [key, field] of Object.entries(fields)) {
    if (field.required && (!isMap(value) || isAbsent(value[key]))) {
      place.at(key).refuse(`is missing; accepted: ${field.accepts}`);
    }
  }
  return values as Values<F>;
}

/** No field's name is as long, nor worth comparing. */
const MAX_NAME_LENGTH = 100;

/** Fields of the commercial edition, which its users carry over. */
const ENTERPRISE: ReadonlySet<string> = new Set([
  "birdGatewayMode",
  "extensions",
  "externalNetwork",
  "failureDetectionMode",
  "network",
  "restartMode",
]);

function unknownField(key: string, fields: Fields): string {
  if (ENTERPRISE.has(key)) return "is a field of Calico Enterprise, without effect here; leave it out";
  const known = Object.keys(fields);
  const guess = suggestion(key, known);
  return `unknown field, without effect${guess === "" ? `; known: ${known.join(", ")}` : guess}`;
}

/** A text that `parse` makes something of; undefined refuses it. */
export function text<T>(accepts: string, parse: (text: string) => T | undefined, maxLength = 1024): Field<T> {
  return {
    accepts,
    read: (value, place) => {
      if (typeof value !== "string") return place.refuse(notAccepted(value, accepts));
      if (value.length > maxLength) return place.refuse(`is longer than ${maxLength} characters; accepted: ${accepts}`);
      return parse(value) ?? place.refuse(notAccepted(value, accepts));
    },
  };
}

export function name(accepts: string, maxLength = 253): Field<string> {
  return text(accepts, (written) => written, maxLength);
}

export function choice<const T extends string>(...choices: readonly T[]): Field<T> {
  const accepts = choices.join(", ");
  return {
    accepts,
    choices,
    read: (value, place) => {
      const found = choices.find((one) => one === value);
      if (found !== undefined) return found;
      const guess = typeof value === "string" ? suggestion(value, choices) : "";
      return place.refuse(`${nameValue(value)} is not accepted${guess}; accepted: ${accepts}`);
    },
  };
}

export function flag(): Field<boolean> {
  const accepts = "true or false";
  return {
    accepts,
    read: (value, place) => (typeof value === "boolean" ? value : place.refuse(notAccepted(value, accepts))),
  };
}

export function integer(min: number, max: number): Field<number> {
  const accepts = `a whole number from ${min} to ${max}`;
  return {
    accepts,
    read: (value, place) =>
      typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
        ? value
        : place.refuse(notAccepted(value, accepts)),
  };
}

/** Refused items are left out, each with its problem. */
export function list<T>(items: Field<T>, maxItems = 500): Field<readonly T[]> {
  const accepts = `a list of ${items.accepts}`;
  return {
    accepts,
    items,
    read: (value, place) => {
      if (!Array.isArray(value)) return place.refuse(notAccepted(value, accepts));
      if (value.length > maxItems) return place.refuse(`has ${value.length} entries; accepted: at most ${maxItems}`);
      return value.flatMap((item: unknown, i) => {
        if (isAbsent(item)) return [];
        const read = items.read(item, place.at(i));
        return read === undefined ? [] : [read];
      });
    },
  };
}

export function map<F extends Fields>(fields: F): Field<Values<F>> {
  return mapTo(fields, (values) => values);
}

/** A map; `finish` makes of its values what is kept, and may refuse them. */
export function mapTo<F extends Fields, T>(
  fields: F,
  finish: (values: Values<F>, place: Place) => T | undefined,
): Field<T> {
  const accepts = `a map of ${Object.keys(fields).join(", ")}`;
  return {
    accepts,
    fields,
    read: (value, place) =>
      isMap(value) ? finish(readFields(fields, value, place), place) : place.refuse(notAccepted(value, accepts)),
  };
}

/** A field that is Calico's and no concern of BGP. */
export function ignored(): Field<never> {
  return { accepts: "anything", read: () => undefined };
}

export function required<T>(field: Field<T>): Field<T> {
  return { ...field, required: true };
}

/** Secret: texts by key, as passwords of sessions need them. Their content is in no message. */

import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { isMap } from "./fields.ts";

export type Secret = Readonly<Record<string, string>>;

export function readSecret(object: StoredObject, place: Place): Secret {
  const texts: Record<string, string> = {};
  for (const [key, value] of entriesOf(object["data"])) {
    if (typeof value === "string") texts[key] = decode(value, place.at("data").at(key));
    else place.at("data").at(key).refuse("is not text; accepted: base64");
  }
  // What people write, and the API server would turn into `data`, which it wins over.
  for (const [key, value] of entriesOf(object["stringData"])) {
    if (typeof value === "string") texts[key] = trimmed(value, place.at("stringData").at(key));
    else place.at("stringData").at(key).refuse("is not text; put it in quotes");
  }
  return texts;
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

function decode(base64: string, place: Place): string {
  const compact = base64.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) place.warn("is not base64");
  return trimmed(Buffer.from(compact, "base64").toString("utf8"), place);
}

/** `echo` and editors end a line; no router's password has that in it, and BIRD would not start with it. */
function trimmed(written: string, place: Place): string {
  const text = written.replace(/[\r\n]+$/, "");
  if (text !== written) place.warn("ends with a line break, which does not count");
  return text;
}

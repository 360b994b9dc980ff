/** Where the members of etcd listen: as the options say, or as SRV records of a domain say (clients' form of etcd's DNS discovery). */

import { Resolver } from "node:dns/promises";
import { readTextFile } from "../../../text-file.ts";
import type { DatastoreOptions } from "../../options.ts";
import type { TlsFiles } from "./grpc.ts";

export type EtcdOptions = Extract<DatastoreOptions, { type: "etcd" }>;

const MAX_PEM_OCTETS = 1024 * 1024;

/** Throws an Error that says why there are none. */
export async function endpointsOf(
  { endpoints, discoverySrv }: EtcdOptions,
  resolver: Pick<Resolver, "resolveSrv"> = new Resolver(),
): Promise<readonly string[]> {
  if (discoverySrv === undefined) return endpoints;
  const secure = await lookUp(resolver, `_etcd-client-ssl._tcp.${discoverySrv}`, "https");
  const plain = await lookUp(resolver, `_etcd-client._tcp.${discoverySrv}`, "http");
  const found = [...secure.urls, ...plain.urls];
  if (found.length > 0) return found;
  throw new Error(`no SRV records name etcd's members: ${secure.failure}; ${plain.failure}`);
}

async function lookUp(
  resolver: Pick<Resolver, "resolveSrv">,
  name: string,
  scheme: string,
): Promise<{ readonly urls: string[]; readonly failure: string }> {
  try {
    const records = await resolver.resolveSrv(name);
    records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
    return { urls: records.map((record) => `${scheme}://${record.name}:${record.port}`), failure: `${name} is empty` };
  } catch (thrown) {
    return { urls: [], failure: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Read anew for each connection: certificates are renewed under the same names. Throws an Error that names the file. */
export function readTlsFiles({ ca, cert, key }: EtcdOptions): TlsFiles {
  return { ca: read(ca, "the CA's"), cert: read(cert, "the client's"), key: read(key, "the key's") };
}

function read(path: string | undefined, whose: string): string | undefined {
  if (path === undefined) return undefined;
  const file = readTextFile(path, MAX_PEM_OCTETS);
  if (file.kind === "text") return file.text;
  throw new Error(`cannot read ${whose} file ${path}: ${file.message}`);
}

/** Reads what BIRD prints for `show route all`. */

import { asOrigin, type SeenRoute } from "./speaker.ts";

/**
 * A path starts with the prefix (left out where the path before had the same one), its type and, in brackets, the
 * protocol that it came from; its attributes follow, indented by a tab.
 */
const pathLine = /^(\S+)? +(?:unicast|blackhole|unreachable|prohibited) \[(\S+)[^\]]*\](?: (\*))? /;

export function parseBirdRoutes(text: string, peerOf: (protocol: string) => string | undefined): SeenRoute[] {
  const routes: SeenRoute[] = [];
  let prefix = "";
  let head: RegExpExecArray | undefined;
  let attributes = new Map<string, string>();
  const finish = () => {
    if (head !== undefined) routes.push(routeOf(prefix, head[3] === "*", peerOf(head[2] ?? ""), attributes));
    head = undefined;
    attributes = new Map();
  };
  for (const line of text.split("\n")) {
    const path = pathLine.exec(line);
    if (path !== null) {
      finish();
      prefix = path[1] ?? prefix;
      head = path;
      continue;
    }
    const attribute = /^\t(?:BGP\.)?([\w ]+): ?(.*)$/.exec(line);
    if (attribute !== null) attributes.set(attribute[1] ?? "", attribute[2] ?? "");
  }
  finish();
  return routes;
}

function routeOf(
  prefix: string,
  best: boolean,
  peer: string | undefined,
  attributes: ReadonlyMap<string, string>,
): SeenRoute {
  const number = (name: string) => (attributes.has(name) ? Number(attributes.get(name)) : undefined);
  return {
    prefix,
    best,
    peer,
    pathId: undefined,
    // An IPv6 next hop may be followed by its link-local address, and stands as :: where it has no other.
    nextHop: attributes.get("next_hop")?.replace(/^:: /, "").split(" ")[0],
    asPath: attributes.get("as_path") ?? "",
    origin: asOrigin(attributes.get("origin") ?? "igp"),
    med: number("med"),
    localPref: number("local_pref"),
    communities: tuples(attributes.get("community")),
    extendedCommunities: tuples(attributes.get("ext_community")),
    largeCommunities: tuples(attributes.get("large_community")),
    originatorId: attributes.get("originator_id"),
    clusterList: attributes.get("cluster_list")?.split(" ").filter(Boolean) ?? [],
  };
}

/** "(65000,1) (65000,2)" */
function tuples(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(/\(([^)]*)\)/g)].map((match) => (match[1] ?? "").split(/, ?/).join(":"));
}

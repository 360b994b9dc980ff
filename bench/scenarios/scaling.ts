/** How cost grows with clients and with routes: the cases that the plots in docs/scaling.md show. */

import type { Case } from "../runner.ts";
import { full } from "./full.ts";
import { reflect } from "./reflect.ts";

const CLIENTS = { small: [10, 20], full: [100, 250, 500, 1000, 2000, 4000] } as const;
const BLOCKS = 4;
const ROUTES = { small: [1000, 2000], full: [10_000, 50_000, 200_000, 500_000, 1_000_000, 2_000_000] } as const;

/** In ascending order within each sweep. */
export function scalingCases(scale: "small" | "full"): readonly (readonly Case[])[] {
  return [
    CLIENTS[scale].map((K) => ({ scenario: reflect, parameters: { K, P: BLOCKS } })),
    ROUTES[scale].map((M) => ({ scenario: full, parameters: { M, S: 1, R: 1 } })),
  ];
}

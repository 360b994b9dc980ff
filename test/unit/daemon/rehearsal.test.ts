/** The rehearsal plays to the end, and stops when real routes come. */

import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/daemon/clock.ts";
import { rehearse } from "../../../src/daemon/rehearsal.ts";

/** 4 rounds of 2000 prefixes of each family from two peers, each told to at least two, with 4 octets to a prefix at the least. */
const LEAST = 4 * 2 * 2000 * 2 * 2 * 4;

describe("the rehearsal", () => {
  it("tells made-up routes of both families to everyone in the cast", async () => {
    expect(await rehearse(systemClock, () => true)).toBeGreaterThan(LEAST);
  });

  it("is over as soon as it is not wanted any more", async () => {
    let looks = 0;
    const heard = await rehearse(systemClock, () => looks++ < 20);
    expect(heard).toBeLessThan(LEAST);
    expect(looks).toBeLessThan(30);
  });
});

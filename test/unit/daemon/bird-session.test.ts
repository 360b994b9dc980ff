import { describe, expect, it } from "vitest";
import { lastError } from "../../../src/daemon/bird-session.ts";

describe("the last error, with BIRD's word for where it is from", () => {
  it.each([
    [undefined, undefined],
    ["cannot connect: connection refused", "Socket: Connection refused"],
    [
      "cannot connect: no route to the peer; the last session ended: x",
      "Socket: No route to the peer; the last session ended: x",
    ],
    ["the peer closed the connection", "Socket: The peer closed the connection"],
    [
      "received NOTIFICATION: Cease: administrative shutdown: maintenance",
      "Received: Cease: administrative shutdown: maintenance",
    ],
    [
      "nothing heard from the peer for 90 s (sent hold timer expired)",
      "BGP Error: Nothing heard from the peer for 90 s (sent hold timer expired)",
    ],
    ["disabled by the operator", undefined],
    ["reset by the operator (sent Cease: administrative reset)", undefined],
    ["configuration changed", "Error: Configuration changed"],
  ])("%s", (text, said) => {
    expect(lastError(text)).toBe(said);
  });
});

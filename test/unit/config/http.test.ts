import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/bgp/model/address.ts";
import { loadText } from "../../../src/config/load.ts";
import { machine } from "./fixtures.ts";

const loaded = (yaml: string, address: string | undefined) => {
  const environment = (name: string) => (name === "STARLING_HTTP_ADDRESS" ? address : undefined);
  return loadText(`asNumber: 64512\n${yaml}`, "f", { ...machine, environment });
};

describe("where metrics are served", () => {
  it.each([
    ["nothing says", "", undefined, "127.0.0.1"],
    ["the environment says", "", "10.0.0.7", "10.0.0.7"],
    ["the environment says IPv6, the file a port", "http: {port: 80}", "fd00::7", "fd00::7"],
    ["the environment is empty", "", "", "127.0.0.1"],
    ["the file says", "http: {address: 10.0.0.8}", "10.0.0.7", "10.0.0.8"],
  ])("%s", (_name, yaml, address, wanted) => {
    const { config, problems } = loaded(yaml, address);
    expect(problems).toEqual([]);
    expect(config?.http && formatAddress(config.http.address)).toBe(wanted);
  });

  it("nowhere, when the file says so", () => {
    expect(loaded("http: false", "10.0.0.7").config?.http).toBeUndefined();
  });

  it("an environment that is no address is an error that names it", () => {
    expect(loaded("", "node-1").problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'http.address: STARLING_HTTP_ADDRESS is "node-1"; accepted: an address',
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { CalicoConfig } from "../../../../src/config/calico/calico-config.ts";
import { openValue } from "../../../../src/config/load.ts";
import { machine } from "../../../../src/config/surroundings.ts";

describe("the level of the log on a Calico node", () => {
  const levelOf = (file: object, logSeverity: "debug" | "warning" | undefined) => {
    const opened = openValue({ calico: {}, ...file }, "starling.yaml", machine("/"));
    return new CalicoConfig(opened, { role: "node", logSeverity }).file.config?.log.level;
  };

  it("is the file's, else that of BGP_LOGSEVERITYSCREEN, else that of the resources", () => {
    expect(levelOf({ log: { level: "error" } }, "debug")).toBe("error");
    expect(levelOf({}, "debug")).toBe("debug");
    expect(levelOf({}, "warning")).toBe("warn");
    expect(levelOf({}, undefined)).toBe("info");
  });
});

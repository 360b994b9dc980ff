import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { CommandsDocument } from "../../../scripts/lib/commands-document.ts";

const document = new CommandsDocument();
const text = readFileSync(new URL("../../../docs/commands.md", import.meta.url), "utf8");

afterAll(() => document.close());

describe("docs/commands.md", () => {
  it("is what the program says: run `npx tsx scripts/docs-commands.ts` after a change", async () => {
    expect(await document.refresh(text)).toBe(text);
  });

  it("leaves no command out", () => {
    for (const name of document.commandNames()) expect(text).toContain(`\n## starling ${name}\n`);
  });
});

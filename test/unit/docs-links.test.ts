/** Every relative link in the documents leads to a file that is there, and every anchor to a heading (as GitHub names them). */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
].sort();

/** Without code, in which brackets mean something else. */
function prose(text: string): string {
  return text.replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, "").replace(/`[^`\n]*`/g, "");
}

/** Targets of `[text](target)`, of `![text](target)` and of `src="target"`, but for those on other machines. */
function linksOf(text: string): string[] {
  const found = [...prose(text).matchAll(/\]\(\s*<?([^)>\s]+)|\bsrc(?:set)?="([^"]+)"/g)];
  return found.map((match) => match[1] ?? match[2] ?? "").filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** GitHub's names: lower case, blanks become hyphens, all else but letters, digits, hyphens and underscores goes. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const seen = new Map<string, number>();
  const withoutBlocks = text.replace(/^(`{3,})[^\n]*\n[\s\S]*?^\1$/gm, "");
  for (const [, heading = ""] of withoutBlocks.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const name = words.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    anchors.add(before === 0 ? name : `${name}-${before}`);
  }
  return anchors;
}

/** What is wrong with the link; undefined if it leads somewhere. */
function fault(document: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? join(root, document) : resolve(root, dirname(document), decodeURIComponent(path));
  if (!existsSync(target)) return `${link}: there is no ${relative(root, target)}`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  return anchorsOf(readFileSync(target, "utf8")).has(anchor) ? undefined : `${link}: no heading has that name`;
}

describe("links in the documents", () => {
  it.each(documents)("%s", (document) => {
    const links = linksOf(readFileSync(join(root, document), "utf8"));
    expect(links.map((link) => fault(document, link)).filter((each) => each !== undefined)).toEqual([]);
  });

  it("finds a link that leads nowhere", () => {
    expect(linksOf("[a](nowhere.md) `[b](code)` ![c](docs/images/data-flow.svg) [d](https://example.net)")).toEqual([
      "nowhere.md",
      "docs/images/data-flow.svg",
    ]);
    expect(fault("README.md", "nowhere.md")).toContain("there is no nowhere.md");
    expect(anchorsOf("# What `show` says: all\n\n## a.b\n\n## a.b")).toEqual(
      new Set(["what-show-says-all", "ab", "ab-1"]),
    );
  });
});

/** Interface names by shell patterns: `*` and `?`. */

/** True if one of the globs matches the whole name. */
export type NameMatcher = (name: string) => boolean;

export function nameMatcher(globs: readonly string[]): NameMatcher {
  const patterns = globs.map(
    (glob) =>
      new RegExp(
        `^${glob
          .replace(/[.+^${}()|[\]\\]/g, "\\$&")
          .replace(/\*+/g, ".*")
          .replace(/\?/g, ".")}$`,
        "s",
      ),
  );
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/** Selectors ready for use, each text compiled once. */

import { type Expression, parseSelector } from "./selector-parser.ts";

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly text: string;
  readonly matches: (labels: Labels) => boolean;
}

/** More texts than any cluster has; beyond that whoever makes them up pays for their compilation. */
const MAX_REMEMBERED = 2000;
const remembered = new Map<string, Selector>();

/** Equal texts give the same object. Throws SelectorSyntaxError. */
export function selectorOf(text: string): Selector {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const selector = { text, matches: compile(parseSelector(text)) };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(text, selector);
  return selector;
}

/** A comparison with a label that is not there is false, so that != and `not in` are true. */
function compile(expression: Expression): (labels: Labels) => boolean {
  switch (expression.kind) {
    case "all":
      return () => true;
    case "has":
      return (labels) => Object.hasOwn(labels, expression.label);
    case "compare":
      return comparison(expression);
    case "in": {
      const { label } = expression;
      const texts = new Set(expression.texts);
      return (labels) => Object.hasOwn(labels, label) && texts.has(labels[label] ?? "");
    }
    case "not": {
      const inner = compile(expression.of);
      return (labels) => !inner(labels);
    }
    case "and": {
      const all = expression.of.map(compile);
      return (labels) => all.every((one) => one(labels));
    }
    case "or": {
      const any = expression.of.map(compile);
      return (labels) => any.some((one) => one(labels));
    }
  }
}

function comparison({ label, operator, text }: Extract<Expression, { kind: "compare" }>): (labels: Labels) => boolean {
  const value = (labels: Labels): string | undefined => (Object.hasOwn(labels, label) ? labels[label] : undefined);
  switch (operator) {
    case "equals":
      return (labels) => value(labels) === text;
    case "contains":
      return (labels) => value(labels)?.includes(text) ?? false;
    case "startsWith":
      return (labels) => value(labels)?.startsWith(text) ?? false;
    case "endsWith":
      return (labels) => value(labels)?.endsWith(text) ?? false;
  }
}

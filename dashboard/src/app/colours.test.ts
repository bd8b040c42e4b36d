import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** Axe cannot see through what lies over a text, as over the cards: here all pairs are counted. */
const css = readFileSync(new URL("globals.css", import.meta.url), "utf8");
const themes = { light: ["\n:root {", "\n.log {"], dark: ["\n.dark {", "\n.dark .log {"] };
const TEXTS = ["fg", "muted", "faint", "accent-text", "ok", "warn", "bad", "info"];
const SURFACES = ["bg", "panel", "raised", "hover", "term"];
const SOFT = ["accent-soft", "ok-soft", "warn-soft", "bad-soft", "info-soft"];

type Rgb = [number, number, number];

function colours(theme: keyof typeof themes): Map<string, Rgb> {
  const found = new Map<string, Rgb>();
  for (const start of themes[theme]) {
    const block = css.split(start)[1]!.split("\n}")[0]!;
    for (const [, name, value] of block.matchAll(/--([\w-]+): (oklch\([^/)]+\)|#\w{6});/g))
      found.set(name!, value!.startsWith("#") ? hex(value!) : oklch(value!));
  }
  return found;
}

const hex = (value: string) =>
  [1, 3, 5].map((at) => parseInt(value.slice(at, at + 2), 16) / 255) as Rgb;

/** As https://www.w3.org/TR/css-color-4/#color-conversion-code says, cut to what a screen shows. */
function oklch(value: string): Rgb {
  const [light, chroma, hue] = value.match(/[\d.]+/g)!.map(Number) as Rgb;
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (light / 100 + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light / 100 - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light / 100 - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map(encoded) as Rgb;
}

function encoded(linear: number): number {
  const one = Math.min(1, Math.max(0, linear));
  const value = one > 0.0031308 ? 1.055 * one ** (1 / 2.4) - 0.055 : 12.92 * one;
  return Math.round(value * 255) / 255;
}

function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((one) =>
    one > 0.04045 ? ((one + 0.055) / 1.055) ** 2.4 : one / 12.92,
  ) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  const found = colours(theme);
  const weak = (ones: string[], grounds: string[], least: number) =>
    ones.flatMap((one) =>
      grounds
        .map((ground) => [one, ground, contrast(found.get(one)!, found.get(ground)!)] as const)
        .filter(([, , ratio]) => ratio < least)
        .map(([, ground, ratio]) => `${one} on ${ground}: ${ratio.toFixed(2)}`),
    );

  test("every text can be read on every surface", () => {
    expect(weak(TEXTS, [...SURFACES, ...SOFT], 4.5)).toEqual([]);
  });

  test("what programs print can be read on each line of the log", () => {
    const ansi = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => `a${number}`);
    expect(weak(ansi, ["term", "hover", "warn-soft"], 4.5)).toEqual([]);
  });

  test("buttons can be read, also those that are pointed at", () => {
    expect(weak(["accent-fg"], ["accent", "accent-hover"], 4.5)).toEqual([]);
  });

  test("fields and the focus stand out from what is around them", () => {
    expect(weak(["edge", "accent"], SURFACES, 3)).toEqual([]);
  });
});

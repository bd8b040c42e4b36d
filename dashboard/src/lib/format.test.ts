import { expect, test } from "vitest";
import { ago, bytes, commitUrl, repository, span } from "./format";

test("times are told as people do", () => {
  const now = Date.parse("2026-01-02T12:00:00Z");

  expect(ago("2026-01-02T11:59:30Z", now)).toBe("just now");
  expect(ago("2026-01-02T11:57:00Z", now)).toBe("3 min. ago");
  expect(ago("2026-01-01T12:00:00Z", now)).toBe("yesterday");
});

test("spans and sizes have few digits", () => {
  expect([span(0.42), span(12.4), span(75), span(null)]).toEqual([
    "0.4 s",
    "12 s",
    "1 m 15 s",
    "–",
  ]);
  expect([bytes(12), bytes(1500), bytes(34_000_000)]).toEqual(["12 B", "1.5 kB", "34 MB"]);
});

test.each([
  ["https://github.com/you/shop.git", "you/shop"],
  ["git@github.com:you/shop.git", "you/shop"],
  ["ssh://git@example.com/you/shop", "you/shop"],
])("%s is shown as %s", (url, shown) => {
  expect(repository(url)).toBe(shown);
});

test("only known forges get links to commits", () => {
  expect(commitUrl("git@github.com:you/shop.git", "abc")).toBe(
    "https://github.com/you/shop/commit/abc",
  );
  expect(commitUrl("https://gitlab.com/a/b/c.git", "abc")).toBe(
    "https://gitlab.com/a/b/c/-/commit/abc",
  );
  expect(commitUrl("https://git.example.com/a.git", "abc")).toBeNull();
  expect(commitUrl("javascript:alert(1)//github.com/a/b", "abc")).toBeNull();
});

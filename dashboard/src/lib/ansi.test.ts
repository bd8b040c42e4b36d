import { expect, test } from "vitest";
import { pieces, plain } from "./ansi";

test("colours become looks of pieces of text", () => {
  expect(pieces("a \x1b[31;1mred\x1b[0m b")).toEqual([
    { text: "a " },
    { text: "red", fg: "var(--a1)", bold: true },
    { text: " b" },
  ]);
});

test("colours of 256 and of 16 million are kept", () => {
  expect(pieces("\x1b[38;5;196mx")[0]!.fg).toBe("rgb(255 0 0)");
  expect(pieces("\x1b[48;2;1;2;3mx")[0]!.bg).toBe("rgb(1 2 3)");
  expect(pieces("\x1b[38;5;999mx")[0]!.fg).toBeUndefined();
});

test("a carriage return begins the line anew", () => {
  expect(plain("10 %\r50 %\r100 %")).toBe("100 %");
});

test("titles, cursor moves and other controls leave no trace", () => {
  expect(plain("\x1b]0;title\x07\x1b[2Ka\x07\x1b[1Ab")).toBe("ab");
});

test("markup is text like any other", () => {
  expect(pieces("<script>alert(1)</script>")).toEqual([{ text: "<script>alert(1)</script>" }]);
});

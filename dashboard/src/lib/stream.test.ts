import { expect, test } from "vitest";
import { parser } from "./stream";

test("events that arrive in pieces are read whole", () => {
  const parse = parser();

  expect(parse("id: 7\nevent: lines\nda")).toEqual([]);
  expect(parse('ta: [1]\n\nid: 8\ndata: {"a":')).toEqual([
    { id: "7", event: "lines", data: "[1]" },
  ]);
  expect(parse("2}\n\n")).toEqual([{ id: "8", event: "message", data: '{"a":2}' }]);
});

test("heartbeats and retry times are no events", () => {
  expect(parser()("retry: 2000\n\n: beat\n\n")).toEqual([]);
});

test("data of several lines is one text", () => {
  expect(parser()("data: a\ndata: b\n\n")[0]!.data).toBe("a\nb");
});

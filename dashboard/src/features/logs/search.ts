import { useDeferredValue, useMemo, useState } from "react";
import { plain } from "@/lib/ansi";
import type { Line } from "./store";

export interface Search {
  typed: string;
  type: (text: string) => void;
  query: string;
  hits: number[];
  /** Which of the hits is shown, from 0. */
  nth: number;
  step: (by: number) => void;
  /** The number of the line that is shown, from 1. */
  current: number | null;
}

/**
 * Finds lines as one types. `version` changes when lines were added to the same array; `onStep`
 * hears the number of each line that was gone to.
 */
export function useSearch(lines: Line[], version: number, onStep: (line: number) => void): Search {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const query = useDeferredValue(typed.trim().toLowerCase());
  const hits = useMemo(() => {
    const found: number[] = [];
    if (!query || version < 0) return found;
    lines.forEach(
      (line, index) => plain(line.text).toLowerCase().includes(query) && found.push(index + 1),
    );
    return found;
  }, [lines, query, version]);
  const within = (one: number) =>
    hits.length ? ((one % hits.length) + hits.length) % hits.length : 0;
  const nth = within(at);
  const step = (by: number) => {
    setAt(nth + by);
    const line = hits[within(nth + by)];
    if (line) onStep(line);
  };
  const type = (text: string) => {
    setTyped(text);
    setAt(0);
  };
  return {
    typed,
    type,
    query,
    hits,
    nth,
    step,
    current: hits[nth] ?? null,
  };
}

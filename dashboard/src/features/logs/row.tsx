import clsx from "clsx";
import { memo, useMemo, type ReactNode } from "react";
import { pieces, type Piece } from "@/lib/ansi";
import type { Line } from "./store";

export interface RowLook {
  digits: number;
  wrap: boolean;
  times: boolean;
  tags: boolean;
  /** What is searched for, in small letters. */
  query: string;
}

interface Props extends RowLook {
  line: Line;
  number: number;
  marked: boolean;
  onNumber: (number: number) => void;
}

const levels = { info: "font-medium text-accent-text", warning: "text-warn", error: "text-bad" };
const clock = (at: number) => new Date(at).toTimeString().slice(0, 8);

export const Row = memo(function Row(props: Props) {
  const { line, wrap } = props;
  const parts = useMemo(() => pieces(line.text), [line]);
  return (
    <div
      className={clsx(
        "flex min-h-5 gap-3 px-4 leading-5 hover:bg-hover",
        props.marked && "bg-warn-soft",
      )}
    >
      <span
        aria-hidden
        onClick={() => props.onNumber(props.number)}
        style={{ minWidth: `${props.digits}ch` }}
        className="shrink-0 cursor-pointer text-right text-faint tabular-nums select-none hover:text-fg"
      >
        {props.number}
      </span>
      {props.times && (
        <span className="shrink-0 text-faint tabular-nums select-none">{clock(line.at)}</span>
      )}
      {props.tags && (
        <span className="w-16 shrink-0 truncate text-faint select-none">{line.tag}</span>
      )}
      <span
        className={clsx(
          wrap ? "min-w-0 whitespace-pre-wrap [overflow-wrap:anywhere]" : "whitespace-pre",
          line.level && levels[line.level],
        )}
      >
        {parts.length
          ? parts.map((part, index) => <Part key={index} of={part} query={props.query} />)
          : "\u200b"}
      </span>
    </div>
  );
});

/** Mixed into dark or light until it can be read there; see globals.css. */
function color(part: Piece): string | undefined {
  const own = part.fg?.startsWith("rgb") && !part.bg;
  return own ? `color-mix(in oklab, ${part.fg} var(--mix), var(--toward))` : part.fg;
}

function Part({ of, query }: { of: Piece; query: string }) {
  const style = of.fg || of.bg ? { color: color(of), backgroundColor: of.bg } : undefined;
  const look = clsx(
    of.bold && "font-semibold",
    of.dim && "text-faint",
    of.italic && "italic",
    of.underline && "underline",
  );
  return (
    <span className={look} style={style}>
      {query ? highlighted(of.text, query) : of.text}
    </span>
  );
}

function highlighted(text: string, query: string): ReactNode {
  const small = text.toLowerCase();
  const out: ReactNode[] = [];
  let at = 0;
  for (let found = small.indexOf(query); found >= 0; found = small.indexOf(query, at)) {
    out.push(text.slice(at, found));
    out.push(
      <mark key={found} className="rounded-xs bg-warn text-bg">
        {text.slice(found, found + query.length)}
      </mark>,
    );
    at = found + query.length;
  }
  out.push(text.slice(at));
  return out;
}

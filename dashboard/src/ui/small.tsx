"use client";
import clsx from "clsx";
import { Check, Copy } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { ago, exactly } from "@/lib/format";
import { Button } from "./button";
import { Tip } from "./overlay";
import { toast } from "./toast";

const MINUTE = 60_000;

function ticking(tell: () => void): () => void {
  const timer = setInterval(tell, MINUTE / 2);
  return () => clearInterval(timer);
}
const minute = () => Math.floor(Date.now() / (MINUTE / 2));

/** "3 min. ago", kept up; the exact time on hover. */
export function When({ at, className }: { at: string; className?: string }) {
  useSyncExternalStore(ticking, minute, () => 0);
  return (
    <time dateTime={at} title={exactly(at)} className={className}>
      {ago(at)}
    </time>
  );
}

/** A clock that runs while something does. */
export function useNow(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

export async function copy(text: string, what: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toast(
      `${what} could not be copied`,
      "bad",
      "The browser allows it on https and localhost only.",
    );
    return false;
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const click = async () => {
    if (!(await copy(text, what))) return;
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <Tip label={done ? "Copied" : `Copy ${what}`}>
      <Button variant="ghost" size="icon" aria-label={`Copy ${what}`} onClick={click}>
        {done ? <Check className="text-ok" aria-hidden /> : <Copy aria-hidden />}
      </Button>
    </Tip>
  );
}

/** A line of figures. It repeats what is written beside it, so it is not read out. */
export function Spark({ values, className }: { values: number[]; className?: string }) {
  const most = Math.max(1, ...values);
  const width = 100;
  const height = 28;
  const points = values.map(
    (value, at) =>
      `${((at / (values.length - 1)) * width).toFixed(1)} ${(height - 2 - (value / most) * (height - 6)).toFixed(1)}`,
  );
  const line = `M${points.join("L")}`;
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      className={className}
      aria-hidden
    >
      <path d={`${line}L${width} ${height}L0 ${height}Z`} className="fill-accent/10" />
      <path
        d={line}
        className="fill-none stroke-accent"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

const hues = [274, 158, 30, 200, 330, 85, 250];

/** A project's face: its first letter, in a colour of its own. */
export function Glyph({ name, big }: { name: string; big?: boolean }) {
  const hue = hues[[...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % hues.length];
  return (
    <svg viewBox="0 0 40 40" className={clsx("shrink-0", big ? "size-10" : "size-9")} aria-hidden>
      <rect width="40" height="40" rx="11" fill={`oklch(62% .15 ${hue} / .17)`} />
      <text
        x="20"
        y="26.5"
        textAnchor="middle"
        fontSize="18"
        fontWeight="650"
        fill={`oklch(60% .16 ${hue})`}
      >
        {[...name][0]?.toUpperCase()}
      </text>
    </svg>
  );
}

export const Kbd = ({ children }: { children: string }) => (
  <kbd className="rounded border border-line bg-raised px-1.5 font-sans text-xs text-muted">
    {children}
  </kbd>
);

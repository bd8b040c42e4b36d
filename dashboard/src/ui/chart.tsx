"use client";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "react";
import type uPlot from "uplot";

export interface Line {
  name: string;
  values: (number | null)[];
  tone: string;
}

const HEIGHT = 150;
const time = (seconds: number, wide: boolean) =>
  new Date(seconds * 1000).toLocaleString("en", {
    ...(wide ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit" }),
    hour12: false,
  });

const token = (name: string) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(
  width: number,
  at: number[],
  lines: Line[],
  seen: (index: number | null) => void,
): uPlot.Options {
  const wide = (at.at(-1) ?? 0) - (at[0] ?? 0) > 2 * 86400;
  const axis = {
    stroke: token("--muted"),
    ticks: { show: false },
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    gap: 6,
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, sync: { key: "traffic" }, drag: { x: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, (high || 0) * 1.15)] } },
    axes: [
      {
        ...axis,
        size: 24,
        space: 64,
        grid: { show: false },
        values: (_plot, ticks) => ticks.map((one) => time(one, wide)),
      },
      { ...axis, size: 44, space: 36, grid: { stroke: token("--line"), width: 1 } },
    ],
    series: [{}, ...lines.map((line) => series(line, lines.length === 1))],
    hooks: { setCursor: [(plot) => seen(plot.cursor.idx ?? null)] },
  };
}

function series(line: Line, filled: boolean): uPlot.Series {
  const color = token(line.tone);
  const fade = (plot: uPlot) => {
    const shade = plot.ctx.createLinearGradient(0, 0, 0, plot.bbox.height);
    shade.addColorStop(0, color.replace(")", " / .22)"));
    shade.addColorStop(1, color.replace(")", " / 0)"));
    return shade;
  };
  return {
    stroke: color,
    width: 1.6,
    points: { show: false },
    spanGaps: true,
    fill: filled ? fade : undefined,
  };
}

/** Lines over time. uPlot draws; the caption says the same in words and figures. */
export function Chart(props: {
  title: string;
  unit: string;
  at: number[];
  lines: Line[];
  summary: string;
}) {
  const { at, lines } = props;
  const box = useRef<HTMLDivElement>(null);
  const [index, setIndex] = useState<number | null>(null);
  useEffect(() => {
    const element = box.current!;
    let plot: uPlot | undefined;
    let gone = false;
    const draw = async () => {
      const Plot = (await import("uplot")).default;
      if (gone) return;
      plot?.destroy();
      const rows: uPlot.AlignedData = [at, ...lines.map((line) => line.values)];
      plot = new Plot(options(element.clientWidth, at, lines, setIndex), rows, element);
    };
    void draw();
    const size = new ResizeObserver(() =>
      plot?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    const theme = new MutationObserver(draw);
    size.observe(element);
    theme.observe(document.documentElement, { attributeFilter: ["class"] });
    return () => {
      gone = true;
      size.disconnect();
      theme.disconnect();
      plot?.destroy();
    };
  }, [at, lines]);
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex flex-wrap items-baseline justify-between gap-x-3">
        <span className="text-[13px] font-medium text-muted">
          {props.title}
          {index != null && at[index] != null && <> · {time(at[index], false)}</>}
        </span>
        <span className="flex gap-3">
          {lines.map((line) => (
            <Figure
              key={line.name}
              line={line}
              index={index}
              unit={props.unit}
              named={lines.length > 1}
            />
          ))}
        </span>
      </figcaption>
      <div ref={box} className="h-[150px] overflow-hidden" role="img" aria-label={props.summary} />
    </figure>
  );
}

function Figure({
  line,
  index,
  unit,
  named,
}: {
  line: Line;
  index: number | null;
  unit: string;
  named: boolean;
}) {
  const value = line.values[index ?? line.values.length - 1];
  return (
    <span className="flex items-baseline gap-1 font-semibold tabular-nums">
      {named && (
        <span className="text-xs font-normal text-muted">
          <svg viewBox="0 0 8 8" className="mr-1 inline size-2" aria-hidden>
            <circle cx="4" cy="4" r="4" fill={`var(${line.tone})`} />
          </svg>
          {line.name}
        </span>
      )}
      {value == null
        ? "–"
        : value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 })}
      <span className="text-xs font-normal text-muted">{unit}</span>
    </span>
  );
}

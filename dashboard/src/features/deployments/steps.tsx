"use client";
import clsx from "clsx";
import { Check, Minus, X } from "lucide-react";
import { seconds, span } from "@/lib/format";
import type { DeploymentDetail } from "@/lib/http";
import { useNow } from "@/ui/small";
import { stepsOf, type Shown, type StepState } from "./words";

const tones: Record<StepState, string> = {
  waiting: "bg-raised text-faint ring-line",
  active: "bg-info-soft text-info ring-info/40",
  done: "bg-ok-soft text-ok ring-ok/30",
  failed: "bg-bad-soft text-bad ring-bad/40",
  skipped: "bg-raised text-faint ring-line",
  canceled: "bg-raised text-muted ring-line",
};

function Mark({ state }: { state: StepState }) {
  if (state === "done") return <Check strokeWidth={3} aria-hidden />;
  if (state === "failed") return <X strokeWidth={3} aria-hidden />;
  if (state === "skipped" || state === "canceled") return <Minus aria-hidden />;
  const size = state === "active" ? "size-2 motion-safe:animate-ping" : "size-1.5";
  return <span className={clsx("rounded-full bg-current", size)} aria-hidden />;
}

/** The steps with their times: across on wide screens, down on narrow ones. */
export function Steps({ of }: { of: DeploymentDetail }) {
  const steps = stepsOf(of);
  const now = useNow(steps.some((step) => step.state === "active"));
  return (
    <ol className="grid gap-y-3 sm:flex" aria-label="Steps">
      {steps.map((step, index) => (
        <Item key={step.name} step={step} first={index === 0} now={now} />
      ))}
    </ol>
  );
}

function Item({ step, first, now }: { step: Shown; first: boolean; now: number }) {
  const still = step.state === "waiting" || step.state === "skipped";
  return (
    <li
      aria-current={step.state === "active" ? "step" : undefined}
      className="relative flex items-center gap-3 sm:flex-1 sm:flex-col sm:items-start sm:gap-2"
    >
      {!first && (
        <span
          aria-hidden
          className={clsx(
            "absolute max-sm:-top-3 max-sm:left-[11px] max-sm:h-3 max-sm:w-0.5 sm:top-[11px] sm:right-full sm:left-[calc(-100%+32px)] sm:mr-2 sm:h-0.5",
            still ? "bg-line" : "bg-ok/50",
          )}
        />
      )}
      <span
        className={clsx(
          "grid size-6 shrink-0 place-items-center rounded-full ring-1 ring-inset [&_svg]:size-3.5",
          tones[step.state],
        )}
      >
        <Mark state={step.state} />
      </span>
      <span className="text-[13px] leading-tight">
        <span className={clsx("font-medium", still && "text-muted")}>{step.label}</span>
        <span className="sr-only">: {step.state}</span>
        <span className="block text-xs text-muted tabular-nums max-sm:ml-2 max-sm:inline">
          {time(step, now)}
        </span>
      </span>
    </li>
  );
}

function time(step: Shown, now: number): string {
  if (step.state === "skipped") return "skipped";
  if (step.state === "canceled") return "canceled";
  return step.from ? span(seconds(step.from, step.to, now)) : "\u00a0";
}

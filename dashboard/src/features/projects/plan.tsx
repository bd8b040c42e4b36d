"use client";
import { FileCode2, Info, TriangleAlert } from "lucide-react";
import type { Plan } from "@/lib/http";
import { Card } from "@/ui/surface";

type Decision = NonNullable<Plan["decisions"]>[number];
type Evidence = NonNullable<Decision["evidence"]>;

export const where = (proof: Evidence) => (proof.line ? `${proof.file}:${proof.line}` : proof.file);

/** What would be done with a repository, and the line of it that proves each decision. */
export function PlanView({ plan }: { plan: Plan }) {
  return (
    <Card className="overflow-hidden">
      <ul className="divide-y divide-line" aria-label="Plan">
        {(plan.decisions ?? []).map((one, index) => (
          <Line key={`${one.subject}${index}`} of={one} />
        ))}
      </ul>
      {(plan.warnings ?? []).map((warning) => (
        <p
          key={warning}
          className="flex gap-2.5 border-t border-line bg-warn-soft px-4 py-2.5 text-[13px]"
        >
          <TriangleAlert className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
          {warning}
        </p>
      ))}
    </Card>
  );
}

function Line({ of }: { of: Decision }) {
  return (
    <li className="gap-4 px-4 py-2.5 text-[13px] sm:flex">
      <span className="w-36 shrink-0 text-muted first-letter:uppercase">{of.subject}</span>
      <div className="min-w-0 flex-1">
        <p className="font-medium [overflow-wrap:anywhere]">{of.value}</p>
        {of.evidence ? (
          <p className="mt-0.5 flex items-start gap-1.5 text-xs text-muted">
            <FileCode2 className="mt-0.5 size-3.5 shrink-0" aria-hidden />
            <span className="min-w-0 [overflow-wrap:anywhere]">
              <span className="font-mono">{where(of.evidence)}</span>
              {of.evidence.text && (
                <code className="ml-2 rounded bg-raised px-1 py-0.5 font-mono">
                  {of.evidence.text.trim()}
                </code>
              )}
            </span>
          </p>
        ) : null}
        {of.why && (
          <p className="mt-0.5 flex items-start gap-1.5 text-xs text-muted">
            <Info className="mt-0.5 size-3.5 shrink-0" aria-hidden />
            {of.why}
          </p>
        )}
      </div>
    </li>
  );
}

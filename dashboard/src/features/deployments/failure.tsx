"use client";
import { Lightbulb, TriangleAlert } from "lucide-react";
import Link from "next/link";
import type { DeploymentDetail } from "@/lib/http";
import { buttonClass } from "@/ui/button";
import { diagnosisOf, type Diagnosis } from "./words";

/** One red box: what broke, the line that proves it, and what to do. */
export function Failure({ of }: { of: DeploymentDetail }) {
  const why = diagnosisOf(of);
  const cause = why?.summary ?? of.error_message ?? "It failed.";
  const said = of.error_message && of.error_message !== cause ? of.error_message : null;
  const served = !of.release_id || of.watch == null;
  return (
    <section
      aria-label="Why it failed"
      className="mb-5 rounded-xl border border-bad/30 bg-bad-soft p-4"
    >
      <p className="flex items-start gap-2.5 font-medium">
        <TriangleAlert className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden />
        {cause}
      </p>
      <div className="space-y-2 pt-2 pl-6.5 text-[13px]">
        {said && <p className="text-muted">{said}</p>}
        {why?.proof && (
          <pre className="log overflow-x-auto rounded-lg border border-bad/20 bg-term px-3 py-2 font-mono text-[12.5px] whitespace-pre-wrap [overflow-wrap:anywhere]">
            {why.proof}
          </pre>
        )}
        {why?.todo && (
          <p className="flex items-start gap-2">
            <Lightbulb className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
            {why.todo}
          </p>
        )}
        <Help why={why} of={of} />
        <p className="text-muted">
          {served
            ? "Nothing changed for visitors: what served before still does."
            : "Traffic went back to the release before by itself."}
        </p>
      </div>
    </section>
  );
}

/** Where the thing to do is done. */
function Help({ why, of }: { why: Diagnosis | null; of: DeploymentDetail }) {
  const name = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/.exec(why?.summary ?? "")?.[0];
  if (!why?.code.includes("variable") && !name) return null;
  const query = new URLSearchParams({
    environment: of.environment,
    ...(name ? { add: name } : {}),
  });
  return (
    <Link
      href={`/projects/${of.project_id}/variables?${query}`}
      prefetch={false}
      className={buttonClass("secondary", "sm")}
    >
      {name ? `Set ${name}` : "Variables"}
    </Link>
  );
}
